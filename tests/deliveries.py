"""Deliveries in memory, and a dispatcher that sends them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from bodydouble.outbound import CallbackSender, GuardedClient, RequestLimits, parse_networks
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.delivery import WAIT_SECONDS_MAX, CallbackMessage, Delivery, DeliveryStatus, DeliveryTry
from bodydouble.tasks.task import TaskId
from bodydouble.worker.duties.callback_delivery import CallbackDispatcher, DispatchOptions

SECRET = "whsec_" + "c2VjcmV0" * 4
ALICE, BOB = AccountId(1), AccountId(2)
OPTIONS = DispatchOptions(
    poll_seconds=0.01, retry_first_seconds=0.01, retry_factor=1, outage_seconds_max=0.02, drain_seconds_max=0.2
)


@dataclass
class MemoryStore:
    """A delivery store in memory; implements the port."""

    rows: dict[UUID, Delivery] = field(default_factory=dict[UUID, Delivery])
    log: dict[UUID, list[DeliveryTry]] = field(default_factory=dict[UUID, list[DeliveryTry]])
    faults: list[Exception] = field(default_factory=list[Exception])  # raised by the next calls
    claims: Counter[UUID] = field(default_factory=Counter[UUID])

    def add(self, url: str, account: AccountId = ALICE) -> UUID:
        """Add a delivery that is due now."""
        now = datetime.now(UTC)
        row = Delivery(
            id=uuid4(),
            task=TaskId(uuid4()),
            account=account,
            url=url,
            status=DeliveryStatus.PENDING,
            tries=0,
            next_try_at=now,
            created_at=now,
            delivered_at=None,
        )
        self.rows[row.id] = row
        self.log[row.id] = []
        return row.id

    async def claim_deliveries(
        self, limit: int, lease_seconds: float, skip_accounts: Sequence[AccountId] = ()
    ) -> Sequence[Delivery]:
        """The oldest due deliveries."""
        self._fail()
        now = datetime.now(UTC)
        due = [
            row
            for row in self.rows.values()
            if row.next_try_at is not None
            and row.account not in skip_accounts
            and not now < row.next_try_at <= now + timedelta(seconds=WAIT_SECONDS_MAX)
        ]
        found = sorted(due, key=lambda row: row.next_try_at or now)[:limit]
        for row in found:
            self.rows[row.id] = replace(row, next_try_at=now + timedelta(seconds=lease_seconds))
        self.claims.update(row.id for row in found)
        return found

    async def record_try(
        self, delivery_id: UUID, tried: DeliveryTry, next_try_at: datetime | None, status: DeliveryStatus
    ) -> None:
        """Log and count one try."""
        self._fail()
        row = self.rows[delivery_id]
        self.log[delivery_id].append(tried)
        self.rows[delivery_id] = replace(row, status=status, tries=row.tries + 1, next_try_at=next_try_at)

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

    async def until(self, *statuses: DeliveryStatus) -> None:
        """Wait until every delivery has one of these statuses."""
        await until(lambda: all(row.status in statuses for row in self.rows.values()))


async def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds, for at most a minute."""
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.005)


async def message_of(delivery: Delivery) -> CallbackMessage | None:
    """A body that names its task, signed with the same secret for all accounts."""
    return CallbackMessage(body=json.dumps({"task_id": str(delivery.task)}).encode(), secrets=[SECRET])


def make_dispatcher(store: MemoryStore, options: DispatchOptions = OPTIONS, **parts: Any) -> CallbackDispatcher:
    """A dispatcher that may call loopback addresses."""
    sender = CallbackSender(GuardedClient(parse_networks("127.0.0.0/8")), RequestLimits(seconds_max=30))
    return CallbackDispatcher(
        store,  # pyright: ignore[reportArgumentType]
        parts.get("transport", sender),
        parts.get("message_of", message_of),
        options,
    )


@asynccontextmanager
async def working(dispatcher: CallbackDispatcher) -> AsyncIterator[None]:
    """Run the dispatcher during the block; afterwards it must stop on request."""
    stop = asyncio.Event()
    task = asyncio.create_task(dispatcher.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await task
