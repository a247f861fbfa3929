"""kie.ai's API as a dialect."""

from bodydouble.api.dialect import BaseUrl, Dialect
from bodydouble.api.kie import jobs, uploads
from bodydouble.api.kie.errors import error_response, http_error
from bodydouble.api.kie.paths import BASE, PREFIX, UPLOADS
from bodydouble.api.kie.program import write_program
from bodydouble.api.programs import Program
from bodydouble.api.route_descriptions import BEARER_SCHEME

FILES_IN_BODY = frozenset({f"{BASE}/jobs/createTask", f"{UPLOADS}{uploads.BASE64}"})

DIALECT = Dialect(
    name="kie",
    title="kie.ai",
    prefix=PREFIX,
    base_urls=[
        BaseUrl(give_as="instead of https://api.kie.ai", path=PREFIX),
        BaseUrl(give_as="instead of https://kieai.redpandaai.co", path=PREFIX),
    ],
    routers=[jobs.router, uploads.router],
    error_response=error_response,
    http_error=http_error,
    fast_routes=jobs.FAST_ROUTES,
    files_in_body=FILES_IN_BODY.__contains__,
    uploads=lambda path: path == f"{UPLOADS}{uploads.STREAM}",
    security_schemes=BEARER_SCHEME,
    program=Program(label="kie", write=write_program),
)
