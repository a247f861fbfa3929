"""Somebody signed in at the console."""

import enum
from dataclasses import dataclass
from datetime import datetime

from bodydouble.tasks.account import Account, AccountId


class Role(enum.StrEnum):
    """What somebody who is signed in may see and do."""

    USER = "user"  # the account's own tasks, keys and credits
    OPERATOR = "operator"  # besides, the whole installation


@dataclass(frozen=True, kw_only=True)
class Session:
    """Somebody signed in for an account."""

    account: Account
    role: Role
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """A session or a sign-in link to store, by the SHA-256 of its token."""

    token_hash: bytes
    account: AccountId
    role: Role
    seconds: float  # how long it holds
