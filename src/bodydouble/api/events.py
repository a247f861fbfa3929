"""A task's progress as server-sent events."""

from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import format_sse_event

from bodydouble.api.answers import TASK_ID
from bodydouble.api.authentication import CallerDep, TasksDep, presented_key
from bodydouble.api.description import Responses, errors
from bodydouble.api.tasks import TaskIdQuery
from bodydouble.service import TaskService, TaskView
from bodydouble.service.document import task_data, to_json
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import BodydoubleError, RateLimited
from bodydouble.tasks.ports import TaskChanges
from bodydouble.tasks.task import TERMINAL, TaskId

router = APIRouter()

KEEP_ALIVE_SECONDS = 15
LINE_SECONDS = 5
"""So often a waiting task's place in the queue is looked up: nothing tells when others move."""
STEP_SECONDS = 1.0
RECONNECT_MILLISECONDS = 2000
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
EXAMPLE = (
    'retry: 2000\n\nevent: progress\ndata: {"task_id":"' + TASK_ID + '","status":"running","progress":0.42,…}\n'
    "id: 7\n\n: keep-alive\n\n"
)
STREAM: Responses = {
    200: {
        "description": "Events `progress`, and at the end one `done`: `data` is TaskInfo's, `id` counts the changes.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
    },
    204: {"description": "Nothing will come after `Last-Event-ID`: the task is over, stay away"},
} | errors(401, 403, 404, 422, 429, 500)


class EventStreams:
    """The streams that are open at this process, to bound them and to end them all."""

    def __init__(self, per_account_max: int) -> None:
        self._per_account_max, self._open = per_account_max, Counter[AccountId]()
        self.closing = False

    def close(self) -> None:
        """End every stream within a second: the process is about to stop, and clients come back to the next one."""
        self.closing = True

    def check(self, account: AccountId) -> None:
        """Raises RateLimited: the account has as many streams as it may have."""
        if self._open[account] >= self._per_account_max:
            raise RateLimited(
                f"Too many event streams at once: {self._per_account_max} may be open; close some, or ask TaskInfo",
                retry_seconds=KEEP_ALIVE_SECONDS,
            )

    @contextmanager
    def opened(self, account: AccountId) -> Generator[bool, None, None]:
        """Counts one stream. Whether it may go on: of those that came at one moment, before any was open, some not."""
        self._open[account] += 1
        try:
            yield self._open[account] <= self._per_account_max
        finally:
            self._open[account] -= 1
            if not self._open[account]:
                del self._open[account]


@router.get("/job/TaskEvents", tags=["tasks"], response_class=Response, responses=STREAM)
async def task_events(
    request: Request,
    service: TasksDep,
    caller: CallerDep,
    task_id: TaskIdQuery,
    last_event_id: Annotated[str | None, Header(description="The `id` of the last event that you have.")] = None,
) -> Response:
    """Every change of a task as it happens, as server-sent events, until the task is over.

    After a break come back with `Last-Event-ID`, as browsers do by themselves.
    """
    streams: EventStreams = request.app.state.streams
    streams.check(caller.id)
    secret = presented_key(request)
    _, view = await service.read_with_key(secret, task_id)
    if view.task.status in TERMINAL and last_event_id == str(view.task.version):
        return Response(status_code=204)
    following = Following(streams, service, caller.id, secret, view.task.id)
    events = following.events(_standing(view) if last_event_id == str(view.task.version) else None)
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


@dataclass(frozen=True)
class Following:
    """One open stream."""

    streams: EventStreams
    service: TaskService
    account: AccountId
    secret: str | None
    task_id: TaskId

    async def events(self, seen: tuple[int, int | None] | None) -> AsyncGenerator[bytes, None]:
        """Each state that differs from the one before, the first from ``seen``; a comment where nothing comes."""
        with self.streams.opened(self.account) as has_room:
            yield format_sse_event(retry=RECONNECT_MILLISECONDS)
            if not has_room:
                return  # the client comes back, and is told why not
            async with self.service.changes(self.task_id) as changes:
                while not self.streams.closing:
                    try:
                        # With the key, so that a key that is switched off ends its streams too.
                        _, view = await self.service.read_with_key(self.secret, str(self.task_id))
                    except BodydoubleError:
                        return  # deleted, or the database is away: the client comes back and is told so
                    if _standing(view) != seen:
                        seen = _standing(view)
                        yield _event(view)
                    if view.task.status in TERMINAL:
                        return
                    patience = LINE_SECONDS if view.queue_position is not None else KEEP_ALIVE_SECONDS
                    if not await self._changed(changes, patience):
                        yield format_sse_event(comment="keep-alive")

    async def _changed(self, changes: TaskChanges, patience_seconds: int) -> bool:
        for _ in range(patience_seconds):
            if self.streams.closing or await changes.wait(STEP_SECONDS):
                return True
        return False


def _standing(view: TaskView) -> tuple[int, int | None]:
    return view.task.version, view.queue_position


def _event(view: TaskView) -> bytes:
    name = "done" if view.task.status in TERMINAL else "progress"
    return format_sse_event(data_str=to_json(task_data(view)).decode(), event=name, id=str(view.task.version))
