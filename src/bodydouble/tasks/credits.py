"""Ledger entries and usage."""

import enum
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from bodydouble.tasks.account import AccountId
from bodydouble.tasks.task import TaskId


class TransferKind(enum.StrEnum):
    """The books of an account between which a transfer moves credits."""

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
    amount: Decimal  # never negative; the kind gives the direction
    memo: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class LedgerDifference:
    """A stored amount that differs from the ledger."""

    account: AccountId
    task: TaskId | None
    what: str
    stored: Decimal
    by_ledger: Decimal


@dataclass(frozen=True, kw_only=True)
class UsageDay:
    """Usage of one model by an account, for tasks that ended on one day (UTC)."""

    day: date
    model: str
    succeeded: int
    failed: int
    credits: Decimal
