"""Sessions of the console."""

import enum
from dataclasses import dataclass
from datetime import datetime

from bodydouble.tasks.account import Account, AccountId


class SessionRole(enum.StrEnum):
    """The rights of a signed-in user."""

    USER = "user"  # the account's own tasks, keys and credits
    OPERATOR = "operator"  # the whole installation, too


@dataclass(frozen=True, kw_only=True)
class Session:
    """A user who is signed in for an account."""

    account: Account
    role: SessionRole
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """A session or a sign-in link to store, by the SHA-256 of its token."""

    token_hash: bytes
    account: AccountId
    role: SessionRole
    seconds: float  # until it expires
