"""Streams of a task's changes as server-sent events; each dialect has its own format of an event."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from bodydouble.api.authentication import get_tasks
from bodydouble.service import TaskService, TaskView
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import BodydoubleError, RateLimited
from bodydouble.tasks.ports import TaskChanges
from bodydouble.tasks.task import TERMINAL, TaskId

KEEP_ALIVE_SECONDS = 15
"""Interval of comments on a stream without changes, so that proxies keep it open."""
QUEUE_POSITION_SECONDS = 5
"""Interval between two look-ups of a pending task's queue position: no notification announces its changes."""
POLL_SECONDS = 1.0
"""Interval at which an idle stream notices that the process is shutting down."""
RECONNECT_MILLISECONDS = 2000
"""Time after which a browser reconnects a lost stream."""
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
State = tuple[int, int | None]
"""The version of a task and its position in the queue."""


class EventStreams:
    """The open event streams of this process: limits them per account and ends them at shutdown."""

    def __init__(self, per_account_max: int) -> None:
        self._per_account_max, self._open = per_account_max, Counter[AccountId]()
        self._at_close: list[Callable[[], None]] = []
        self.closing = False

    def at_close(self, stop: Callable[[], None]) -> None:
        """Have ``close`` call ``stop``, which ends open responses of another kind."""
        self._at_close.append(stop)

    def close(self) -> None:
        """End every stream within ``POLL_SECONDS`` because the process stops. Clients then reconnect."""
        self.closing = True
        for stop in self._at_close:
            stop()

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


@dataclass(frozen=True)
class TaskEventStream:
    """One open event stream of one task."""

    streams: EventStreams
    service: TaskService
    account: AccountId
    secret: str | None
    task_id: TaskId
    format: Callable[[TaskView], bytes]  # one event

    async def events(self, seen: State | None = None) -> AsyncGenerator[bytes, None]:
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
                    if task_state(view) != seen:
                        seen = task_state(view)
                        yield self.format(view)
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


def task_state(view: TaskView) -> State:
    """The parts of a task that a stream reports. A new event is sent if one of them has changed."""
    return view.task.version, view.queue_position


def stream_changes(
    request: Request, secret: str | None, view: TaskView, format: Callable[[TaskView], bytes], seen: State | None = None
) -> StreamingResponse:
    """The response that streams every change of a task after state ``seen`` until the task ends."""
    stream = TaskEventStream(
        request.app.state.streams, get_tasks(request), view.task.account, secret, view.task.id, format
    )
    return StreamingResponse(stream.events(seen), media_type="text/event-stream", headers=HEADERS)
