"""What the ledger and the usage say."""

import enum
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from bodydouble.tasks.account import AccountId
from bodydouble.tasks.task import TaskId


class TransferKind(enum.StrEnum):
    """Between which books of an account a transfer moves credits."""

    GRANT = "grant"  # issued → available
    REVOKE = "revoke"  # available → issued
    RESERVE = "reserve"  # available → reserved
    RELEASE = "release"  # reserved → available
    CHARGE = "charge"  # reserved → earned


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One transfer."""

    id: int
    account: AccountId
    task: TaskId | None
    kind: TransferKind
    amount: Decimal  # never negative: the kind says the direction
    memo: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class LedgerDifference:
    """Something stored that is not what the ledger says it should be."""

    account: AccountId
    task: TaskId | None
    what: str
    stored: Decimal
    by_ledger: Decimal


@dataclass(frozen=True, kw_only=True)
class UsageDay:
    """What an account used of one model on one day (UTC), by the day on which the tasks ended."""

    day: date
    model: str
    succeeded: int
    failed: int
    credits: Decimal
