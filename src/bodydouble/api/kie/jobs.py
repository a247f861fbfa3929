"""Creating and reading tasks, the balance, and download addresses."""

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from bodydouble.api.authentication import get_accounts, identify, read_key
from bodydouble.api.fast_path import FastRoute
from bodydouble.api.kie.documents import record
from bodydouble.api.kie.errors import success
from bodydouble.api.kie.models import EXAMPLE, CreateBody, parse
from bodydouble.api.kie.openapi import ROUTES
from bodydouble.api.kie.paths import BASE
from bodydouble.api.reading import read_task
from bodydouble.api.request_bodies import read_model
from bodydouble.api.route_descriptions import inlined
from bodydouble.api.routing import api_router
from bodydouble.api.submitting import submit
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.files import FileStore

router = api_router(prefix=BASE, tags=["jobs"])


class DownloadBody(BaseModel):
    """A result whose download address is wanted."""

    model_config = ConfigDict(extra="forbid", title="KieDownloadUrl")

    url: str = Field(max_length=8192)


@router.post(
    "/jobs/createTask",
    operation_id="createTask",
    **ROUTES.route("The task", 402, 507, body=inlined(CreateBody.model_json_schema()), example=EXAMPLE),
)
async def create_task(request: Request) -> Response:
    """Create a task."""
    created = await submit(request, read_key(request), parse)
    return success({"taskId": str(created.id)})


@router.get(
    "/jobs/recordInfo",
    operation_id="recordInfo",
    **ROUTES.route("The task", 404, query={"taskId": {"type": "string"}}),
)
async def record_info(request: Request) -> Response:
    """Get the state and the result of a task."""
    task_id, secret = request.query_params.get("taskId"), read_key(request)
    if task_id is None:
        await identify(request, secret)
        raise InvalidParams(["taskId: Field required"])
    return success(record(await read_task(request, secret, task_id)))


@router.get("/chat/credit", operation_id="getCredits", **ROUTES.route("The balance"))
async def get_credits(request: Request) -> Response:
    """Get the balance of the account, in credits."""
    caller = await identify(request, read_key(request))
    return success(await get_accounts(request).balance(caller))


@router.post(
    "/common/download-url",
    operation_id="getDownloadUrl",
    **ROUTES.route("The address", body=inlined(DownloadBody.model_json_schema())),
)
async def get_download_url(request: Request) -> Response:
    """Get a newly signed address of a result or an upload."""
    caller = await identify(request, read_key(request))
    body = await read_model(request, DownloadBody)
    files: FileStore = request.app.state.files
    key = await files.own_key(body.url, caller.id)
    if key is None or key.split("/")[1] != str(caller.id):
        raise InvalidParams(["url: must be an address of a file of your account that has not expired"])
    return success(await files.sign_download(key))


FAST_ROUTES = [
    FastRoute(method="POST", path=f"{BASE}/jobs/createTask", endpoint=create_task),
    FastRoute(method="GET", path=f"{BASE}/jobs/recordInfo", endpoint=record_info),
]
