"""Who is calling, and what they may do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bodydouble.tasks.account import Account, AccountId, ApiKey, Scope, hash_api_key
from bodydouble.tasks.errors import KeyDisabled, ScopeInsufficient, Unauthenticated


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody known. ``key`` is None for those who came another way than with a key."""

    account: Account
    key: ApiKey | None = None

    @property
    def id(self) -> AccountId:
        """The account's id."""
        return self.account.id

    def require_write(self) -> None:
        """Raises ScopeInsufficient where the key may only read."""
        if self.key is not None and self.key.scope is not Scope.ALL:
            raise ScopeInsufficient("This API key may only read; this takes a key of scope 'all'")


class KeyUse:
    """Which keys were used, gathered so that a read costs no write; ``flush`` hands them over now and then."""

    def __init__(self) -> None:
        self._used: set[bytes] = set()

    def note(self, key_hash: bytes) -> None:
        """This key was used."""
        self._used.add(key_hash)

    def take(self) -> list[bytes]:
        """The keys used since the last time."""
        used, self._used = self._used, set()
        return list(used)


def admit(found: tuple[Account, ApiKey] | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Caller:
    """The caller that a looked-up key stands for.

    Raises:
        Unauthenticated: no such key, or expired. KeyDisabled: the key or its account is switched off.
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
    """The hash to look a presented key up by. Raises Unauthenticated where there is none."""
    if not secret:
        raise Unauthenticated("Missing or invalid API key")
    return hash_api_key(secret)
