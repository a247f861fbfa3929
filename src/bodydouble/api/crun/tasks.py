"""Endpoints to read, list, cancel and delete tasks."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response

from bodydouble.api.authentication import (
    SECURITY,
    CallerDep,
    TasksDep,
    identify,
    read_key,
)
from bodydouble.api.crun.envelope import success
from bodydouble.api.crun.openapi import Responses, responses
from bodydouble.api.crun.prefix import CLIENT_API
from bodydouble.api.crun.response_models import CancelData, DeleteData, TaskInfoData, TaskListData
from bodydouble.api.reading import read_task
from bodydouble.api.request_headers import header_values, query_value
from bodydouble.api.routing import api_router
from bodydouble.service import TaskView
from bodydouble.service.document import task_data
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.task import TaskFilter, TaskSource, TaskStatus

router = api_router(prefix=CLIENT_API)

TaskIdQuery = Annotated[str, Query(max_length=100, examples=["019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"])]
UnixQuery = Annotated[int | None, Query(ge=0, le=253_402_300_799, description="Unix seconds.")]
LINK_REFRESH_SECONDS = 12 * 3600
"""The ETag of an unchanged task changes this often, so that polling clients receive new links before they expire."""
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
            "description": "The `ETag` of an earlier response: 304 if nothing has changed since.",
            "schema": {"type": "string"},
            "example": 'W/"3"',
        },
    ],
}
NOT_MODIFIED: Responses = {304: {"description": "Unchanged since this `ETag`"}}


@router.get(
    "/job/TaskInfo",
    operation_id="getTask",
    tags=["tasks"],
    openapi_extra=INFO,
    responses=responses(TaskInfoData, 404) | NOT_MODIFIED,
)
async def task_info(request: Request) -> Response:
    """Get the status, progress and result of a task."""
    task_id, secret = query_value(request.scope, "task_id"), read_key(request)
    if task_id is None:
        await identify(request, secret)
        raise InvalidParams(["task_id: Field required"])
    view = await read_task(request, secret, task_id)
    tag = _etag(view)
    if header_values(request.scope).get(b"if-none-match") == tag.encode():
        return Response(status_code=304, headers={"etag": tag})
    return success(task_data(view), {"etag": tag})


def _etag(view: TaskView) -> str:
    has_links = bool(view.media_urls or view.preview_url)
    period = int(datetime.now(UTC).timestamp()) // LINK_REFRESH_SECONDS if has_links else ""
    return f'W/"{view.task.version}.{"" if view.queue_position is None else view.queue_position}.{period}"'


@router.get("/job/Tasks", operation_id="listTasks", tags=["tasks"], responses=responses(TaskListData))
async def list_tasks(
    service: TasksDep,
    caller: CallerDep,
    status: TaskStatus | None = None,
    model: Annotated[str | None, Query(max_length=100, examples=["wan/2-2-animate-replace"])] = None,
    source: TaskSource | None = None,
    created_after: UnixQuery = None,
    created_before: UnixQuery = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=100, description="The `next_cursor` of the previous page.")] = None,
) -> Response:
    """List the account's tasks, newest first."""
    wanted = TaskFilter(
        account=caller.id,
        status=status,
        model=model,
        source=source,
        created_after=_to_datetime(created_after),
        created_before=_to_datetime(created_before),
        limit=limit,
    )
    page = await service.list(wanted, cursor)
    return success({"tasks": [task_data(view) for view in page.views], "next_cursor": page.next_cursor})


def _to_datetime(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@router.post("/job/CancelTask", operation_id="cancelTask", tags=["tasks"], responses=responses(CancelData, 404))
async def cancel_task(service: TasksDep, caller: CallerDep, task_id: TaskIdQuery) -> Response:
    """Cancel a task and release its credits. A pending task ends immediately, a running one within seconds."""
    return success({"task_id": task_id, "cancelling": await service.cancel(caller, task_id)})


@router.post("/job/DeleteTask", operation_id="deleteTask", tags=["tasks"], responses=responses(DeleteData, 404))
async def delete_task(service: TasksDep, caller: CallerDep, task_id: TaskIdQuery) -> Response:
    """Permanently delete an ended task with its media and callback log. Its ledger entries remain."""
    await service.delete(caller, task_id)
    return success({"task_id": task_id, "deleted": True})
