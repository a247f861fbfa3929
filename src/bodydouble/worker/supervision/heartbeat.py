"""A worker's heartbeat, and the takeover from workers without one."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Collection

import structlog

from bodydouble import __version__
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.operation_ports import ExecutorStore
from bodydouble.tasks.task import TaskId

log = structlog.get_logger(__name__)


def executor_name() -> str:
    """A new name for each start of a worker, so that each start counts as an attempt."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Heartbeat:
    """Sends one executor's heartbeat, and requeues the tasks of workers that have ended.

    A worker judges others only after all its own heartbeats have arrived for ``takeover_seconds``. After an outage of
    the database every worker seems silent, and has that long to be heard again.
    """

    def __init__(
        self,
        executors: ExecutorStore,
        executor: str,
        running: Collection[TaskId],
        beat_seconds: float,
        takeover_seconds: float,
    ) -> None:
        self._executors, self._executor, self._running = executors, executor, running
        self._beat_seconds, self._takeover_seconds = beat_seconds, takeover_seconds
        self._unbroken_since: float | None = None  # by the monotonic clock
        self._last = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Send heartbeats until ``stop`` is set. Faults of the store do not end the loop."""
        while not stop.is_set():
            try:
                await self.beat()
                silence = self._takeover_seconds if self._may_judge() else float("inf")
                for task in await self._executors.requeue_abandoned(silence):
                    log.warning("the worker of a task has ended; the task is queued again", task_id=str(task))
                for task in await self._executors.requeue_strays(self._executor, self._running, self._takeover_seconds):
                    log.warning("the durable engine dropped a task; it is queued again", task_id=str(task))
            except StorageUnavailable as error:
                self._unbroken_since = None
                log.warning("no heartbeat: the database does not answer", error=error.message)
            try:
                await asyncio.wait_for(stop.wait(), self._beat_seconds)
            except TimeoutError:
                continue

    async def beat(self) -> None:
        """Send one heartbeat. Raises StorageUnavailable."""
        await self._executors.beat(self._executor, socket.gethostname(), os.getpid(), __version__)
        now = time.monotonic()
        if self._unbroken_since is None or now - self._last > self._takeover_seconds:  # or this process was frozen
            self._unbroken_since = now
        self._last = now

    def _may_judge(self) -> bool:
        return self._unbroken_since is not None and time.monotonic() - self._unbroken_since >= self._takeover_seconds
