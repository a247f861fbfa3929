"""Regular chores: end overdue tasks, delete expired media, files and rows. One process at a time does each chore."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bodydouble.service.tasks import media_keys
from bodydouble.store.expiry import delete_older
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.files import FETCHED_INPUTS, FileStore, fetched_inputs_prefix
from bodydouble.tasks.operation_ports import ExecutorStore, InstallationStore, QueueStore
from bodydouble.tasks.ports import TaskStore
from bodydouble.tasks.task import CANCELLED, ResultCode, Task, TaskResult, TaskStatus
from bodydouble.worker import checkpoint
from bodydouble.worker.failure import OVERDUE

BATCH = 200
LOOK_SECONDS = 2.0
"""Rows that one statement handles, and the interval between two looks for chores that are due."""
HOUR = 3600.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long tasks may take and how long data is kept."""

    deadline: timedelta  # from creation to the end of a task, at most
    media: timedelta  # from the task's end
    uploads: timedelta
    rows: timedelta  # from the task's end
    workflows: timedelta = timedelta(hours=1)  # the durable engine's rows, from the workflow's end
    executors: timedelta = timedelta(days=7)  # from their last heartbeat


@dataclass(frozen=True, kw_only=True)
class Chore:
    """A job that runs regularly. ``do`` returns the number of items it handled."""

    name: str
    every_seconds: float
    do: Callable[[], Awaitable[int]]


class Cleanup:
    """Runs the chores. Any number of processes can share one database and one file store."""

    def __init__(
        self,
        tasks: TaskStore,
        queue: QueueStore,
        executors: ExecutorStore,
        installation: InstallationStore,
        files: FileStore,
        retention: Retention,
    ) -> None:
        self._tasks, self._queue, self._executors, self._installation = tasks, queue, executors, installation
        self._files, self._retention = files, retention
        self.chores = (
            Chore(name="overdue tasks", every_seconds=5, do=self.end_overdue),
            Chore(name="late starts", every_seconds=5, do=self.end_late_starts),
            Chore(name="stranded tasks", every_seconds=60, do=self.revive_stranded),
            Chore(name="expired media", every_seconds=300, do=self.delete_expired_media),
            Chore(name="old uploads", every_seconds=HOUR, do=self.delete_old_uploads),
            Chore(name="lost files", every_seconds=HOUR, do=self.delete_lost_files),
            Chore(name="old tasks", every_seconds=HOUR, do=self.delete_old_rows),
            Chore(name="old workflows", every_seconds=300, do=self.delete_old_workflows),
            Chore(name="old executors", every_seconds=HOUR, do=self.delete_old_executors),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Run the chores until ``stop`` is set. A chore that fails is logged and runs again when it is next due."""
        look_at = {chore.name: 0.0 for chore in self.chores}
        while not stop.is_set():
            for chore in self.chores:
                if time.monotonic() >= look_at[chore.name]:
                    look_at[chore.name] = time.monotonic() + chore.every_seconds / 2
                    await self._look(chore)
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def _look(self, chore: Chore) -> None:
        try:
            if not await self._installation.claim_chore(chore.name, chore.every_seconds):
                return
            done = await chore.do()
        except StorageUnavailable as error:
            log.warning("a chore was not done", chore=chore.name, error=error.message)
        except Exception as error:
            log.error("a chore failed", chore=chore.name, exc_info=error)
        else:
            if done:
                log.info("a chore was done", chore=chore.name, count=done)

    async def end_overdue(self) -> int:
        """Fail pending and running tasks past their deadline. Their workers stop at the next progress report."""
        return await self._end_all(
            self._tasks.overdue_tasks, TaskResult(code=ResultCode.GENERATION_FAILED, message=OVERDUE)
        )

    async def end_late_starts(self) -> int:
        """Cancel pending tasks that should have started by now."""
        return await self._end_all(self._tasks.late_starts, CANCELLED)

    async def _end_all(self, find: Callable[[int], Awaitable[list[Task]]], result: TaskResult) -> int:
        """Settle the tasks that ``find`` returns, a batch at a time, as failed with ``result``; their number."""
        done = 0
        while found := await find(BATCH):
            for task in found:
                done += await self._tasks.settle(task.id, TaskStatus.FAILED, result, None)
                await self._files.delete_prefix(fetched_inputs_prefix(task.account, task.id))
        return done

    async def revive_stranded(self) -> int:
        """Queue unfinished tasks that are missing from the queue: only a fault causes this, and it is logged as one."""
        found = await self._queue.stranded_tasks(BATCH)
        for task_id in found:
            log.error("a task was missing from the queue; it is queued again", task_id=str(task_id))
            await self._queue.enqueue_again(task_id)
        return len(found)

    async def delete_expired_media(self) -> int:
        """Delete results and previews past their time. Recorded afterwards: an interrupted deletion is repeated."""
        done = 0
        while found := await self._tasks.expired_media(BATCH):
            await self._files.delete([key for task in found for key in media_keys(task)])
            await self._tasks.media_deleted([task.id for task in found])
            done += len(found)
        return done

    async def delete_old_uploads(self) -> int:
        """Delete uploads past their time. The deadline is added: a task may read its uploads as late as that."""
        return await delete_older(self._files, "uploads", _ago(self._retention.uploads + self._retention.deadline))

    async def delete_lost_files(self) -> int:
        """Delete what killed processes left behind: results without a row, checkpoints and inputs of finished tasks."""
        results = await delete_older(self._files, "results", _ago(self._retention.media + timedelta(days=1)))
        hour = timedelta(hours=1)
        work = await delete_older(self._files, checkpoint.PREFIX, _ago(self._retention.deadline + hour))
        inputs = await delete_older(self._files, FETCHED_INPUTS, _ago(self._retention.deadline + hour))
        return results + work + inputs

    async def delete_old_rows(self) -> int:
        """Delete tasks that ended long ago, with their deliveries and timelines. The ledger and the usage stay."""
        return await _until_none(lambda: self._tasks.delete_old_tasks(_ago(self._retention.rows), BATCH))

    async def delete_old_workflows(self) -> int:
        """Delete the durable engine's rows of workflows that ended."""
        return await _until_none(lambda: self._queue.delete_old_workflows(_ago(self._retention.workflows), BATCH))

    async def delete_old_executors(self) -> int:
        """Forget workers that were last seen long ago."""
        await self._executors.delete_old_executors(_ago(self._retention.executors))
        return 0


def _ago(age: timedelta) -> datetime:
    return datetime.now(UTC) - age


async def _until_none(batch: Callable[[], Awaitable[int]]) -> int:
    """Repeat ``batch``, a short transaction that handles a limited number of items, until it finds none."""
    done = 0
    while count := await batch():
        done += count
    return done
