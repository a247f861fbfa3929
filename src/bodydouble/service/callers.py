"""Authenticated callers and their permissions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bodydouble.tasks.account import Account, AccountId, ApiKey, Scope, hash_api_key
from bodydouble.tasks.errors import KeyDisabled, ScopeInsufficient, Unauthenticated


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An authenticated caller. ``key`` is None for a session of the console."""

    account: Account
    key: ApiKey | None = None

    @property
    def id(self) -> AccountId:
        """The account's id."""
        return self.account.id

    def require_write(self) -> None:
        """Raises ScopeInsufficient if the key may only read."""
        if self.key is not None and self.key.scope is not Scope.ALL:
            raise ScopeInsufficient("This API key may only read; use a key of scope 'all'")


class KeyUse:
    """Keys used since the last ``take``. Collecting them saves a write for every request."""

    def __init__(self) -> None:
        self._used: set[bytes] = set()

    def note(self, key_hash: bytes) -> None:
        """Record a use of this key."""
        self._used.add(key_hash)

    def take(self) -> list[bytes]:
        """The keys used since the last call."""
        used, self._used = self._used, set()
        return list(used)


def admit(found: tuple[Account, ApiKey] | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Caller:
    """The caller of a key that was looked up.

    Raises:
        Unauthenticated: no such key, or expired. KeyDisabled: the key or its account is disabled.
    """
    if found is None:
        raise Unauthenticated("Missing or invalid API key")
    account, key = found
    if key.has_ended(now()):
        raise Unauthenticated("This API key has expired")
    if key.disabled or account.disabled:
        raise KeyDisabled("This API key, or its account, is disabled")
    return Caller(account=account, key=key)


def hash_secret(secret: str | None) -> bytes:
    """The hash of a key. Raises Unauthenticated without a key."""
    if not secret:
        raise Unauthenticated("Missing or invalid API key")
    return hash_api_key(secret)
