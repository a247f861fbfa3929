"""Tasks, accounts and credits in PostgreSQL."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from bodydouble.store.named_queries import load_queries
from bodydouble.tasks.account import Account, ApiKey
from bodydouble.tasks.errors import InsufficientCredits, NotFound, StorageUnavailable
from bodydouble.tasks.queue import APPLICATION_VERSION, QUEUE, WORKFLOW
from bodydouble.tasks.task import (
    AccountId,
    NewTask,
    ResultCode,
    Task,
    TaskId,
    TaskProgress,
    TaskResult,
    TaskSource,
    TaskStatus,
)

INSUFFICIENT = "P0402"
CONNECTIONS_MAX = 12
COMMAND_SECONDS_MAX = 30
_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, crashed, or starting up
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
)


class PostgresTaskStore:
    """Satisfies ``tasks.ports.TaskStore``."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._queries = load_queries()

    @classmethod
    async def connect(cls, database_url: str) -> "PostgresTaskStore":
        """Raises StorageUnavailable."""
        try:
            pool = await asyncpg.create_pool(
                database_url, min_size=1, max_size=CONNECTIONS_MAX, command_timeout=COMMAND_SECONDS_MAX
            )
        except _LOST as error:
            raise StorageUnavailable(f"The database does not answer: {error}") from error
        return cls(pool)

    async def close(self) -> None:
        """Give the connections back."""
        await self._pool.close()

    async def _row(self, name: str, *values: Any) -> Any:
        try:
            return await self._pool.fetchrow(self._queries[name], *values)
        except _LOST as error:
            raise StorageUnavailable(f"The database does not answer: {error}") from error

    async def create_task(self, task: NewTask) -> None:
        try:
            await self._row(
                "create_task",
                task.id,
                task.account,
                task.model,
                json.dumps(task.param),
                json.dumps(task.inputs),
                task.source.value,
                task.reserve,
                task.callback_url,
                WORKFLOW,
                QUEUE,
                APPLICATION_VERSION,
            )
        except asyncpg.PostgresError as error:
            if getattr(error, "sqlstate", "") != INSUFFICIENT:
                raise
            account = await self.get_account(task.account)
            raise InsufficientCredits(
                f"Insufficient credits: {task.reserve.normalize():f} needed, {account.balance.normalize():f} available",
                needed=task.reserve,
                balance=account.balance,
            ) from None

    async def get_task(self, task_id: TaskId, account: AccountId | None = None) -> Task | None:
        row = await self._row("get_task", task_id, account)
        return _task(row) if row else None

    async def queue_position(self, task_id: TaskId) -> int | None:
        row = await self._row("queue_position", task_id)
        return int(row[0]) if row else None

    async def start_task(self, task_id: TaskId) -> Task | None:
        row = await self._row("start_task", task_id)
        return _task(row) if row else None

    async def set_progress(self, task_id: TaskId, progress: TaskProgress) -> bool:
        row = await self._row(
            "set_progress", task_id, progress.fraction, progress.stage, progress.segment, progress.segments
        )
        return row is not None

    async def reserve_exactly(self, task_id: TaskId, price: Decimal) -> None:
        row = await self._row("reserve_exactly", task_id, price)
        if not row[0]:
            raise InsufficientCredits(
                f"Insufficient credits: the video's exact price is {price.normalize():f}, more than the balance",
                needed=price,
            )

    async def settle(self, task_id: TaskId, status: TaskStatus, result: TaskResult) -> bool:
        document = {
            "code": int(result.code),
            "message": result.message,
            "media_keys": list(result.media_keys),
            "media_info": dict(result.media_info),
        }
        row = await self._row("settle", task_id, status.value, json.dumps(document))
        return bool(row[0])

    async def request_cancel(self, task_id: TaskId, account: AccountId) -> bool:
        return await self._row("request_cancel", task_id, account) is not None

    async def account_for_key(self, key_hash: bytes) -> tuple[Account, ApiKey] | None:
        row = await self._row("account_for_key", key_hash)
        if row is None:
            return None
        account = _account(row)
        key = ApiKey(account=account.id, prefix=row["prefix"], disabled=row["disabled"], created_at=row["created_at"])
        return account, key

    async def get_account(self, account: AccountId) -> Account:
        row = await self._row("get_account", account)
        if row is None:
            raise NotFound(f"There is no account {account}")
        return _account(row)

    async def ensure_account(self, name: str) -> Account:
        return _account(await self._row("ensure_account", name))

    async def grant(self, account: AccountId, credits_granted: Decimal, memo: str) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._queries["grant_entry"], account, credits_granted, memo)
            await connection.execute(self._queries["grant_balance"], account, credits_granted)

    async def add_key(self, account: AccountId, key_hash: bytes, prefix: str) -> None:
        await self._row("add_key", key_hash, account, prefix)

    async def count_keys(self) -> int:
        return int((await self._row("count_keys"))[0])

    async def ledger_differences(self) -> list[tuple[int, Decimal, Decimal]]:
        """Accounts (id, balance, sum of the ledger) whose balance is not what the ledger says."""
        rows = await self._pool.fetch(self._queries["ledger_differences"])
        return [(row["id"], row["balance"], row["ledger_sum"]) for row in rows]

    async def ping(self) -> None:
        await self._row("count_keys")


def _account(row: Mapping[str, Any]) -> Account:
    return Account(id=AccountId(row["id"]), name=row["name"], balance=row["balance"])


def _task(row: Mapping[str, Any]) -> Task:
    result = json.loads(row["result"]) if row["result"] else None
    return Task(
        id=TaskId(UUID(str(row["id"]))),
        account=AccountId(row["account_id"]),
        model=row["model"],
        param=json.loads(row["param"]),
        inputs=json.loads(row["inputs"]),
        status=TaskStatus(row["status"]),
        source=TaskSource(row["source"]),
        credits=row["credits"],
        progress=TaskProgress(
            fraction=row["fraction"], stage=row["stage"], segment=row["segment"], segments=row["segments"]
        ),
        result=TaskResult(
            code=ResultCode(result["code"]),
            message=result["message"],
            media_keys=tuple(result["media_keys"]),
            media_info=result["media_info"],
        )
        if result
        else None,
        cancel_requested=row["cancel_requested"],
        callback_url=row["callback_url"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
    )
