"""Keys and webhook secrets of accounts."""

import base64
import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bodydouble.service.accounts import (
    KEY_PREFIX_LENGTH,
    KEYS_MAX,
    KEYS_SHOWN_MAX,
    ROTATION_SECONDS,
    ROTATIONS_MAX,
    AccountService,
)
from bodydouble.service.callers import Caller
from bodydouble.tasks.account import Account, AccountId, ApiKey, NewApiKey, Scope, hash_api_key
from bodydouble.tasks.errors import InvalidParams, ScopeInsufficient

pytestmark = pytest.mark.anyio
NOW = datetime.now(UTC)
STUDIO = Account(id=AccountId(1), name="studio", balance=Decimal(10))


def stored(key: NewApiKey, number: int = 1) -> ApiKey:
    shown = {name: getattr(key, name) for name in ("prefix", "name", "scope", "expires_at")}
    return ApiKey(id=number, account=STUDIO.id, disabled=False, created_at=NOW, last_used_at=None, **shown)


class Store:
    """Satisfies what the service needs of ``AccountStore``: one account and its keys."""

    def __init__(self) -> None:
        self.account = STUDIO
        self.keys: list[ApiKey] = []
        self.hashes: list[bytes] = []

    async def get_account(self, account: AccountId) -> Account:
        return self.account

    async def list_keys(self, account: AccountId | None) -> list[ApiKey]:
        return self.keys

    async def add_key(self, account: AccountId, key: NewApiKey, keys_max: int) -> ApiKey | None:
        if len(self.keys) >= keys_max:
            return None
        self.keys.append(stored(key, len(self.keys) + 1))
        self.hashes.append(key.key_hash)
        return self.keys[-1]

    async def replace_key(self, account: AccountId, key_id: int, new: NewApiKey, grace_seconds: float) -> ApiKey:
        return stored(new, key_id + 1)

    async def rotate_webhook_secret(self, account: AccountId, remembered_max: int) -> Account:
        known = self.account
        rotations = (datetime.now(UTC), *known.webhook_rotations)
        self.account = dataclasses.replace(
            known, webhook_generation=known.webhook_generation + 1, webhook_rotations=rotations
        )
        return self.account


@pytest.fixture
def store() -> Any:
    return Store()


@pytest.fixture
def service(store: Any) -> AccountService:
    return AccountService(store, b"the secret of an installation")


@pytest.fixture
def owner() -> Caller:
    return Caller(account=STUDIO)


async def test_a_key_is_stored_by_its_hash(service: AccountService, store: Any) -> None:
    """The secret is shown once; the row has its hash and the first characters."""
    made = await service.create_key(STUDIO.id, "render farm", Scope.READ)
    assert store.hashes == [hash_api_key(made.secret)]
    assert (made.key.prefix, made.key.name, made.key.scope) == (
        made.secret[:KEY_PREFIX_LENGTH],
        "render farm",
        Scope.READ,
    )


async def test_all_problems_of_a_key_are_named_at_once(service: AccountService) -> None:
    """Its name and its expiry."""
    with pytest.raises(InvalidParams) as refused:
        await service.create_key(STUDIO.id, "\n", expires_at=NOW - timedelta(seconds=1))
    assert [problem.split(":")[0] for problem in refused.value.problems] == ["name", "expires_at"]


async def test_an_account_has_a_limited_number_of_keys(service: AccountService) -> None:
    """The message says how many, and what to do."""
    for _ in range(KEYS_MAX):
        await service.create_key(STUDIO.id)
    with pytest.raises(InvalidParams, match=f"{KEYS_MAX}; rotate one instead"):
        await service.create_key(STUDIO.id)


async def test_an_expired_key_is_not_rotated(service: AccountService, store: Any, owner: Caller) -> None:
    """Nor is one more where the list is full of keys that expired today."""
    key = (await service.create_key(STUDIO.id)).key
    store.keys = [dataclasses.replace(key, expires_at=NOW)]
    with pytest.raises(InvalidParams, match="create a new key instead"):
        await service.rotate_key(owner, key.id)
    store.keys = [dataclasses.replace(key, id=number) for number in range(KEYS_SHOWN_MAX)]
    with pytest.raises(InvalidParams, match="the maximum"):
        await service.rotate_key(owner, key.id)


async def test_a_key_that_only_reads_changes_nothing(service: AccountService) -> None:
    """Not the keys, and not the webhook secret, which it may not even see."""
    key = dataclasses.replace((await service.create_key(STUDIO.id)).key, scope=Scope.READ)
    reader = Caller(account=STUDIO, key=key)
    for call in (
        service.add_key(reader),
        service.rotate_key(reader, 1),
        service.set_key_disabled(reader, 1, disabled=True),
        service.show_webhook_secret(reader),
        service.rotate_webhook_secret(reader),
    ):
        with pytest.raises(ScopeInsufficient):
            await call


async def test_webhook_secrets_follow_from_the_installations_secret(service: AccountService, store: Any) -> None:
    """32 bytes in base64, the same each time, others for each account, generation and installation."""
    secret = service.webhook_secret(STUDIO)
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert secret == service.webhook_secret(STUDIO)
    others = [
        service.webhook_secret(dataclasses.replace(STUDIO, id=AccountId(2))),
        service.webhook_secret(dataclasses.replace(STUDIO, webhook_generation=2)),
        AccountService(store, b"another installation").webhook_secret(STUDIO),
    ]
    assert len({secret, *others}) == 4


async def test_a_former_secret_signs_for_a_day(service: AccountService, owner: Caller) -> None:
    """The new one is first; after a day it is the only one."""
    before = service.webhook_secret(STUDIO)
    account, new = await service.rotate_webhook_secret(owner)
    assert service.webhook_secrets(account, datetime.now(UTC)) == [new, before]
    assert service.webhook_secrets(account, datetime.now(UTC) + timedelta(seconds=ROTATION_SECONDS)) == [new]


async def test_rotations_of_a_day_are_limited(service: AccountService, owner: Caller) -> None:
    """Every callback carries a signature of each secret."""
    for _ in range(ROTATIONS_MAX):
        await service.rotate_webhook_secret(owner)
    with pytest.raises(InvalidParams, match=f"rotated {ROTATIONS_MAX} times within a day"):
        await service.rotate_webhook_secret(owner)


@pytest.mark.parametrize("cursor", ["x", "-1", "1" * 19, "²"])
async def test_a_strange_cursor_is_refused(service: AccountService, owner: Caller, cursor: str) -> None:
    """It is not passed to the database."""
    with pytest.raises(InvalidParams, match="cursor"):
        await service.ledger(owner, cursor, 10)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
async def test_an_account_needs_a_name(service: AccountService, name: str) -> None:
    """One that can be printed in a line."""
    with pytest.raises(InvalidParams, match="account"):
        await service.open_account(name)
