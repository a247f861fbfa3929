"""Creating, querying, listing and cancelling tasks."""

import dataclasses
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from bodydouble.api.authentication import get_tasks, identify, read_key
from bodydouble.api.dashscope.documents import BEIJING, listed, task_output, task_status, usage
from bodydouble.api.dashscope.errors import success
from bodydouble.api.dashscope.models import EXAMPLE, MODELS, CreateBody, parse
from bodydouble.api.dashscope.openapi import ROUTES
from bodydouble.api.dashscope.paths import BASE
from bodydouble.api.dashscope.uploads import signed_uploads
from bodydouble.api.fast_path import FastRoute
from bodydouble.api.reading import read_task
from bodydouble.api.request_bodies import validate
from bodydouble.api.route_descriptions import inlined
from bodydouble.api.routing import api_router
from bodydouble.api.submitting import submit
from bodydouble.api.translation import log_without_effect, only
from bodydouble.service import Submission, TaskView
from bodydouble.service.repeats import name_request
from bodydouble.tasks.dialect import DialectName
from bodydouble.tasks.errors import InvalidParams, NotFound, StillRunning
from bodydouble.tasks.task import TaskFilter, TaskStatus

router = api_router(prefix=BASE, tags=["tasks"])

CREATE_PATHS = (
    "/services/aigc/image2video/video-synthesis",
    "/services/aigc/video-generation/video-synthesis",
)
"""The first is that of the vendor's documentation; the SDK's jobs and the default of its method use the second."""
ASYNC, ENABLE = "X-DashScope-Async", "enable"
TASK = "/tasks/{task_id}"
WITHOUT_EFFECT = frozenset({"x-dashscope-ossresourceresolve", "x-dashscope-workspace", "region"})
"""Headers of a create, and a filter of the list."""
LISTED_MAX = 1000
"""Newest tasks that the list knows: the vendor forgets tasks after a day."""
PAGE_MAX = 100
TIME = "%Y%m%d%H%M%S"

CREATE = ROUTES.route("The task", 404, body=inlined(CreateBody.model_json_schema()), example=EXAMPLE)


@router.post(CREATE_PATHS[0], operation_id="createTask", **CREATE)
@router.post(CREATE_PATHS[1], operation_id="createTaskOfJob", **CREATE)
async def create_task(request: Request) -> Response:
    """Create a task. The header `X-DashScope-Async: enable` is required.

    The SDK repeats a request whose response was lost; that is the same task until the task is queried.
    """

    def read(raw: dict[str, Any]) -> Submission:
        if request.headers.get(ASYNC) != ENABLE:
            raise InvalidParams([f"{ASYNC}: must be '{ENABLE}'; these models have no synchronous calls"])
        log_without_effect(DialectName.DASHSCOPE, request.headers.keys(), WITHOUT_EFFECT)
        return parse(raw, request.app.state.base_url)

    created = await submit(
        request, read_key(request), read, partial(name_request, BASE.encode()), partial(signed_uploads, request)
    )
    return success(output={"task_id": str(created.id), "task_status": "PENDING"})


@router.get(TASK, operation_id="getTask", **ROUTES.route("The task; `UNKNOWN` if there is none"))
async def get_task(request: Request) -> Response:
    """Get the status and the result of a task."""
    task_id = request.path_params["task_id"]
    try:
        view = await read_task(request, read_key(request), task_id)
    except NotFound:
        return success(output={"task_id": task_id, "task_status": "UNKNOWN"})
    await get_tasks(request).note_received(view.task)
    document: dict[str, Any] = {"output": task_output(view)}
    if (used := usage(view.task)) is not None:
        document["usage"] = used
    return success(**document)


@router.post(f"{TASK}/cancel", operation_id="cancelTask", **ROUTES.route("Cancelled", 404))
async def cancel_task(request: Request) -> Response:
    """Cancel a task that is `PENDING`."""
    caller, service = await identify(request, read_key(request)), get_tasks(request)
    task_id = request.path_params["task_id"]
    task = (await service.read(caller, task_id)).task
    if task.status is not TaskStatus.PENDING:
        raise StillRunning(f"task_id: only a PENDING task can be cancelled; this one is {task_status(task)}")
    await service.cancel(caller, task_id)
    return success()


class ListQuery(BaseModel):
    """Query of the list of tasks."""

    model_config = ConfigDict(extra="forbid", title="DashScopeList")

    start_time: Annotated[str, Field(pattern=r"^[0-9]{14}$")] | None = None
    end_time: Annotated[str, Field(pattern=r"^[0-9]{14}$")] | None = None
    model_name: str | None = Field(None, max_length=100)
    status: Literal["PENDING", "RUNNING", "SUSPENDED", "SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN"] | None = None
    region: str | None = Field(None, max_length=100, description="Has no effect: an installation is one region.")
    api_key_id: Annotated[str | None, only(None, "tasks are listed for all keys of the account")] = None
    page_no: int = Field(1, ge=1, le=LISTED_MAX)
    page_size: int = Field(10, ge=1, le=PAGE_MAX)


@router.get(
    "/tasks",
    operation_id="listTasks",
    **ROUTES.route("A page of tasks", query=inlined(ListQuery.model_json_schema())["properties"]),
)
async def list_tasks(request: Request) -> Response:
    """List the newest tasks of the account, also those created otherwise. Times are `YYYYMMDDhhmmss` in UTC+8."""
    caller = await identify(request, read_key(request))
    query = validate(ListQuery, dict(request.query_params))
    log_without_effect(DialectName.DASHSCOPE, query.model_fields_set, WITHOUT_EFFECT)
    wanted = _filter(query)
    found: list[TaskView] = []
    if wanted is not None:
        cursor, service = None, get_tasks(request)
        while len(found) < LISTED_MAX:
            page = await service.list(dataclasses.replace(wanted, account=caller.id, limit=PAGE_MAX), cursor)
            found += page.views
            cursor = page.next_cursor
            if cursor is None:
                break
    first = (query.page_no - 1) * query.page_size
    shown = found[first : first + query.page_size]
    return success(
        data=[listed(view.task) for view in shown],
        tasks=[task_output(view) for view in shown],  # the SDK's 2.x jobs read this one
        page_no=query.page_no,
        page_size=query.page_size,
        total=len(found),
        total_page=-(-len(found) // query.page_size),
    )


STATUSES: dict[str, tuple[TaskStatus, bool | None]] = {
    "PENDING": (TaskStatus.PENDING, None),
    "RUNNING": (TaskStatus.RUNNING, None),
    "SUCCEEDED": (TaskStatus.SUCCESS, None),
    "FAILED": (TaskStatus.FAILED, False),
    "CANCELED": (TaskStatus.FAILED, True),
}
"""The vendor's status → ours, and whether the task was cancelled."""


def _filter(query: ListQuery) -> TaskFilter | None:
    """The tasks that the query asks for; None if it can be none. Raises InvalidParams."""
    status, cancelled = STATUSES.get(query.status, (None, None)) if query.status else (None, None)
    if (query.status and status is None) or (query.model_name and query.model_name not in MODELS):
        return None
    return TaskFilter(
        status=status,
        cancelled=cancelled,
        model=MODELS[query.model_name] if query.model_name else None,
        created_after=_parse_time("start_time", query.start_time),
        created_before=_parse_time("end_time", query.end_time),
    )


def _parse_time(field: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, TIME).replace(tzinfo=BEIJING).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidParams([f"{field}: must be a time as YYYYMMDDhhmmss"]) from None


FAST_ROUTES = [
    *(FastRoute(method="POST", path=f"{BASE}{path}", endpoint=create_task) for path in CREATE_PATHS),
    FastRoute(method="GET", path=f"{BASE}{TASK}", endpoint=get_task),
]
