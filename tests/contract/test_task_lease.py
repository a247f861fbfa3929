"""What a worker relies on of a task store while it holds a task: PostgreSQL, and the fake of the worker's tests."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import pytest

from bodydouble.store import Database, PostgresAccountStore, PostgresTaskStore
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import InsufficientCredits
from bodydouble.tasks.ports import TaskStore
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import (
    CANCELLED,
    CreateLimits,
    LeaseStatus,
    ResultCode,
    TaskId,
    TaskProgress,
    TaskResult,
    TaskStatus,
)
from fake_ports import TASK_ID, FakePorts
from new_tasks import new_task

pytestmark = pytest.mark.anyio

SUCCESS = TaskResult(code=ResultCode.SUCCESS, message="success")
HALF = TaskProgress(fraction=0.5, stage=Stage.RENDER)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A store with one task of an account that can pay 100 credits for it."""

    store: TaskStore
    task: TaskId
    account: AccountId


@pytest.fixture(params=["postgres", "fake"])
async def lease(request: pytest.FixtureRequest) -> AsyncIterator[Lease]:
    if request.param == "fake":
        yield Lease(store=cast("TaskStore", FakePorts()), task=TASK_ID, account=AccountId(1))
        return
    database = await Database.connect(request.getfixturevalue("empty_database"))
    accounts, store = PostgresAccountStore(database), PostgresTaskStore(database)
    account = (await accounts.ensure_account("tester")).id
    await accounts.grant(account, Decimal(100), "for the test")
    new = new_task(account, 30)
    await store.create_task(new, CreateLimits())
    yield Lease(store=store, task=new.id, account=account)
    assert await accounts.ledger_differences() == []
    await database.close()


async def test_an_executor_that_starts_a_task_holds_it(lease: Lease) -> None:
    """The last executor that started a task reports its progress; an earlier one learns that it lost the task."""
    for executor in ("one", "two"):
        started = await lease.store.start_task(lease.task, executor)
        assert started is not None
        assert started.status is TaskStatus.RUNNING
    assert await lease.store.set_progress(lease.task, "one", HALF) is LeaseStatus.LOST
    assert await lease.store.set_progress(lease.task, "two", HALF) is LeaseStatus.HELD


async def test_a_cancelled_task_says_so_at_the_next_progress(lease: Lease) -> None:
    """The executor that holds the task learns of the cancel from its own report."""
    await lease.store.start_task(lease.task, "one")
    assert await lease.store.request_cancel(lease.task, lease.account) is TaskStatus.RUNNING
    assert await lease.store.set_progress(lease.task, "one", HALF) is LeaseStatus.CANCELLED


async def test_an_exact_price_is_reserved_up_to_the_balance(lease: Lease) -> None:
    """A price that the account cannot pay is refused."""
    await lease.store.start_task(lease.task, "one")
    await lease.store.reserve_exactly(lease.task, Decimal(100))
    with pytest.raises(InsufficientCredits):
        await lease.store.reserve_exactly(lease.task, Decimal("100.5"))


async def test_a_task_is_settled_once_by_its_executor(lease: Lease) -> None:
    """Another executor cannot settle it; afterwards it cannot be started, cancelled, continued or settled again."""
    await lease.store.start_task(lease.task, "one")
    assert not await lease.store.settle(lease.task, TaskStatus.SUCCESS, SUCCESS, "two")
    assert await lease.store.settle(lease.task, TaskStatus.SUCCESS, SUCCESS, "one")
    assert not await lease.store.settle(lease.task, TaskStatus.FAILED, CANCELLED, None)
    assert await lease.store.start_task(lease.task, "two") is None
    assert await lease.store.request_cancel(lease.task, lease.account) is None
    assert await lease.store.set_progress(lease.task, "one", HALF) is LeaseStatus.LOST
