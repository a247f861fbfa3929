"""The queue of tasks."""

from datetime import datetime
from uuid import UUID

from bodydouble.store.postgres.database import Database
from bodydouble.tasks.operation import QueueState
from bodydouble.tasks.queue import APPLICATION_VERSION, QUEUE, WORKFLOW
from bodydouble.tasks.task import TaskId


class PostgresQueueStore:
    """Satisfies ``tasks.ports.QueueStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def queue_state(self, silence_seconds: float) -> QueueState:
        row = await self._database.row("queue_state", silence_seconds)
        return QueueState(
            pending=row["pending"],
            running=row["running"],
            oldest_pending_seconds=float(row["oldest"]),
            deliveries_pending=row["deliveries"],
            oldest_delivery_seconds=float(row["oldest_delivery"]),
            executors=row["executors"],
        )

    async def stranded_tasks(self, limit: int) -> list[TaskId]:
        rows = await self._database.rows("stranded_tasks", limit)
        return [TaskId(UUID(str(row["id"]))) for row in rows]

    async def enqueue_again(self, task_id: TaskId) -> bool:
        row = await self._database.row("enqueue_again", task_id, WORKFLOW, QUEUE, APPLICATION_VERSION)
        return bool(row[0])

    async def enqueue_unless_run(self, task_id: TaskId, silence_seconds: float) -> bool:
        names = (WORKFLOW, QUEUE, APPLICATION_VERSION)
        return bool((await self._database.row("enqueue_unless_run", task_id, *names, silence_seconds))[0])

    async def delete_old_workflows(self, before: datetime, limit: int) -> int:
        return int((await self._database.row("delete_old_workflows", before, limit))[0])
