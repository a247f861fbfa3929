"""Accounts, their keys and what a key looks like."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bodydouble.tasks.task import AccountId

API_KEY_PATTERN = re.compile(r"ak_[0-9a-f]{32}\Z")


@dataclass(frozen=True, kw_only=True)
class Account:
    """Somebody who owns keys, tasks and credits."""

    id: AccountId
    name: str
    balance: Decimal  # credits that are neither spent nor reserved


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as stored: never the secret itself."""

    account: AccountId
    prefix: str  # the first characters, to tell keys apart in lists
    disabled: bool
    created_at: datetime


def make_api_key() -> str:
    """A new secret key: ``ak_`` and 128 random bits in hexadecimal."""
    return f"ak_{secrets.token_hex(16)}"


def hash_api_key(secret: str) -> bytes:
    """The 32-byte SHA-256 under which a key is stored.

    A fast hash is right here: the secret has 128 random bits, so there is no dictionary to slow down.
    """
    return hashlib.sha256(secret.encode()).digest()
