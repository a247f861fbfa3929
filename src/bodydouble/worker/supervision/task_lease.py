"""A worker's right to continue a task."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, assert_never

import structlog

from bodydouble.tasks.errors import Cancelled, StorageUnavailable
from bodydouble.tasks.ports import TaskStore
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import LeaseStatus, ResultCode, TaskId, TaskProgress
from bodydouble.worker.failure import OVERDUE, TaskFailure, TaskLost

CHECK_SECONDS = 0.5
"""Interval between two checks of the lease; each check stores the progress."""
CANCEL_SECONDS_MAX = 1.0
"""Time for abandoned work to end. A copy in a thread continues in the background, without effect."""

log = structlog.get_logger(__name__)
T = TypeVar("T")


class TaskLease:
    """Stores the progress of one task, and raises when this worker must stop working on it."""

    def __init__(self, task_id: TaskId, executor: str, store: TaskStore) -> None:
        self._task_id, self._executor, self._store = task_id, executor, store
        self.progress = TaskProgress(stage=Stage.FETCH)

    def note(self, progress: TaskProgress) -> None:
        """Remember the progress for the next check."""
        self.progress = progress

    async def check(self) -> None:
        """Store the progress.

        Raises:
            Cancelled: the task's owner asked to stop.
            TaskFailure: the task is past its deadline.
            TaskLost: the task is over, or another worker has it.
        """
        try:
            status = await self._store.set_progress(self._task_id, self._executor, self.progress)
        except StorageUnavailable as error:  # a database outage does not stop a renderer
            log.warning("progress was not stored", error=error.message)
            return
        match status:
            case LeaseStatus.HELD:
                return
            case LeaseStatus.CANCELLED:
                raise Cancelled("The caller asked to stop")
            case LeaseStatus.OVERDUE:
                raise TaskFailure(ResultCode.GENERATION_FAILED, OVERDUE)
            case LeaseStatus.LOST:
                raise TaskLost("it is over, or another worker has it")
            case _:
                assert_never(status)

    async def while_held(self, work: Coroutine[Any, Any, T]) -> T:
        """The value of ``work``, which is cancelled once the lease is lost. Raises what ``check`` raises."""
        working = asyncio.ensure_future(work)
        try:
            while True:
                await self.check()
                done, _ = await asyncio.wait({working}, timeout=CHECK_SECONDS)
                if done:
                    return working.result()
        finally:
            if working.cancel():
                await asyncio.wait({working}, timeout=CANCEL_SECONDS_MAX)
