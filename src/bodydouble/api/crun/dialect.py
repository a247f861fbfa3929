"""The API of crun.ai as a dialect."""

from bodydouble.api.crun import accounts, callbacks, creation, events, models, tasks, verification
from bodydouble.api.crun.envelope import error_response, http_error
from bodydouble.api.crun.prefix import CLIENT_API
from bodydouble.api.dialect import BaseUrl, Dialect
from bodydouble.api.fast_path import FastRoute

FILES_IN_BODY = frozenset(f"{CLIENT_API}/job/{name}" for name in ("CreateTask", "estimate-credits", "EstimateTask"))

DIALECT = Dialect(
    name="crun",
    title="crun.ai",
    prefix=CLIENT_API,
    base_urls=[BaseUrl(give_as="CRUN_BASE_URL", path="")],
    routers=[module.router for module in (creation, tasks, events, callbacks, models, accounts, verification)],
    error_response=error_response,
    http_error=http_error,
    fast_routes=[
        FastRoute(method="POST", path=f"{CLIENT_API}/job/CreateTask", endpoint=creation.create_task),
        FastRoute(method="GET", path=f"{CLIENT_API}/job/TaskInfo", endpoint=tasks.task_info),
    ],
    uploads=verification.UPLOADS.__contains__,
    files_in_body=FILES_IN_BODY.__contains__,
)
