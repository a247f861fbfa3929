"""Who a key is, and what it may do."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bodydouble.service.callers import Caller, KeyUse, admit, hash_secret
from bodydouble.tasks.account import Account, AccountId, ApiKey, Scope, hash_api_key
from bodydouble.tasks.errors import KeyDisabled, ScopeInsufficient, Unauthenticated

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def account(**changes: Any) -> Account:
    return Account(id=AccountId(1), name="studio", balance=Decimal(10), **changes)


def key(**changes: Any) -> ApiKey:
    plain: dict[str, Any] = {
        "id": 3,
        "account": AccountId(1),
        "name": "",
        "prefix": "ak_123456",
        "scope": Scope.ALL,
        "disabled": False,
        "created_at": NOW,
        "last_used_at": None,
        "expires_at": None,
    }
    return ApiKey(**plain | changes)


def test_a_known_key_is_its_account() -> None:
    """The caller is the account, with the key; one that expires later is admitted too."""
    for known in (key(), key(expires_at=NOW + timedelta(seconds=1))):
        caller = admit((account(), known), lambda: NOW)
        assert (caller.id, caller.key) == (1, known)


@pytest.mark.parametrize(
    ("found", "error", "reason"),
    [
        (None, Unauthenticated, "Missing or invalid"),
        ((account(), key(expires_at=NOW)), Unauthenticated, "expired"),
        ((account(), key(disabled=True)), KeyDisabled, "disabled"),
        ((account(disabled=True), key()), KeyDisabled, "disabled"),
    ],
)
def test_others_are_refused(found: Any, error: type[Exception], reason: str) -> None:
    """Unknown, expired and disabled keys, and keys of disabled accounts, with the reason."""
    with pytest.raises(error, match=reason):
        admit(found, lambda: NOW)


def test_only_a_full_key_may_write() -> None:
    """A key of scope read may not; a session of the console has no key and may."""
    Caller(account=account(), key=key()).require_write()
    Caller(account=account()).require_write()
    with pytest.raises(ScopeInsufficient, match="scope 'all'"):
        Caller(account=account(), key=key(scope=Scope.READ)).require_write()


def test_a_secret_is_looked_up_by_its_hash() -> None:
    """Without a secret there is nothing to look up."""
    assert hash_secret("ak_1") == hash_api_key("ak_1")
    for nothing in ("", None):
        with pytest.raises(Unauthenticated):
            hash_secret(nothing)


def test_uses_are_collected_once_for_each_key() -> None:
    """Taking them empties the collection."""
    uses = KeyUse()
    for used in (b"a", b"b", b"a"):
        uses.note(used)
    assert sorted(uses.take()) == [b"a", b"b"]
    assert uses.take() == []
