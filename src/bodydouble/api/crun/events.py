"""A task's progress as server-sent events."""

from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import Response
from fastapi.sse import format_sse_event

from bodydouble.api.authentication import CallerDep, TasksDep, read_key
from bodydouble.api.crun.openapi import Responses, error_responses
from bodydouble.api.crun.prefix import CLIENT_API
from bodydouble.api.crun.response_models import TASK_ID
from bodydouble.api.crun.tasks import TaskIdQuery
from bodydouble.api.event_streams import EventStreams, stream_changes, task_state
from bodydouble.api.routing import api_router
from bodydouble.service import TaskView
from bodydouble.service.document import task_data, to_json
from bodydouble.tasks.task import TERMINAL

router = api_router(prefix=CLIENT_API)

EXAMPLE = (
    'retry: 2000\n\nevent: progress\ndata: {"task_id":"' + TASK_ID + '","status":"running","progress":0.42,…}\n'
    "id: 7\n\n: keep-alive\n\n"
)
STREAM: Responses = {
    200: {
        "description": "Events `progress`, then one `done`. `data` is the `data` of TaskInfo; `id` counts the changes.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
    },
    204: {"description": "The task has ended and `Last-Event-ID` was its last event: do not reconnect"},
} | error_responses(401, 403, 404, 422, 429, 500)


@router.get("/job/TaskEvents", operation_id="followTask", tags=["tasks"], response_class=Response, responses=STREAM)
async def task_events(
    request: Request,
    service: TasksDep,
    caller: CallerDep,
    task_id: TaskIdQuery,
    last_event_id: Annotated[str | None, Header(description="The `id` of the last event you received.")] = None,
) -> Response:
    """Stream every change of a task as server-sent events until the task ends.

    After a lost connection, reconnect with `Last-Event-ID`. Browsers do this automatically.
    """
    streams: EventStreams = request.app.state.streams
    streams.check(caller.id)
    secret = read_key(request)
    _, view = await service.read_with_key(secret, task_id)
    if view.task.status in TERMINAL and last_event_id == str(view.task.version):
        return Response(status_code=204)
    seen = task_state(view) if last_event_id == str(view.task.version) else None
    return stream_changes(request, secret, view, _event, seen)


def _event(view: TaskView) -> bytes:
    name = "done" if view.task.status in TERMINAL else "progress"
    return format_sse_event(data_str=to_json(task_data(view)).decode(), event=name, id=str(view.task.version))
