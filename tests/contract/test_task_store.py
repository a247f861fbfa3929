"""What every task store does; here on PostgreSQL."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import new_tasks
from bodydouble.store import Database, PostgresAccountStore, PostgresTaskStore
from bodydouble.tasks.account import AccountId, NewApiKey, hash_api_key, make_api_key
from bodydouble.tasks.errors import InsufficientCredits, NotFound, ResultNotStorable, StorageUnavailable
from bodydouble.tasks.queue import APPLICATION_VERSION, QUEUE, WORKFLOW
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import (
    CreateLimits,
    LeaseStatus,
    NewTask,
    ResultCode,
    TaskId,
    TaskProgress,
    TaskResult,
    TaskStatus,
)

pytestmark = pytest.mark.anyio

SUCCESS = TaskResult(
    code=ResultCode.SUCCESS, message="success", media_keys=("results/a/b.mp4",), media_info={"renderer": "puppet"}
)
FAILURE = TaskResult(code=ResultCode.GENERATION_FAILED, message="the child process died three times")


LIMITS = CreateLimits(creates_per_minute=1000, active_max=1000)
EXECUTOR = "one:/work"


@pytest.fixture
async def database(empty_database: str) -> AsyncIterator[Database]:
    database = await Database.connect(empty_database)
    yield database
    assert await PostgresAccountStore(database).ledger_differences() == [], "everything agrees with the ledger"
    await database.close()


@pytest.fixture
async def store(database: Database) -> AsyncIterator[PostgresTaskStore]:
    store = PostgresTaskStore(database)
    yield store
    await store.close()


@pytest.fixture
def accounts(database: Database) -> PostgresAccountStore:
    return PostgresAccountStore(database)


@pytest.fixture
async def account(accounts: PostgresAccountStore) -> AccountId:
    """An account with 100 credits."""
    made = await accounts.ensure_account("tester")
    await accounts.grant(made.id, Decimal(100), "for the test")
    return made.id


def new_task(account: AccountId, reserve: str = "30", **changes: Any) -> NewTask:
    given = {
        "param": {"model": "wan/2-2-animate-replace", "input": {"prompt": "“ü” 人"}},
        "inputs": {"resolution": "480P", "person": [0.25, 0.5]},
    }
    return new_tasks.new_task(account, reserve, **given | changes)


async def balance(accounts: PostgresAccountStore, account: AccountId) -> Decimal:
    return (await accounts.get_account(account)).balance


async def test_a_created_task_reads_back_as_it_was_given(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """A task is stored whole: pending, with its parameters, and its credits reserved."""
    new = new_task(account, "12.5", callback_url="https://example.com/hook")
    await store.create_task(new, LIMITS)
    task = await store.get_task(new.id)
    assert task is not None
    assert (task.param, task.inputs, task.callback_url) == (new.param, new.inputs, new.callback_url)
    assert (task.status, task.credits, task.progress.stage) == (TaskStatus.PENDING, Decimal("12.5"), "queued")
    assert (task.result, task.started_at, task.completed_at, task.cancel_requested) == (None, None, None, False)
    assert await balance(accounts, account) == Decimal("87.5")


async def test_a_created_task_is_in_the_queue(
    store: PostgresTaskStore, account: AccountId, empty_database: str
) -> None:
    """The engine's row is made in the same transaction, under the names that the worker listens for."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    with psycopg.connect(empty_database) as connection:
        row = connection.execute(
            "select workflow_uuid, name, queue_name, application_version, status, i.inputs::jsonb "
            "from dbos.workflow_status join dbos.workflow_input as i using (workflow_uuid)"
        ).fetchone()
    assert row is not None
    assert row[:5] == (str(new.id), WORKFLOW, QUEUE, APPLICATION_VERSION, "ENQUEUED")
    assert row[5]["positionalArgs"] == [str(new.id)]


async def test_what_cannot_be_paid_leaves_nothing_behind(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId, empty_database: str
) -> None:
    """A task beyond the balance is refused with both amounts, and neither stored nor queued."""
    new = new_task(account, "100.5")
    with pytest.raises(InsufficientCredits, match=r"100\.5 needed, 100 available"):
        await store.create_task(new, LIMITS)
    assert await store.get_task(new.id) is None
    assert await balance(accounts, account) == 100
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select count(*) from dbos.workflow_status").fetchone() == (0,)


async def test_parallel_creates_never_overdraw(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """Of ten tasks of 30 credits at once, 100 credits pay for three."""
    outcomes = await asyncio.gather(
        *(store.create_task(new_task(account), LIMITS) for _ in range(10)), return_exceptions=True
    )
    refused = [o for o in outcomes if isinstance(o, InsufficientCredits)]
    assert (len(refused), len(outcomes)) == (7, 10)
    assert await balance(accounts, account) == 10


async def test_creates_that_come_together_have_their_own_outcomes(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """What is refused or replayed undoes none of the others."""
    other = (await accounts.ensure_account("other")).id
    first = new_task(account, "10", idempotency_key="once", body_hash=b"a")
    outcomes = await asyncio.gather(
        store.create_task(new_task(account, "10"), LIMITS),
        store.create_task(first, LIMITS),
        store.create_task(new_task(account, "10", idempotency_key="once", body_hash=b"a"), LIMITS),
        store.create_task(new_task(account, "10", idempotency_key="once", body_hash=b"b"), LIMITS),
        store.create_task(new_task(other, "1"), LIMITS),
        store.create_task(new_task(account, "10", key_hash=b"nobody's"), LIMITS),
        store.create_task(new_task(account, "10"), CreateLimits(creates_per_minute=1000, active_max=1)),
        store.create_task(new_task(account, "10"), LIMITS),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Created", "Created", "Created", "IdempotencyConflict", "InsufficientCredits", "Unauthenticated",
        "RateLimited", "Created",
    ]  # fmt: skip
    assert outcomes[2].id == first.id  # pyright: ignore[reportAttributeAccessIssue]
    assert await balance(accounts, account) == 70


async def test_what_cannot_be_stored_harms_no_other_create(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """A fault of one create, which ends its transaction, leaves those that came with it to be made."""
    outcomes = await asyncio.gather(
        *(store.create_task(new_task(account, reserve), LIMITS) for reserve in ("10", "10", "-1", "10")),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes] == ["Created", "Created", "CheckViolationError", "Created"]
    assert await balance(accounts, account) == 70


async def test_two_processes_agree_on_who_was_first(
    empty_database: str, store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """The same keys at once in two processes, in opposite orders: every create is answered, each key has one task."""
    across = await Database.connect(empty_database)
    try:
        keys = [f"once {k}" for k in range(60)]
        stores = (store, PostgresTaskStore(across))
        orders = [
            one.create_task(new_task(account, "1", idempotency_key=key, body_hash=b"a"), LIMITS)
            for key, back in zip(keys, reversed(keys), strict=True)
            for one, key in ((stores[0], key), (stores[1], back))
        ]
        created = await asyncio.gather(*orders)
        assert len({one.id for one in created}) == len(keys)
        assert await balance(accounts, account) == 100 - len(keys)
    finally:
        await across.close()


async def test_a_foreign_task_is_not_there(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """One account does not see another's task, nor can it cancel it."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    other = (await accounts.ensure_account("other")).id
    assert await store.get_task(new.id, other) is None
    assert await store.request_cancel(new.id, other) is None
    assert await store.get_task(TaskId(uuid4())) is None


async def test_the_queue_position_counts_older_pending_tasks(store: PostgresTaskStore, account: AccountId) -> None:
    """Position 0 is next; a task that runs has none."""
    first, second = new_task(account), new_task(account)
    await store.create_task(first, LIMITS)
    await store.create_task(second, LIMITS)
    assert [await store.queue_position(t.id) for t in (first, second)] == [0, 1]
    await store.start_task(first.id, EXECUTOR)
    assert [await store.queue_position(t.id) for t in (first, second)] == [None, 0]


async def test_starting_again_keeps_the_first_start(store: PostgresTaskStore, account: AccountId) -> None:
    """A task taken over by another worker goes on running, and its execution time counts from the first start."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    first, second = await store.start_task(new.id, EXECUTOR), await store.start_task(new.id, EXECUTOR)
    assert first is not None
    assert second is not None
    assert second.status is TaskStatus.RUNNING
    assert first.started_at == second.started_at is not None


async def test_progress_only_grows(store: PostgresTaskStore, account: AccountId) -> None:
    """Progress reported late does not take the task back."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    await store.start_task(new.id, EXECUTOR)
    sixty = TaskProgress(fraction=0.6, stage=Stage.RENDER, segment=2, segments=4)
    assert await store.set_progress(new.id, EXECUTOR, sixty) is LeaseStatus.HELD
    early = TaskProgress(fraction=0.2, stage=Stage.PERCEIVE)
    assert await store.set_progress(new.id, EXECUTOR, early) is LeaseStatus.HELD
    task = await store.get_task(new.id)
    assert task is not None
    assert task.progress == sixty


async def test_success_charges_what_was_reserved(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """A successful task keeps its credits and shows its result."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    await store.start_task(new.id, EXECUTOR)
    assert await store.settle(new.id, TaskStatus.SUCCESS, SUCCESS, None)
    task = await store.get_task(new.id)
    assert task is not None
    assert (task.status, task.credits, task.result, task.progress.fraction) == (
        TaskStatus.SUCCESS, Decimal(30), SUCCESS, 1.0,
    )  # fmt: skip
    assert task.completed_at is not None
    assert await balance(accounts, account) == 70


async def test_failure_gives_the_credits_back(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """A failed task costs nothing."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    assert await store.settle(new.id, TaskStatus.FAILED, FAILURE, None)
    task = await store.get_task(new.id)
    assert task is not None
    assert (task.status, task.credits, task.result) == (TaskStatus.FAILED, Decimal(0), FAILURE)
    assert await balance(accounts, account) == 100


async def test_a_result_that_postgresql_refuses_settles_nothing(store: PostgresTaskStore, account: AccountId) -> None:
    """The caller learns that no attempt helps, and can settle the task with another result."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    for text in ("ev\0il", "\ud800"):
        unusable = dataclasses.replace(SUCCESS, media_info={"generator": text})
        with pytest.raises(ResultNotStorable):
            await store.settle(new.id, TaskStatus.SUCCESS, unusable, None)
    assert await store.settle(new.id, TaskStatus.FAILED, FAILURE, None)


async def test_a_task_is_settled_once(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """Of many settlements at once exactly one counts, and the credits are given back once."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    outcomes = await asyncio.gather(
        *(store.settle(new.id, TaskStatus.FAILED, FAILURE, None) for _ in range(5)),
        *(store.settle(new.id, TaskStatus.SUCCESS, SUCCESS, None) for _ in range(5)),
    )
    assert sum(outcomes) == 1
    task = await store.get_task(new.id)
    assert task is not None
    assert await balance(accounts, account) == (70 if task.status is TaskStatus.SUCCESS else 100)


async def test_nothing_moves_a_settled_task(store: PostgresTaskStore, account: AccountId) -> None:
    """Start, progress, cancel and a new price all leave a finished task as it is."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    await store.settle(new.id, TaskStatus.SUCCESS, SUCCESS, None)
    before = await store.get_task(new.id)
    assert await store.start_task(new.id, EXECUTOR) is None
    assert (
        await store.set_progress(new.id, EXECUTOR, TaskProgress(fraction=0.5, stage=Stage.RENDER)) is LeaseStatus.LOST
    )
    assert await store.request_cancel(new.id, account) is None
    await store.reserve_exactly(new.id, Decimal(1))
    assert await store.get_task(new.id) == before


@pytest.mark.parametrize(("exact", "left"), [("12.5", "87.5"), ("30", "70"), ("100", "0")])
async def test_the_exact_price_replaces_the_estimate(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId, exact: str, left: str
) -> None:
    """Less, the same or more: the balance is what it would be had the exact price been reserved at once."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    await store.reserve_exactly(new.id, Decimal(exact))
    await store.reserve_exactly(new.id, Decimal(exact))  # a repeated step changes nothing
    assert await balance(accounts, account) == Decimal(left)


async def test_an_exact_price_beyond_the_balance_changes_nothing(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """Where the exact price cannot be paid the estimate stays reserved until the task is settled."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    with pytest.raises(InsufficientCredits, match=r"exact price is 100\.5"):
        await store.reserve_exactly(new.id, Decimal("100.5"))
    assert await balance(accounts, account) == 70


async def test_a_cancel_stops_a_running_task_at_its_next_progress(store: PostgresTaskStore, account: AccountId) -> None:
    """The worker learns of a cancel when it reports progress."""
    new = new_task(account)
    await store.create_task(new, LIMITS)
    await store.start_task(new.id, EXECUTOR)
    assert await store.request_cancel(new.id, account)
    assert (
        await store.set_progress(new.id, EXECUTOR, TaskProgress(fraction=0.5, stage=Stage.RENDER))
        is LeaseStatus.CANCELLED
    )
    task = await store.get_task(new.id)
    assert task is not None
    assert task.cancel_requested


async def test_a_key_leads_to_its_account(
    store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId
) -> None:
    """A key is found by its hash only, and an unknown one not at all."""
    secret = make_api_key()
    assert await accounts.count_keys() == 0
    await accounts.add_key(account, NewApiKey(key_hash=hash_api_key(secret), prefix=secret[:9]), 100)
    found = await accounts.account_for_key(hash_api_key(secret))
    assert found is not None
    assert (found[0].id, found[1].prefix, found[1].disabled) == (account, secret[:9], False)
    assert await accounts.account_for_key(hash_api_key(make_api_key())) is None
    assert await accounts.count_keys() == 1


async def test_accounts_of_one_name_are_one(store: PostgresTaskStore, accounts: PostgresAccountStore) -> None:
    """Asking twice, or many at once, makes an account once."""
    made = await asyncio.gather(*(accounts.ensure_account("same") for _ in range(8)))
    assert len({a.id for a in made}) == 1


async def test_an_unknown_account_is_said_to_be_unknown(
    store: PostgresTaskStore, accounts: PostgresAccountStore
) -> None:
    """Reading an account that was never made is an error, not a zero."""
    with pytest.raises(NotFound, match="999"):
        await accounts.get_account(AccountId(999))


async def test_credits_are_exact(store: PostgresTaskStore, accounts: PostgresAccountStore, account: AccountId) -> None:
    """Ten times a tenth is one."""
    for _ in range(10):
        await accounts.grant(account, Decimal("0.1"), "a tenth")
    assert await balance(accounts, account) == 101


async def test_a_lost_database_is_said_to_be_lost(empty_database: str) -> None:
    """A server that does not respond is StorageUnavailable, at connection."""
    gone = empty_database.split("host=")[0] + "host=/nonexistent"
    with pytest.raises(StorageUnavailable, match="does not respond"):
        await Database.connect(gone)
