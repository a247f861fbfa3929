"""Translating the outcome of a create."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bodydouble.tasks.account import AccountId, Rate
from bodydouble.tasks.errors import (
    BodydoubleError,
    FeatureDisabled,
    IdempotencyConflict,
    InsufficientCredits,
    KeyDisabled,
    Maintenance,
    RateLimited,
    ScopeInsufficient,
    Unauthenticated,
)
from bodydouble.tasks.task import Created, NewTask, TaskId

WINDOW_SECONDS = 60
ACTIVE_RETRY_SECONDS = 10.0
"""Suggested retry: nobody knows when a task will end."""


def created(row: Mapping[str, Any], task: NewTask) -> Created:
    """The created task, from the SQL type ``creation``. Raises as ``TaskStore.create_task``."""
    if row["outcome"] not in ("created", "replayed"):
        refusal = _refusal(row, task)
        refusal.rate = _rate(row) if row["rate_max"] is not None else None
        raise refusal
    replayed = row["outcome"] == "replayed"
    # The driver's UUID class compares unequal to Python's.
    task_id = TaskId(UUID(int=row["task_id"].int)) if replayed else task.id
    return Created(id=task_id, account=AccountId(row["account_id"]), replayed=replayed, rate=_rate(row))


def _rate(row: Mapping[str, Any]) -> Rate:
    return Rate(
        name="creates",
        maximum=row["rate_max"],
        window_seconds=WINDOW_SECONDS,
        left=max(row["rate_left"], 0),
        reset_seconds=max(row["reset_seconds"], 0.0),
    )


def _refusal(row: Mapping[str, Any], task: NewTask) -> BodydoubleError:
    match row["outcome"]:
        case "unauthenticated":
            return Unauthenticated("Missing or invalid API key")
        case "expired":
            return Unauthenticated("This API key has expired")
        case "disabled":
            return KeyDisabled("This API key, or its account, is disabled")
        case "read_only":
            return ScopeInsufficient("This API key may only read; creating a task takes a key of scope 'all'")
        case "another_body":
            return IdempotencyConflict(
                "Idempotency-Key: this key was used before with another body; use a new key for a new request"
            )
        case "maintenance":
            return Maintenance(_maintenance(row["memo"]), retry_seconds=row["retry_seconds"])
        case "feature_off":
            return FeatureDisabled(f"Switched off by the operator: {row['memo']}")
        case "rate":
            return RateLimited(
                f"Too many tasks created: the limit is {row['rate_max']} a minute; "
                f"try again in {row['retry_seconds']:.1f} s",
                retry_seconds=row["retry_seconds"],
            )
        case "active":
            return RateLimited(
                f"Too many active tasks: {row['memo']} may be waiting or running; wait until one has ended",
                retry_seconds=ACTIVE_RETRY_SECONDS,
            )
        case "credits":
            return InsufficientCredits(
                f"Insufficient credits: {task.reserve.normalize():f} needed, "
                f"{row['available'].normalize():f} available",
                needed=task.reserve,
                balance=row["available"],
            )
        case unknown:
            raise ValueError(f"create_tasks returned the outcome {unknown}")


def _maintenance(message: str) -> str:
    return "Under maintenance; new tasks are not accepted" if message == "maintenance" else message
