"""Tasks: identity, states, progress and results."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NewType
from uuid import UUID

from bodydouble.tasks.account import AccountId, Rate
from bodydouble.tasks.stages import Stage

TaskId = NewType("TaskId", UUID)


class TaskStatus(enum.StrEnum):
    """The states that the API shows. A cancelled task is ``FAILED`` with its own result code."""

    PENDING = "pending"  # accepted and queued; credits reserved
    RUNNING = "running"  # a worker has it
    SUCCESS = "success"  # finished; credits charged
    FAILED = "failed"  # ended without a result; credits released


TERMINAL = frozenset({TaskStatus.SUCCESS, TaskStatus.FAILED})


class ResultCode(enum.IntEnum):
    """The ``code`` in the result of a task that has ended."""

    SUCCESS = 200
    INSUFFICIENT_CREDITS = 402  # the exact price, known after the probe, exceeds the balance
    INVALID_INPUT = 422  # the media cannot be used; the message says why
    CANCELLED = 499
    GENERATION_FAILED = 501


class TaskSource(enum.StrEnum):
    """Where a task was created."""

    API = "api"
    PLAYGROUND = "playground"


@dataclass(frozen=True, kw_only=True)
class TaskProgress:
    """Progress of a task. ``fraction`` never decreases."""

    fraction: float = 0.0  # 0-1
    stage: Stage = Stage.QUEUED
    segment: int | None = None  # 0-based, within the stage
    segments: int | None = None


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """The result of a task that has ended."""

    code: ResultCode
    message: str
    media_keys: tuple[str, ...] = ()  # in the file store; addresses are signed when they are shown
    media_info: Mapping[str, Any] = field(default_factory=dict[str, Any])


CANCELLED = TaskResult(code=ResultCode.CANCELLED, message="The task was cancelled and was not charged.")
"""Cancelled by its owner or the operator, before or after its start."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task as its owner sees it."""

    id: TaskId
    account: AccountId
    model: str
    param: Mapping[str, Any]  # the request as sent
    inputs: Mapping[str, Any]  # the validated input with defaults
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
    version: int = 1  # increases with every visible change
    attempts: int = 0  # executors that started it
    executor: str | None = None
    deadline_at: datetime | None = None  # None: no deadline
    preview_key: str | None = None  # key of a picture of the result so far
    preview_video_key: str | None = None  # key of a small video of the result so far; one of ``preview_video_keys``
    media_expires_at: datetime | None = None
    media_deleted_at: datetime | None = None
    idempotency_key: str | None = None
    traceparent: str | None = None  # W3C trace context of the request that created it
    title: str = ""  # a name that its owner gave it
    account_label: str = "none"  # ``label`` of its account when it was created

    @property
    def was_cancelled(self) -> bool:
        """Whether it ended because its owner or the operator cancelled it."""
        return self.result is not None and self.result.code is ResultCode.CANCELLED

    @property
    def warnings(self) -> Sequence[str]:
        """Warnings about the result, as sentences for its owner."""
        found: Sequence[Mapping[str, Any]] = (self.result.media_info.get("warnings") or ()) if self.result else ()
        return [str(warning["message"]) for warning in found]


def preview_video_keys(task: Task) -> tuple[str, str]:
    """The keys that the preview videos of a task have in turn."""
    name = f"results/{task.account}/{task.id}-preview"
    return f"{name}-0.mp4", f"{name}-1.mp4"


class LeaseStatus(enum.StrEnum):
    """Whether the executor that works on a task may continue."""

    HELD = "wanted"  # go on; the value is what the workers of the version before read from the database
    CANCELLED = "cancelled"  # by the task's owner
    OVERDUE = "overdue"  # past the deadline
    LOST = "lost"  # the task is over, deleted, or taken by another executor


@dataclass(frozen=True, kw_only=True)
class StageTime:
    """Start and duration of a stage of a task."""

    stage: Stage
    started_at: datetime
    seconds: float


@dataclass(frozen=True, kw_only=True)
class NewTask:
    """A task that has been validated and priced, and not stored yet.

    Its owner is given by ``key_hash``, or by ``account`` if the caller is already authenticated.
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
    body_hash: bytes | None = None  # SHA-256 of the request; required with ``idempotency_key``
    features: tuple[str, ...] = ()  # none of them may be switched off
    deadline_seconds: float = 86_400
    traceparent: str | None = None
    fetches_inputs: bool = False  # an input is at a foreign address; fetched before the task waits for a render slot


@dataclass(frozen=True, kw_only=True)
class CreateLimits:
    """Limits of accounts without limits of their own."""

    creates_per_minute: int = 120
    active_max: int = 100  # tasks of one account that have not ended


@dataclass(frozen=True, kw_only=True)
class Created:
    """A created task, or the one that the same request created before."""

    id: TaskId
    account: AccountId
    replayed: bool  # the same request came before
    rate: Rate  # of creates; a replay does not count


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """Filter and page of a list of tasks, newest first."""

    account: AccountId | None = None  # None: any account, for operators
    status: TaskStatus | None = None
    cancelled: bool | None = None  # of the failed ones: only those that were cancelled, or only the others
    model: str | None = None
    source: TaskSource | None = None
    created_after: datetime | None = None  # inclusive
    created_before: datetime | None = None  # exclusive
    before: TaskId | None = None  # the last id of the previous page
    since: TaskId | None = None  # this id and newer ones: ids sort by age
    title: str | None = None  # a part of the title, in any case
    limit: int = 20
