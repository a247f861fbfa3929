"""Tasks: identity, states, progress and results."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NewType
from uuid import UUID

from bodydouble.tasks.account import AccountId, Rate
from bodydouble.tasks.stages import Stage

TaskId = NewType("TaskId", UUID)


class TaskStatus(enum.StrEnum):
    """Exactly the states that the wire knows. A cancelled task is ``FAILED`` with its own result code."""

    PENDING = "pending"  # accepted and queued; credits reserved
    RUNNING = "running"  # a worker has it
    SUCCESS = "success"  # finished; credits charged
    FAILED = "failed"  # ended without a result; credits released


TERMINAL = frozenset({TaskStatus.SUCCESS, TaskStatus.FAILED})


class ResultCode(enum.IntEnum):
    """The ``code`` that stands in a finished task's result."""

    SUCCESS = 200
    INSUFFICIENT_CREDITS = 402  # the exact price, known after the probe, is more than the balance
    INVALID_INPUT = 422  # the media cannot be used; the message says why
    CANCELLED = 499
    GENERATION_FAILED = 501


class TaskSource(enum.StrEnum):
    """Where a task was made."""

    API = "api"
    PLAYGROUND = "playground"


@dataclass(frozen=True, kw_only=True)
class TaskProgress:
    """How far a task is. ``fraction`` only grows."""

    fraction: float = 0.0  # 0-1
    stage: Stage = Stage.QUEUED
    segment: int | None = None  # 0-based, within the stage
    segments: int | None = None


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """What a terminal task answers."""

    code: ResultCode
    message: str
    media_keys: tuple[str, ...] = ()  # keys in the file store, signed when they are shown
    media_info: Mapping[str, Any] = field(default_factory=dict[str, Any])


CANCELLED = TaskResult(code=ResultCode.CANCELLED, message="The task was cancelled and was not charged.")
"""By its owner or the operator, before it began or on its way."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One replacement job as its owner sees it."""

    id: TaskId
    account: AccountId
    model: str
    param: Mapping[str, Any]  # the request as sent
    inputs: Mapping[str, Any]  # the validated input, defaults filled in
    status: TaskStatus
    source: TaskSource
    credits: Decimal  # reserved while pending or running, charged once successful, 0 once failed
    progress: TaskProgress
    result: TaskResult | None
    cancel_requested: bool
    callback_url: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    version: int = 1  # counts every change that a reader can see
    attempts: int = 0  # executors that took it
    executor: str | None = None
    deadline_at: datetime | None = None  # None: no deadline
    preview_key: str | None = None  # a picture of the result so far, in the file store
    media_expires_at: datetime | None = None
    media_deleted_at: datetime | None = None
    idempotency_key: str | None = None
    traceparent: str | None = None  # W3C trace context of the request that made it


class LeaseStatus(enum.StrEnum):
    """Whether the executor that works on a task may go on."""

    HELD = "wanted"  # go on
    CANCELLED = "cancelled"  # by the task's owner
    OVERDUE = "overdue"  # past the deadline
    LOST = "lost"  # the task is over, deleted, or taken by another executor


@dataclass(frozen=True, kw_only=True)
class StageTime:
    """A stage of a task's timeline."""

    stage: Stage
    started_at: datetime
    seconds: float


@dataclass(frozen=True, kw_only=True)
class NewTask:
    """A task that has been validated and priced, not stored yet.

    Whose it is says ``key_hash``, or ``account`` where the caller is known by other means.
    """

    id: TaskId
    model: str
    param: Mapping[str, Any]
    inputs: Mapping[str, Any]
    source: TaskSource
    reserve: Decimal
    callback_url: str | None
    key_hash: bytes | None = None
    account: AccountId | None = None
    idempotency_key: str | None = None
    body_hash: bytes | None = None  # SHA-256 of the request; has to be there where ``idempotency_key`` is
    features: tuple[str, ...] = ()  # each must not be switched off
    deadline_seconds: float = 86_400
    traceparent: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreateLimits:
    """What holds for accounts that have no limits of their own."""

    creates_per_minute: int = 120
    active_max: int = 100  # tasks of one account that are not over


@dataclass(frozen=True, kw_only=True)
class Created:
    """What became of a create."""

    id: TaskId
    account: AccountId
    replayed: bool  # the same request came before; this is its task
    rate: Rate  # of creates; a replay counts against nothing


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """Which tasks a list shows, newest first."""

    account: AccountId | None = None  # None: any account, for operators
    status: TaskStatus | None = None
    model: str | None = None
    source: TaskSource | None = None
    created_after: datetime | None = None  # this moment included
    created_before: datetime | None = None  # this moment not included
    before: TaskId | None = None  # where the page before ended
    since: TaskId | None = None  # this id and later ones: ids sort by age
    limit: int = 20
