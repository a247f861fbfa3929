"""Authenticated callers and their permissions."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bodydouble.tasks.account import Account, AccountId, ApiKey, Scope, hash_api_key
from bodydouble.tasks.errors import KeyDisabled, ScopeInsufficient, Unauthenticated

RECENT_SECONDS = 60.0
RECENT_KEYS_MAX = 10_000
"""Time for which a verified key counts as valid, and the number of keys that are remembered."""


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


class RecentKeys:
    """Keys that were valid within the last ``RECENT_SECONDS`` at this process.

    A request with such a key may be parsed before its key is checked with everything else, in one round trip.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._valid_until = OrderedDict[bytes, float]()  # soonest first

    def note(self, key_hash: bytes) -> None:
        """Record that this key is valid now."""
        self._valid_until[key_hash] = self._clock() + RECENT_SECONDS
        self._valid_until.move_to_end(key_hash)
        if len(self._valid_until) > RECENT_KEYS_MAX:
            self._valid_until.popitem(last=False)

    def __contains__(self, key_hash: bytes) -> bool:
        return self._valid_until.get(key_hash, 0.0) > self._clock()


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
