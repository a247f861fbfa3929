"""Executors and the tasks that they leave behind."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from bodydouble.store.postgres.database import Database
from bodydouble.tasks.operation import Executor
from bodydouble.tasks.queue import FETCH_QUEUE, QUEUE
from bodydouble.tasks.task import TaskId

QUEUES = (FETCH_QUEUE, QUEUE)


class PostgresExecutorStore:
    """Satisfies ``tasks.ports.ExecutorStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(self, executor: str, host: str, pid: int, version: str) -> None:
        await self._database.row("beat", executor, host, pid, version)

    async def stop_executor(self, executor: str, *, in_order: bool) -> None:
        for queue in QUEUES:
            await self._database.row("stop_executor", executor, queue, in_order)

    async def executors(self) -> list[Executor]:
        rows = await self._database.rows("executors")
        return [
            Executor(
                id=row["id"],
                host=row["host"],
                pid=row["pid"],
                version=row["version"],
                started_at=row["started_at"],
                beat_at=row["beat_at"],
                stopped_at=row["stopped_at"],
                running=row["running"],
            )
            for row in rows
        ]

    async def requeue_abandoned(self, silence_seconds: float) -> list[TaskId]:
        rows = [
            row for queue in QUEUES for row in await self._database.rows("requeue_abandoned", queue, silence_seconds)
        ]
        return [TaskId(UUID(row["id"])) for row in rows]

    async def requeue_strays(self, executor: str, running: Collection[TaskId], grace_seconds: float) -> list[TaskId]:
        names = [str(task) for task in running]
        rows = [
            row
            for queue in QUEUES
            for row in await self._database.rows("requeue_strays", executor, queue, names, grace_seconds)
        ]
        return [TaskId(UUID(row["id"])) for row in rows]

    async def delete_old_executors(self, before: datetime) -> None:
        await self._database.row("delete_old_executors", before)
