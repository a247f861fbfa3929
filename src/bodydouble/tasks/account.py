"""Accounts, their keys and what a key looks like."""

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
    READ = "read"  # look, but neither create, cancel, delete, nor manage keys


@dataclass(frozen=True, kw_only=True)
class Account:
    """Somebody who owns keys, tasks and credits."""

    id: AccountId
    name: str
    balance: Decimal  # credits that are neither spent nor reserved
    reserved: Decimal = Decimal(0)  # credits of tasks that are not over
    active: int = 0  # tasks that are not over
    disabled: bool = False
    creates_per_minute: int | None = None  # None: the installation's setting
    active_max: int | None = None
    webhook_generation: int = 1  # counts the rotations of the webhook secret
    webhook_rotations: tuple[datetime, ...] = ()  # when, the newest first, as many as may matter


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as stored: never the secret itself."""

    id: int
    account: AccountId
    name: str
    prefix: str  # the first characters, to tell keys apart in lists
    scope: Scope
    disabled: bool
    created_at: datetime
    last_used_at: datetime | None  # to the minute or so
    expires_at: datetime | None

    def has_ended(self, now: datetime) -> bool:
        """Whether it opens nothing any more, for good."""
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
    """How a limit stands for a caller: ``left`` of ``maximum`` in ``window_seconds``, all back in ``reset_seconds``."""

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

    A fast hash is right here: the secret has 128 random bits, so there is no dictionary to slow down.
    """
    return hashlib.sha256(secret.encode()).digest()
