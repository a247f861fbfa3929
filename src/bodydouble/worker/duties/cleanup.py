"""The chores that keep an installation in order. Every process may do them; each chore is done by one at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bodydouble.service.tasks import media_keys
from bodydouble.store.expiry import delete_older
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.ports import ExecutorStore, InstallationStore, QueueStore, TaskStore
from bodydouble.tasks.task import ResultCode, TaskResult, TaskStatus
from bodydouble.worker import checkpoint
from bodydouble.worker.failure import OVERDUE

BATCH = 200
LOOK_SECONDS = 2.0
HOUR = 3600.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long things are kept."""

    deadline: timedelta  # from a task's create to its end, at most
    media: timedelta  # from the task's end
    uploads: timedelta
    rows: timedelta  # from the task's end
    workflows: timedelta = timedelta(hours=1)  # of the engine, from their end
    executors: timedelta = timedelta(days=7)  # from their last heartbeat


@dataclass(frozen=True, kw_only=True)
class Chore:
    """Something to do regularly; answers how many things it did."""

    name: str
    every_seconds: float
    do: Callable[[], Awaitable[int]]


class Janitor:
    """Any number of janitors work side by side on one database and one file store."""

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
            Chore(name="stranded tasks", every_seconds=60, do=self.revive_stranded),
            Chore(name="expired media", every_seconds=300, do=self.delete_expired_media),
            Chore(name="old uploads", every_seconds=HOUR, do=self.delete_old_uploads),
            Chore(name="lost files", every_seconds=HOUR, do=self.delete_lost_files),
            Chore(name="old tasks", every_seconds=HOUR, do=self.delete_old_rows),
            Chore(name="old workflows", every_seconds=300, do=self.delete_old_workflows),
            Chore(name="old executors", every_seconds=HOUR, do=self.delete_old_executors),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set. What fails is told, and tried again when it is due next."""
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
        """Fail tasks past their deadline, waiting or running; whoever works on one learns that it is over."""
        failure = TaskResult(code=ResultCode.GENERATION_FAILED, message=OVERDUE)
        done = 0
        while found := await self._tasks.overdue_tasks(BATCH):
            for task in found:
                done += await self._tasks.settle(task.id, TaskStatus.FAILED, failure, None)
        return done

    async def revive_stranded(self) -> int:
        """Queue tasks that fell out of the queue; a fault somewhere, which the log should show."""
        found = await self._queue.stranded_tasks(BATCH)
        for task_id in found:
            log.error("a task was not in the queue any more; it is queued again", task_id=str(task_id))
            await self._queue.enqueue_again(task_id)
        return len(found)

    async def delete_expired_media(self) -> int:
        """Results and previews past their time. Noted after the deletion: what is cut off between is done twice."""
        done = 0
        while found := await self._tasks.expired_media(BATCH):
            await self._files.delete([key for task in found for key in media_keys(task)])
            await self._tasks.media_deleted([task.id for task in found])
            done += len(found)
        return done

    async def delete_old_uploads(self) -> int:
        """Uploads past their time. A task made at the last moment may wait until its deadline before it reads them."""
        return await delete_older(self._files, "uploads", _ago(self._retention.uploads + self._retention.deadline))

    async def delete_lost_files(self) -> int:
        """What a process that was killed left behind: results that no row names, checkpoints of tasks that are over."""
        results = await delete_older(self._files, "results", _ago(self._retention.media + timedelta(days=1)))
        hour = timedelta(hours=1)
        work = await delete_older(self._files, checkpoint.PREFIX, _ago(self._retention.deadline + hour))
        return results + work

    async def delete_old_rows(self) -> int:
        """Tasks that ended long ago, with all that hangs on them; the ledger and the usage stay."""
        return await _until_none(lambda: self._tasks.delete_old_tasks(_ago(self._retention.rows), BATCH))

    async def delete_old_workflows(self) -> int:
        """What the engine remembers of workflows that ended."""
        return await _until_none(lambda: self._queue.delete_old_workflows(_ago(self._retention.workflows), BATCH))

    async def delete_old_executors(self) -> int:
        """Workers that are long gone."""
        await self._executors.delete_old_executors(_ago(self._retention.executors))
        return 0


def _ago(span: timedelta) -> datetime:
    return datetime.now(UTC) - span


async def _until_none(batch: Callable[[], Awaitable[int]]) -> int:
    """Repeat a chore in batches, each a short transaction, until nothing is left."""
    done = 0
    while count := await batch():
        done += count
    return done
