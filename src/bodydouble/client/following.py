"""A task followed until it is over: by server-sent events where the service has them, else by asking again."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx

from bodydouble.client.caller import Caller
from bodydouble.client.errors import ClientError, ServerError, WaitTimeout
from bodydouble.client.event_stream import EventParser
from bodydouble.client.retries import Deadline, backoff_seconds
from bodydouble.client.task_info import TaskInfo, TaskUpdate

SILENCE_SECONDS_MAX = 45.0  # a stream says something every 15 s, and be it a heartbeat
STREAM_SECONDS_MIN = 45.0  # nearer to the deadline it is polled: a read that blocks cannot be cut short
SILENT_STREAMS_MAX = 2  # something between us and the service holds the events back
OUTAGE_SECONDS_MAX = 300.0  # a service that restarts costs a wait nothing but time
POLL_SECONDS_MIN = 0.5
POLL_SECONDS_MAX = 5.0
POLL_SHARE = 0.05  # of the time waited so far: what polling may add to a task's time


class Following:
    """One look at one task, from now to its end."""

    def __init__(self, caller: Caller, task_id: str, timeout_seconds: float | None = None) -> None:
        self._caller, self._task_id = caller, task_id
        self._timeout_seconds, self._deadline = timeout_seconds, Deadline(timeout_seconds)
        self._began = time.monotonic()
        self._streaming = True
        self._silent_streams = 0
        self._reconnect_seconds: float | None = None
        self._event_id: str | None = None
        self._etag: str | None = None
        self._seen: TaskInfo | None = None
        self._failures, self._outage_began = 0, 0.0

    async def updates(self) -> AsyncGenerator[TaskUpdate, None]:
        """What changes, each once, the last one ``is_done``. Breaks and restarts of the service are endured.

        Raises:
            WaitTimeout: not over within the time given. NotFound. ConnectionFailed, ServerError, RateLimited: no
                answer for 5 minutes.
        """
        while True:
            try:
                streamed = self._may_stream()
                async with aclosing(self._stream() if streamed else self._poll()) as updates:
                    async for update in updates:
                        self._failures = 0
                        if self._is_news(update.task):
                            yield update
                        if update.is_done:
                            return
                pause = self._pause_seconds(streamed)
            except ClientError as error:
                pause = self._endure(error)
            await self._pause(pause)

    def _is_news(self, task: TaskInfo) -> bool:
        """Whether it stands elsewhere than when last seen; addresses are signed anew each time and do not count."""
        seen, self._seen = self._seen, task
        return seen is None or _standing(seen) != _standing(task)

    def _may_stream(self) -> bool:
        return self._streaming and self._deadline.remaining_seconds > STREAM_SECONDS_MIN

    async def _stream(self) -> AsyncGenerator[TaskUpdate, None]:
        """One connection, until it breaks off or the deadline is near."""
        transport = self._caller.transport
        resumed = {"last-event-id": self._event_id} if self._event_id else {}
        request = self._caller.request(
            "GET",
            "job/TaskEvents",
            params={"task_id": self._task_id},
            headers={"accept": "text/event-stream", "cache-control": "no-store"} | resumed,
            timeout_seconds=SILENCE_SECONDS_MAX,
        )
        parser, silent = EventParser(), True
        try:
            response = await transport.open(request)
            try:
                if not response.headers.get("content-type", "").startswith("text/event-stream"):
                    self._streaming = False  # no such endpoint, or an error that a poll tells better
                    return
                async with aclosing(transport.chunks(response)) as chunks:
                    async for chunk in chunks:
                        silent = False
                        for event in parser.feed(chunk):
                            self._event_id = event.id
                            if event.name in ("progress", "done"):
                                yield TaskUpdate(task=_parsed(event.data), version=event.id)
                        if not self._may_stream():
                            return
            finally:
                await transport.close(response)
        except httpx.RequestError as error:
            if silent and isinstance(error, httpx.ReadTimeout):
                self._silent()
            if isinstance(error, httpx.PoolTimeout):  # the program's own limit of connections: do not hold one
                self._streaming = False
            raise self._caller.connection_error(request, error, repeatable=True) from error
        self._reconnect_seconds = parser.retry_seconds
        if silent:
            self._silent()

    def _silent(self) -> None:
        self._silent_streams += 1
        self._streaming = self._silent_streams < SILENT_STREAMS_MAX

    async def _poll(self) -> AsyncGenerator[TaskUpdate, None]:
        """One question."""
        remaining = self._deadline.remaining_seconds
        request = self._caller.request(
            "GET",
            "job/TaskInfo",
            params={"task_id": self._task_id},
            headers={"if-none-match": self._etag} if self._etag else None,
            timeout_seconds=min(self._caller.connection.timeout_seconds, max(remaining, 1.0)),
        )
        answer = await self._caller.send_once(request)
        if answer.modified:
            self._etag = answer.headers.get("etag")
            yield TaskUpdate(task=TaskInfo.from_data(answer.data))
        self._failures = 0

    def _pause_seconds(self, streamed: bool) -> float:
        if streamed:  # it broke off: come back soon, or ask at once where streams do not work
            return backoff_seconds(1, self._reconnect_seconds) if self._may_stream() else 0.0
        return min(max((time.monotonic() - self._began) * POLL_SHARE, POLL_SECONDS_MIN), POLL_SECONDS_MAX)

    def _endure(self, error: ClientError) -> float:
        """How long to wait after ``error``; raises it where waiting does not help."""
        now = time.monotonic()
        if self._failures == 0:
            self._outage_began = now
        self._failures += 1
        passing = error.retryable or (isinstance(error, ServerError) and (error.code or 0) >= 500)
        if not passing or now - self._outage_began > OUTAGE_SECONDS_MAX:
            raise error
        return backoff_seconds(self._failures, error.retry_after)

    async def _pause(self, seconds: float) -> None:
        remaining = self._deadline.remaining_seconds
        if remaining <= 0:
            stood = f", it is {self._seen.status.value}" if self._seen else ""
            error = WaitTimeout(
                f"Task {self._task_id} is not over after {self._timeout_seconds:g} s{stood}; it goes on"
            )
            error.task_id = self._task_id
            raise error
        await self._caller.transport.sleep(min(seconds, remaining))


def _standing(task: TaskInfo) -> tuple[object, ...]:
    return task.status, task.stage, task.segment, task.progress, task.queue_position, bool(task.preview_url)


def _parsed(data: str) -> TaskInfo:
    try:
        return TaskInfo.from_data(json.loads(data))
    except ValueError as error:
        raise ServerError(f"An event is no JSON: {data[:100]!r}") from error
