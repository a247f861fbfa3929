"""What every account store does; here on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bodydouble.service import AccountService
from bodydouble.store import Database, PostgresAccountStore, PostgresTaskStore
from bodydouble.tasks.account import AccountId, NewApiKey
from bodydouble.tasks.errors import InvalidParams, NotFound
from bodydouble.tasks.task import CreateLimits, TaskId
from new_tasks import new_task

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(empty_database: str) -> AsyncIterator[Database]:
    database = await Database.connect(empty_database)
    yield database
    await database.close()


@pytest.fixture
def accounts(database: Database) -> PostgresAccountStore:
    return PostgresAccountStore(database)


async def test_concurrent_requests_do_not_exceed_the_limit_of_keys(accounts: PostgresAccountStore) -> None:
    """Of ten keys that are added at the same time to a limit of three, three are stored."""
    account = (await accounts.ensure_account("studio")).id
    keys = [NewApiKey(key_hash=bytes([number]), prefix="ak_") for number in range(10)]
    added = await asyncio.gather(*(accounts.add_key(account, key, 3) for key in keys))
    assert sum(key is not None for key in added) == len(await accounts.list_keys(account)) == 3


async def test_keys_that_ended_do_not_count(accounts: PostgresAccountStore) -> None:
    """An expired key leaves room for another one."""
    account = (await accounts.ensure_account("studio")).id
    ended = NewApiKey(key_hash=b"a", prefix="ak_", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert await accounts.add_key(account, ended, 1) is not None
    assert await accounts.add_key(account, NewApiKey(key_hash=b"b", prefix="ak_"), 1) is not None
    assert await accounts.add_key(account, NewApiKey(key_hash=b"c", prefix="ak_"), 1) is None


async def test_the_limit_of_keys_holds_for_every_way_to_make_one(
    accounts: PostgresAccountStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The console's form and the operator's command use ``create_key``, which refuses the key beyond the limit."""
    monkeypatch.setattr("bodydouble.service.accounts.KEYS_MAX", 1)
    service, account = AccountService(accounts, b"secret"), await accounts.ensure_account("studio")
    await service.create_key(account.id, "first")
    with pytest.raises(InvalidParams, match="at most 1"):
        await service.create_key(account.id, "second")


async def test_a_task_keeps_the_label_that_its_account_had_at_the_create(
    database: Database, accounts: PostgresAccountStore
) -> None:
    """Each of two accounts has its own label; a later change applies to later tasks."""
    labelled, other = await accounts.ensure_account("labelled"), await accounts.ensure_account("other")
    assert (labelled.label, (await accounts.set_label(labelled.id, "eu")).label) == ("none", "eu")
    tasks = PostgresTaskStore(database)

    async def create(account: AccountId) -> str:
        new = new_task(account)
        await tasks.create_task(new, CreateLimits())
        ids.append(new.id)
        return await label_of(new.id)

    async def label_of(task_id: TaskId) -> str:
        task = await tasks.get_task(task_id)
        assert task is not None
        return task.account_label

    ids: list[TaskId] = []
    assert [await create(labelled.id), await create(other.id)] == ["eu", "none"]
    await accounts.set_label(labelled.id, "both")
    assert [await label_of(ids[0]), await create(labelled.id)] == ["eu", "both"]
    await tasks.close()


async def test_only_an_account_that_exists_gets_a_label(accounts: PostgresAccountStore) -> None:
    """An unknown account is an error."""
    with pytest.raises(NotFound):
        await accounts.set_label(AccountId(404), "eu")
