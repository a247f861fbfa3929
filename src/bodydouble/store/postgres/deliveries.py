"""Callbacks and their tries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bodydouble.store.postgres.database import Database
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.delivery import (
    WAIT_SECONDS_MAX,
    Delivery,
    DeliveryLog,
    DeliveryStatus,
    DeliveryTry,
    LoggedTry,
)
from bodydouble.tasks.task import TaskId


class PostgresDeliveryStore:
    """Satisfies ``tasks.ports.DeliveryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_deliveries(
        self, limit: int, lease_seconds: float, skip_accounts: Sequence[AccountId] = ()
    ) -> list[Delivery]:
        await self._database.row("hasten_deliveries", max(WAIT_SECONDS_MAX, lease_seconds))
        rows = await self._database.rows("claim_deliveries", limit, lease_seconds, list(skip_accounts))
        return sorted((_delivery(row) for row in rows), key=lambda d: d.created_at)

    async def record_try(
        self, delivery_id: UUID, tried: DeliveryTry, next_try_at: datetime | None, status: DeliveryStatus
    ) -> None:
        async with self._database.transaction() as transaction:
            await transaction.row("log_try", delivery_id, tried.http_status, tried.error, tried.milliseconds)
            await transaction.row("after_try", delivery_id, next_try_at, status.value)
            await transaction.row("count_value", "callback", tried.outcome.value, tried.milliseconds / 1000)

    async def deliveries(self, task_id: TaskId) -> list[DeliveryLog]:
        rows = await self._database.rows("deliveries", task_id)
        tries: dict[UUID, list[LoggedTry]] = {}
        for row in await self._database.rows("delivery_tries", task_id):
            logged = LoggedTry(
                at=row["at"], http_status=row["http_status"], error=row["error"], milliseconds=row["milliseconds"]
            )
            tries.setdefault(UUID(str(row["delivery_id"])), []).append(logged)
        found = [_delivery(row) for row in rows]
        return [DeliveryLog(delivery=d, tries=tries.get(d.id, [])) for d in found]

    async def resend(self, task_id: TaskId) -> UUID | None:
        row = await self._database.row("resend", task_id)
        return UUID(str(row["id"])) if row else None


def _delivery(row: Mapping[str, Any]) -> Delivery:
    status = DeliveryStatus(row["status"])
    return Delivery(
        id=UUID(str(row["id"])),
        task=TaskId(UUID(str(row["task_id"]))),
        account=AccountId(row["account_id"]),
        url=row["url"],
        status=status,
        tries=row["tries"],
        next_try_at=row["next_try_at"] if status is DeliveryStatus.PENDING else None,
        created_at=row["created_at"],
        delivered_at=row["delivered_at"],
        traceparent=row["traceparent"],
    )
