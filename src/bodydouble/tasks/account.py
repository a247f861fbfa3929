"""Accounts and API keys."""

import enum
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NewType

AccountId = NewType("AccountId", int)
API_KEY_PATTERN = re.compile(r"ak_[0-9a-f]{32}\Z")


class Scope(enum.StrEnum):
    """What a key may do."""

    ALL = "all"
    READ = "read"  # no create, cancel, delete or key management


@dataclass(frozen=True, kw_only=True)
class Account:
    """The owner of keys, tasks and credits."""

    id: AccountId
    name: str
    balance: Decimal  # credits that are neither spent nor reserved
    reserved: Decimal = Decimal(0)  # credits of active tasks
    active: int = 0  # tasks that have not ended
    disabled: bool = False
    creates_per_minute: int | None = None  # None: the installation's setting
    active_max: int | None = None
    label: str = "none"  # visible, on results of tasks created from now on; none, eu, china or both
    webhook_generation: int = 1  # rotations of the webhook secret, plus one
    webhook_rotations: tuple[datetime, ...] = ()  # times of recent rotations, newest first


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A stored key, without its secret."""

    id: int
    account: AccountId
    name: str
    prefix: str  # the first characters, to recognise a key in lists
    scope: Scope
    disabled: bool
    created_at: datetime
    last_used_at: datetime | None  # to the minute
    expires_at: datetime | None

    def has_ended(self, now: datetime) -> bool:
        """Whether the key has expired."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, kw_only=True)
class NewApiKey:
    """A key to store."""

    key_hash: bytes
    prefix: str
    name: str = ""
    scope: Scope = Scope.ALL
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Rate:
    """State of a rate limit: ``left`` of ``maximum`` per ``window_seconds``; all are back in ``reset_seconds``."""

    name: str  # creates, reads
    maximum: int
    window_seconds: int
    left: int
    reset_seconds: float


def make_api_key() -> str:
    """A new secret key: ``ak_`` and 128 random bits in hexadecimal."""
    return f"ak_{secrets.token_hex(16)}"


def hash_api_key(secret: str) -> bytes:
    """The 32-byte SHA-256 under which a key is stored.

    A fast hash is sufficient: the secret has 128 random bits, so it cannot be guessed from a dictionary.
    """
    return hashlib.sha256(secret.encode()).digest()
