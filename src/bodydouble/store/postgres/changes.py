"""Notifications of changed tasks, over one connection for each process."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# asyncpg is only partially typed.

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from bodydouble.tasks.task import TaskId

CHANNEL = "task"
RECONNECT_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Watched:
    """Satisfies ``tasks.ports.TaskChanges``."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.changed.wait(), seconds)
        except TimeoutError:
            return False
        self.changed.clear()
        return True


class ChangeFeed:
    """Listens as soon as there is a watcher.

    After a lost connection every watcher wakes up, because it may have missed a change.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._watched: dict[UUID, set[Watched]] = {}
        self._listening: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, task_id: TaskId) -> AsyncGenerator[Watched, None]:
        """Watch one task for the length of the block."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        watched = Watched()
        self._watched.setdefault(task_id, set()).add(watched)
        try:
            yield watched
        finally:
            self._watched[task_id].discard(watched)
            if not self._watched[task_id]:
                del self._watched[task_id]

    async def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None

    async def _listen(self) -> None:
        while True:
            try:
                connection: Any = await asyncpg.connect(self._url)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("cannot listen for changes; retrying", error=str(error))
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            try:
                lost = asyncio.Event()
                connection.add_termination_listener(partial(_set, lost))
                await connection.add_listener(CHANNEL, self._notified)
                self._wake_everybody()
                await lost.wait()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("connection for changes lost", error=str(error))
            finally:
                with contextlib.suppress(Exception):
                    await connection.close(timeout=1)

    def _notified(self, connection: Any, pid: int, channel: str, payload: str) -> None:
        for watched in self._watched.get(UUID(payload), ()):
            watched.changed.set()

    def _wake_everybody(self) -> None:
        for watchers in self._watched.values():
            for watched in watchers:
                watched.changed.set()


def _set(event: asyncio.Event, connection: Any) -> None:
    event.set()
