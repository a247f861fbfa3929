# By tools/generate_sync_client.py from ../asynchronous/task_follower.py. Edit that file, then run `make client`.
"""Follow a task until it is finished: by server-sent events if the service has them, else by polling."""

import json
import time
from collections.abc import Generator
from contextlib import closing

import httpx

from bodydouble_client.blocking import waiting
from bodydouble_client.blocking.request_sender import RequestSender
from bodydouble_client.connection import connection_error
from bodydouble_client.errors import ClientError, ServerError
from bodydouble_client.event_stream import EventParser
from bodydouble_client.retries import Deadline, backoff_seconds
from bodydouble_client.task_errors import WaitTimeout
from bodydouble_client.task_info import TaskInfo, TaskUpdate

SILENCE_SECONDS_MAX = 45.0  # the service sends an event or a heartbeat every 15 s
STREAM_SECONDS_MIN = 45.0  # closer to the deadline the client polls: a blocking read cannot be interrupted
SILENT_STREAMS_MAX = 2  # then the client polls: a proxy holds the events back
OUTAGE_SECONDS_MAX = 300.0  # a restart of the service only delays a wait
POLL_SECONDS_MIN = 0.5
POLL_SECONDS_MAX = 5.0
POLL_SHARE = 0.05  # of the time waited so far: the most that polling adds to a task's time


class TaskFollower:
    """Follows one task from now to its end."""

    def __init__(self, sender: RequestSender, task_id: str, timeout_seconds: float | None = None) -> None:
        self._sender, self._task_id = sender, task_id
        self._timeout_seconds, self._deadline = timeout_seconds, Deadline(timeout_seconds)
        self._start = time.monotonic()
        self._streaming = True
        self._silent_streams = 0
        self._reconnect_seconds: float | None = None
        self._event_id: str | None = None
        self._etag: str | None = None
        self._last: TaskInfo | None = None
        self._failures, self._outage_start = 0, 0.0

    def updates(self) -> Generator[TaskUpdate, None, None]:
        """Yield each change once; the last update has ``is_done``. Broken connections and restarts are retried.

        Raises:
            WaitTimeout: not finished in time. NotFound. ConnectionFailed, ServerError, RateLimited: no answer for
                ``OUTAGE_SECONDS_MAX``.
        """
        while True:
            try:
                streamed = self._can_stream()
                with closing(self._stream() if streamed else self._poll()) as updates:
                    for update in updates:
                        self._failures = 0
                        if self._is_change(update.task):
                            yield update
                        if update.is_done:
                            return
                pause = self._pause_seconds(streamed)
            except ClientError as error:
                pause = self._outage_pause_seconds(error)
            self._pause(pause)

    def _is_change(self, task: TaskInfo) -> bool:
        """Whether the task's progress differs from the last update. URLs do not count: each answer signs them anew."""
        last, self._last = self._last, task
        return last is None or _progress_of(last) != _progress_of(task)

    def _can_stream(self) -> bool:
        return self._streaming and self._deadline.remaining_seconds > STREAM_SECONDS_MIN

    def _stream(self) -> Generator[TaskUpdate, None, None]:
        """The updates of one event stream, until it ends or the deadline is near."""
        request = self._stream_request()
        parser, silent = EventParser(), True
        try:
            response = self._sender.open(request)
            try:
                if not response.headers.get("content-type", "").startswith("text/event-stream"):
                    self._streaming = False  # no such endpoint, or an error that a poll reports better
                    return
                for chunk in response.iter_bytes():
                    silent = False
                    for event in parser.feed(chunk):
                        self._event_id = event.id
                        if event.name in ("progress", "done"):
                            yield TaskUpdate(task=_parse_task(event.data), version=event.id)
                    if not self._can_stream():
                        return
            finally:
                response.close()
        except httpx.RequestError as error:
            if silent and isinstance(error, httpx.ReadTimeout):
                self._count_silent_stream()
            if isinstance(error, httpx.PoolTimeout):  # the program limits connections: do not occupy one
                self._streaming = False
            raise connection_error(request, error, repeatable=True) from error
        self._reconnect_seconds = parser.retry_seconds
        if silent:
            self._count_silent_stream()

    def _stream_request(self) -> httpx.Request:
        resume = {"last-event-id": self._event_id} if self._event_id else {}
        return self._sender.connection.request(
            "GET",
            "job/TaskEvents",
            params={"task_id": self._task_id},
            headers={"accept": "text/event-stream", "cache-control": "no-store"} | resume,
            timeout_seconds=SILENCE_SECONDS_MAX,
        )

    def _count_silent_stream(self) -> None:
        self._silent_streams += 1
        self._streaming = self._silent_streams < SILENT_STREAMS_MAX

    def _poll(self) -> Generator[TaskUpdate, None, None]:
        """The update of one TaskInfo request; none if the task has not changed."""
        remaining = self._deadline.remaining_seconds
        request = self._sender.connection.request(
            "GET",
            "job/TaskInfo",
            params={"task_id": self._task_id},
            headers={"if-none-match": self._etag} if self._etag else None,
            timeout_seconds=min(self._sender.connection.timeout_seconds, max(remaining, 1.0)),
        )
        answer = self._sender.send_once(request)
        if answer.modified:
            self._etag = answer.headers.get("etag")
            yield TaskUpdate(task=TaskInfo.from_data(answer.data))
        self._failures = 0

    def _pause_seconds(self, streamed: bool) -> float:
        if streamed:  # the stream ended: reconnect soon, or poll at once if streams do not work
            return backoff_seconds(1, self._reconnect_seconds) if self._can_stream() else 0.0
        return min(max((time.monotonic() - self._start) * POLL_SHARE, POLL_SECONDS_MIN), POLL_SECONDS_MAX)

    def _outage_pause_seconds(self, error: ClientError) -> float:
        """The pause after ``error``; raises it if waiting does not help or the outage lasts too long."""
        now = time.monotonic()
        if self._failures == 0:
            self._outage_start = now
        self._failures += 1
        temporary = error.retryable or (isinstance(error, ServerError) and (error.code or 0) >= 500)
        if not temporary or now - self._outage_start > OUTAGE_SECONDS_MAX:
            raise error
        return backoff_seconds(self._failures, error.retry_after)

    def _pause(self, seconds: float) -> None:
        remaining = self._deadline.remaining_seconds
        if remaining <= 0:
            status = f" and is {self._last.status.value}" if self._last else ""
            error = WaitTimeout(
                f"Task {self._task_id} is not finished after {self._timeout_seconds:g} s{status}; it continues"
            )
            error.task_id = self._task_id
            raise error
        waiting.sleep(min(seconds, remaining))


def _progress_of(task: TaskInfo) -> tuple[object, ...]:
    return task.status, task.stage, task.segment, task.progress, task.queue_position, bool(task.preview_url)


def _parse_task(data: str) -> TaskInfo:
    try:
        return TaskInfo.from_data(json.loads(data))
    except ValueError as error:
        raise ServerError(f"An event is not JSON: {data[:100]!r}") from error
