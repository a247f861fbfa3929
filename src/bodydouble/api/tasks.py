"""Looking at tasks, and ending them."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from bodydouble.api.answers import CancelData, DeleteData, TaskInfoData, TaskListData
from bodydouble.api.authentication import (
    SECURITY,
    CallerDep,
    TasksDep,
    count_read,
    get_tasks,
    identify,
    presented_key,
)
from bodydouble.api.description import Responses, answers
from bodydouble.api.envelope import success
from bodydouble.service import TaskView
from bodydouble.service.document import task_data
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.task import TaskFilter, TaskSource, TaskStatus

router = APIRouter()

TaskIdQuery = Annotated[str, Query(max_length=100, examples=["019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"])]
UnixQuery = Annotated[int | None, Query(ge=0, le=253_402_300_799, description="Unix seconds.")]
LINKS_FRESH_SECONDS = 12 * 3600
"""So often an unchanged task counts as changed, so that whoever asks with its ETag never keeps links that expire."""
INFO: dict[str, Any] = {
    "security": SECURITY,
    "parameters": [
        {
            "name": "task_id",
            "in": "query",
            "required": True,
            "schema": {"type": "string"},
            "example": "019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d",
        },
        {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "An `ETag` that you have: 304 where nothing has changed since.",
            "schema": {"type": "string"},
            "example": 'W/"3"',
        },
    ],
}
NOT_MODIFIED: Responses = {304: {"description": "As it was when it had this `ETag`"}}


@router.get("/job/TaskInfo", tags=["tasks"], openapi_extra=INFO, responses=answers(TaskInfoData, 404) | NOT_MODIFIED)
async def task_info(request: Request) -> Response:
    """Status, progress and result of a task."""
    task_id = request.query_params.get("task_id")
    if task_id is None:
        await identify(request)
        raise InvalidParams(["task_id: Field required"])
    secret = presented_key(request)
    count_read(request, secret)
    caller, view = await get_tasks(request).read_with_key(secret, task_id)
    request.state.account = caller.id
    tag = _etag(view)
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    answer = success(task_data(view))
    answer.headers["etag"] = tag
    return answer


def _etag(view: TaskView) -> str:
    linked = bool(view.media_urls or view.preview_url)
    age = int(datetime.now(UTC).timestamp()) // LINKS_FRESH_SECONDS if linked else ""
    return f'W/"{view.task.version}.{"" if view.queue_position is None else view.queue_position}.{age}"'


@router.get("/job/Tasks", tags=["tasks"], responses=answers(TaskListData))
async def list_tasks(
    service: TasksDep,
    caller: CallerDep,
    status: TaskStatus | None = None,
    model: Annotated[str | None, Query(max_length=100, examples=["wan/2-2-animate-replace"])] = None,
    source: TaskSource | None = None,
    created_after: UnixQuery = None,
    created_before: UnixQuery = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before.")] = None,
) -> Response:
    """The account's tasks, newest first."""
    wanted = TaskFilter(
        account=caller.id,
        status=status,
        model=model,
        source=source,
        created_after=_moment(created_after),
        created_before=_moment(created_before),
        limit=limit,
    )
    page = await service.list(wanted, cursor)
    return success({"tasks": [task_data(view) for view in page.views], "next_cursor": page.next_cursor})


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@router.post("/job/CancelTask", tags=["tasks"], responses=answers(CancelData, 404))
async def cancel_task(service: TasksDep, caller: CallerDep, task_id: TaskIdQuery) -> Response:
    """Ask a task to stop; its credits are released. A waiting task ends at once, a running one within seconds."""
    return success({"task_id": task_id, "cancelling": await service.cancel(caller, task_id)})


@router.post("/job/DeleteTask", tags=["tasks"], responses=answers(DeleteData, 404))
async def delete_task(service: TasksDep, caller: CallerDep, task_id: TaskIdQuery) -> Response:
    """Delete a task that is over, with its media and its callback log, for good. What it cost stays in the ledger."""
    await service.delete(caller, task_id)
    return success({"task_id": task_id, "deleted": True})
