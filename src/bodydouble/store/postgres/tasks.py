"""Tasks and the credits reserved for them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
import orjson

from bodydouble.store.postgres.changes import ChangeFeed
from bodydouble.store.postgres.create_batcher import CreateBatcher
from bodydouble.store.postgres.database import Database
from bodydouble.store.postgres.read_batcher import ReadBatcher
from bodydouble.store.postgres.rows import from_result, to_task
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import InsufficientCredits, ResultNotStorable, StillRunning
from bodydouble.tasks.operation import FailureCount
from bodydouble.tasks.ports import KeyReading, TaskChanges
from bodydouble.tasks.queue import FETCH_QUEUE, QUEUE
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import (
    TERMINAL,
    Created,
    CreateLimits,
    LeaseStatus,
    NewTask,
    StageTime,
    Task,
    TaskFilter,
    TaskId,
    TaskProgress,
    TaskResult,
    TaskStatus,
)

MEDIA_SECONDS = 7 * 24 * 3600.0


class PostgresTaskStore:
    """Satisfies ``tasks.ports.TaskStore``."""

    def __init__(self, database: Database, *, media_seconds: float = MEDIA_SECONDS) -> None:
        self._database, self._media_seconds = database, media_seconds
        self._feed = ChangeFeed(database.url)
        self._reads, self._creates = ReadBatcher(database), CreateBatcher(database)

    async def close(self) -> None:
        """Stop listening for changes."""
        await self._feed.close()

    async def create_task(self, task: NewTask, limits: CreateLimits) -> Created:
        return await self._creates.create(task, limits)

    async def has_request(self, account: AccountId, idempotency_key: str) -> bool:
        return await self._database.row("has_request", account, idempotency_key) is not None

    async def forget_request(self, task_id: TaskId, idempotency_key: str) -> None:
        await self._database.row("forget_request", task_id, idempotency_key)

    async def get_task(self, task_id: TaskId, account: AccountId | None = None) -> Task | None:
        row = await self._database.row("get_task", task_id, account)
        return to_task(row) if row else None

    async def read_task(self, key_hash: bytes, task_id: TaskId) -> KeyReading | None:
        return await self._reads.read(key_hash, task_id)

    async def list_tasks(self, wanted: TaskFilter) -> list[Task]:
        rows = await self._database.rows(
            "list_tasks",
            wanted.account,
            wanted.before,
            wanted.status.value if wanted.status else None,
            wanted.model,
            wanted.source.value if wanted.source else None,
            wanted.created_after,
            wanted.created_before,
            wanted.since,
            wanted.limit,
            wanted.cancelled,
            wanted.title,
        )
        return [to_task(row) for row in rows]

    async def set_title(self, task_id: TaskId, account: AccountId, title: str) -> bool:
        return bool(await self._database.row("set_title", task_id, account, title))

    async def queue_position(self, task_id: TaskId) -> int | None:
        row = await self._database.row("queue_position", task_id)
        return int(row[0]) if row else None

    async def waiting_tasks(self, limit: int) -> list[TaskId]:
        return [TaskId(UUID(int=row[0].int)) for row in await self._database.rows("waiting_tasks", limit)]

    async def start_fetch(self, task_id: TaskId, executor: str) -> Task | None:
        row = await self._database.row("start_fetch", task_id, executor, FETCH_QUEUE)
        return to_task(row) if row else None

    async def finish_fetch(self, task_id: TaskId, executor: str) -> bool:
        return bool((await self._database.row("finish_fetch", task_id, executor, QUEUE))[0])

    async def start_task(self, task_id: TaskId, executor: str) -> Task | None:
        row = await self._database.row("start_task", task_id, executor)
        return to_task(row) if row else None

    async def set_progress(self, task_id: TaskId, executor: str, progress: TaskProgress) -> LeaseStatus:
        row = await self._database.row(
            "set_progress", task_id, executor, progress.fraction, progress.stage, progress.segment, progress.segments
        )
        return LeaseStatus(row[0])

    async def set_preview(self, task_id: TaskId, executor: str, picture_key: str, video_key: str) -> None:
        await self._database.row("set_preview", task_id, executor, picture_key, video_key)

    async def add_stage_time(self, task_id: TaskId, stage: StageTime) -> None:
        async with self._database.transaction() as transaction:
            await transaction.row("add_stage_time", task_id, stage.stage, stage.started_at, stage.seconds)
            await transaction.row("count_value", "stage", stage.stage, stage.seconds)

    async def stage_times(self, task_id: TaskId) -> list[StageTime]:
        rows = await self._database.rows("stage_times", task_id)
        return [StageTime(stage=Stage(r["stage"]), started_at=r["started_at"], seconds=r["seconds"]) for r in rows]

    async def reserve_exactly(self, task_id: TaskId, price: Decimal) -> None:
        row = await self._database.row("reserve_exactly", task_id, price)
        if not row[0]:
            raise InsufficientCredits(
                f"Insufficient credits: the video's exact price is {price.normalize():f}, more than the balance",
                needed=price,
            )

    async def settle(self, task_id: TaskId, status: TaskStatus, result: TaskResult, executor: str | None) -> bool:
        try:
            row = await self._database.row(
                "settle", task_id, executor, status.value, from_result(result), self._media_seconds
            )
        except (asyncpg.DataError, orjson.JSONEncodeError) as error:
            raise ResultNotStorable(f"The result of the task cannot be stored: {error}") from error
        return bool(row[0])

    async def request_cancel(self, task_id: TaskId, account: AccountId) -> TaskStatus | None:
        row = await self._database.row("request_cancel", task_id, account)
        return TaskStatus(row[0]) if row else None

    async def delete_task(self, task_id: TaskId, account: AccountId) -> Task | None:
        row = await self._database.row("delete_task", task_id, account)
        if row is not None:
            return to_task(row)
        left = await self.get_task(task_id, account)
        if left is not None and left.status not in TERMINAL:
            raise StillRunning("task_id: this task has not ended; cancel it first, then delete it.")
        return None

    async def overdue_tasks(self, limit: int) -> list[Task]:
        return [to_task(row) for row in await self._database.rows("overdue_tasks", limit)]

    async def late_starts(self, limit: int) -> list[Task]:
        return [to_task(row) for row in await self._database.rows("late_starts", limit)]

    async def expired_media(self, limit: int) -> list[Task]:
        return [to_task(row) for row in await self._database.rows("expired_media", limit)]

    async def media_deleted(self, task_ids: Sequence[TaskId]) -> None:
        await self._database.rows("media_deleted", list(task_ids))

    async def delete_old_tasks(self, before: datetime, limit: int) -> int:
        return len(await self._database.rows("delete_old_tasks", before, limit))

    async def failures(self, days: int, limit: int) -> list[FailureCount]:
        rows = await self._database.rows("failures", days, limit)
        return [
            FailureCount(code=r["code"], message=r["message"], count=r["count"], last_at=r["last_at"]) for r in rows
        ]

    def changes(self, task_id: TaskId) -> AbstractAsyncContextManager[TaskChanges]:
        return self._feed.watch(task_id)

    async def ping(self) -> None:
        await self._database.row("ping")
