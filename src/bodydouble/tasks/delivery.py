"""A callback on its way to its receiver: its states, its tries, and when it is tried again."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bodydouble.tasks.account import AccountId
from bodydouble.tasks.task import TaskId

TRIES_MAX = 8
FIRST_SECONDS = 10.0
FACTOR = 4.3
"""Waits of 10 s, 43 s, 3 min, 13 min, 57 min, 4 h and 18 h: eight tries over 23 hours, five of them in the first."""
JITTER = 0.2
WAIT_SECONDS_MAX = 24 * 3600.0
"""Between two tries, whatever the settings. A stored time beyond it shows that the clock was set back."""


class DeliveryStatus(enum.StrEnum):
    """Where a callback stands."""

    PENDING = "pending"  # to be tried, for the first time or again
    DELIVERED = "delivered"  # the receiver answered 2xx
    GONE = "gone"  # the receiver answered 410: it does not want to be called
    EXHAUSTED = "exhausted"  # every try failed


class Outcome(enum.StrEnum):
    """What one try means for its delivery."""

    DELIVERED = "delivered"
    RETRY = "retry"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One callback of one task. Receivers see ``id`` as ``webhook-id``, the same at every try."""

    id: UUID
    task: TaskId
    account: AccountId
    url: str
    status: DeliveryStatus
    tries: int  # made so far
    next_try_at: datetime | None  # None once it is not pending
    created_at: datetime
    delivered_at: datetime | None
    traceparent: str | None = None  # W3C trace context of the request that made the task


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try. The account's owner can read it: nothing of our inside stands in ``error``."""

    http_status: int | None  # None where no answer came
    error: str | None  # None where the status says it all
    milliseconds: int
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class LoggedTry:
    """One try as the log has it."""

    at: datetime
    http_status: int | None
    error: str | None
    milliseconds: int


@dataclass(frozen=True, kw_only=True)
class DeliveryLog:
    """A delivery with its tries, oldest first."""

    delivery: Delivery
    tries: Sequence[LoggedTry]


def retry_delay(
    tries: int,
    *,
    jitter: float,
    tries_max: int = TRIES_MAX,
    first_seconds: float = FIRST_SECONDS,
    factor: float = FACTOR,
) -> float | None:
    """Seconds from the try number ``tries`` (1 is the first) to the next one; None where it was the last.

    ``jitter`` is 0 to 1 and drawn by the caller. It moves the wait by up to a fifth, so that callbacks that failed
    together do not come back together.
    """
    if tries >= tries_max:
        return None
    return min(first_seconds * factor ** (tries - 1) * (1 - JITTER + 2 * JITTER * jitter), WAIT_SECONDS_MAX)


class CallbackTransport(Protocol):
    """Sends a callback once."""

    async def send(self, url: str, delivery_id: UUID, body: bytes, secrets: Sequence[str]) -> Attempt:
        """POST ``body`` (JSON), signed with each of ``secrets``. Never raises for what the receiver does."""
        ...
