"""A task's progress as server-sent events."""

from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import format_sse_event

from bodydouble.api.authentication import CallerDep, TasksDep, read_key
from bodydouble.api.openapi import Responses, error_responses
from bodydouble.api.response_models import TASK_ID
from bodydouble.api.tasks import TaskIdQuery
from bodydouble.service import TaskService, TaskView
from bodydouble.service.document import task_data, to_json
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import BodydoubleError, RateLimited
from bodydouble.tasks.ports import TaskChanges
from bodydouble.tasks.task import TERMINAL, TaskId

router = APIRouter()

KEEP_ALIVE_SECONDS = 15
QUEUE_POSITION_SECONDS = 5
"""Interval between two look-ups of a pending task's queue position: no notification announces its changes."""
POLL_SECONDS = 1.0
"""Interval at which an idle stream notices that the process is shutting down."""
RECONNECT_MILLISECONDS = 2000
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
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


class EventStreams:
    """The open event streams of this process: limits them per account and ends them at shutdown."""

    def __init__(self, per_account_max: int) -> None:
        self._per_account_max, self._open = per_account_max, Counter[AccountId]()
        self.closing = False

    def close(self) -> None:
        """End every stream within ``POLL_SECONDS`` because the process stops. Clients then reconnect."""
        self.closing = True

    def check(self, account: AccountId) -> None:
        """Raise RateLimited if the account has its maximum of open streams."""
        if self._open[account] >= self._per_account_max:
            raise RateLimited(
                f"Too many event streams: at most {self._per_account_max} may be open; close some, or poll TaskInfo",
                retry_seconds=KEEP_ALIVE_SECONDS,
            )

    @contextmanager
    def opened(self, account: AccountId) -> Generator[bool, None, None]:
        """Count one stream while the block runs. Yields False if it exceeds the limit.

        ``check`` alone is not enough: several requests can pass it before the first of them opens its stream.
        """
        self._open[account] += 1
        try:
            yield self._open[account] <= self._per_account_max
        finally:
            self._open[account] -= 1
            if not self._open[account]:
                del self._open[account]


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
    stream = TaskEventStream(streams, service, caller.id, secret, view.task.id)
    events = stream.events(_state(view) if last_event_id == str(view.task.version) else None)
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


@dataclass(frozen=True)
class TaskEventStream:
    """One open event stream of one task."""

    streams: EventStreams
    service: TaskService
    account: AccountId
    secret: str | None
    task_id: TaskId

    async def events(self, seen: tuple[int, int | None] | None) -> AsyncGenerator[bytes, None]:
        """Yield each new state of the task, starting after state ``seen``, and comments while nothing changes."""
        with self.streams.opened(self.account) as allowed:
            yield format_sse_event(retry=RECONNECT_MILLISECONDS)
            if not allowed:
                return  # the client reconnects and then gets 429
            async with self.service.changes(self.task_id) as changes:
                while not self.streams.closing:
                    try:
                        # Authenticates again, so that disabling a key also ends its streams.
                        _, view = await self.service.read_with_key(self.secret, str(self.task_id))
                    except BodydoubleError:
                        return  # task deleted or database unavailable: the client reconnects and gets the error
                    if _state(view) != seen:
                        seen = _state(view)
                        yield _event(view)
                    if view.task.status in TERMINAL:
                        return
                    idle_seconds = QUEUE_POSITION_SECONDS if view.queue_position is not None else KEEP_ALIVE_SECONDS
                    if not await self._wait_for_change(changes, idle_seconds):
                        yield format_sse_event(comment="keep-alive")

    async def _wait_for_change(self, changes: TaskChanges, idle_seconds: int) -> bool:
        for _ in range(idle_seconds):
            if self.streams.closing or await changes.wait(POLL_SECONDS):
                return True
        return False


def _state(view: TaskView) -> tuple[int, int | None]:
    return view.task.version, view.queue_position


def _event(view: TaskView) -> bytes:
    name = "done" if view.task.status in TERMINAL else "progress"
    return format_sse_event(data_str=to_json(task_data(view)).decode(), event=name, id=str(view.task.version))
