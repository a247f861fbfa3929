"""What every delivery store does: PostgreSQL, and the fake of the tests of callback delivery."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest

from bodydouble.store import Database, PostgresAccountStore, PostgresDeliveryStore, PostgresTaskStore
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.delivery import WAIT_SECONDS_MAX, DeliveryStatus, DeliveryTry, Outcome
from bodydouble.tasks.ports import DeliveryStore
from bodydouble.tasks.task import CANCELLED, CreateLimits, TaskStatus
from deliveries import MemoryStore
from new_tasks import new_task

pytestmark = pytest.mark.anyio

FAILED = DeliveryTry(http_status=500, error=None, milliseconds=5, outcome=Outcome.RETRY)
URL = "https://receiver.example/hook"


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """A store, and what adds a due delivery of an account (0 or 1) to it."""

    store: DeliveryStore
    add: Callable[[int], Awaitable[AccountId]]


@pytest.fixture(params=["postgres", "fake"])
async def deliveries(request: pytest.FixtureRequest) -> AsyncIterator[Deliveries]:
    if request.param == "fake":
        memory = MemoryStore()

        async def add_to_memory(number: int) -> AccountId:
            memory.add(URL, AccountId(number))
            return AccountId(number)

        yield Deliveries(store=cast("DeliveryStore", memory), add=add_to_memory)
        return
    database = await Database.connect(request.getfixturevalue("empty_database"))
    accounts, tasks = PostgresAccountStore(database), PostgresTaskStore(database)

    async def add(number: int) -> AccountId:
        account = (await accounts.ensure_account(f"account {number}")).id
        new = new_task(account, callback_url=URL)
        await tasks.create_task(new, CreateLimits())
        await tasks.settle(new.id, TaskStatus.FAILED, CANCELLED, None)
        return account

    yield Deliveries(store=PostgresDeliveryStore(database), add=add)
    await database.close()


async def test_a_claimed_delivery_is_leased(deliveries: Deliveries) -> None:
    """Nobody else gets it until its lease ends; then it is due again."""
    await deliveries.add(0)
    (claimed,) = await deliveries.store.claim_deliveries(10, 60)
    assert (claimed.url, claimed.tries, claimed.status) == (URL, 0, DeliveryStatus.PENDING)
    assert await deliveries.store.claim_deliveries(10, 60) == []


async def test_a_lease_that_ended_is_given_out_again(deliveries: Deliveries) -> None:
    """A process that died during a try records nothing; the delivery is due once its lease is over."""
    await deliveries.add(0)
    (first,) = await deliveries.store.claim_deliveries(10, 0)
    (second,) = await deliveries.store.claim_deliveries(10, 60)
    assert first.id == second.id


async def test_a_limit_and_skipped_accounts_hold(deliveries: Deliveries) -> None:
    """At most ``limit`` deliveries, and none of ``skip_accounts``."""
    busy, other = await deliveries.add(0), await deliveries.add(1)
    await deliveries.add(1)
    (claimed,) = await deliveries.store.claim_deliveries(1, 60, [busy])
    assert claimed.account == other


@pytest.mark.parametrize(
    ("status", "seconds", "due"),
    [
        (DeliveryStatus.PENDING, -1, True),
        (DeliveryStatus.PENDING, 60, False),
        (DeliveryStatus.PENDING, 2 * WAIT_SECONDS_MAX, True),  # the clock was set back
        (DeliveryStatus.DELIVERED, None, False),
        (DeliveryStatus.EXHAUSTED, None, False),
    ],
)
async def test_a_recorded_try_says_when_the_next_is_due(
    deliveries: Deliveries, status: DeliveryStatus, seconds: float | None, due: bool
) -> None:
    """Only a pending delivery is tried again, at its time, with its tries counted."""
    await deliveries.add(0)
    (claimed,) = await deliveries.store.claim_deliveries(10, 60)
    next_try = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
    await deliveries.store.record_try(cast("UUID", claimed.id), FAILED, next_try, status)
    again = await deliveries.store.claim_deliveries(10, 60)
    assert [delivery.tries for delivery in again] == ([1] if due else [])
