"""What every account store does; here on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bodydouble.service import AccountService
from bodydouble.store import Database, PostgresAccountStore
from bodydouble.tasks.account import NewApiKey
from bodydouble.tasks.errors import InvalidParams

pytestmark = pytest.mark.anyio


@pytest.fixture
async def accounts(empty_database: str) -> AsyncIterator[PostgresAccountStore]:
    database = await Database.connect(empty_database)
    yield PostgresAccountStore(database)
    await database.close()


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
