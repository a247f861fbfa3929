"""Callbacks: states, tries, and the delay before the next try."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bodydouble.tasks.account import AccountId
from bodydouble.tasks.task import TaskId

TRIES_MAX = 8
FIRST_SECONDS = 10.0
FACTOR = 4.3
"""Delays of 10 s, 43 s, 3 min, 13 min, 57 min, 4 h and 18 h: eight tries in 23 hours, five of them in the first."""
JITTER = 0.2
"""Share of a delay. Chosen, like the factor, to spread retries after an outage of a receiver."""
WAIT_SECONDS_MAX = 24 * 3600.0
"""Longest delay between two tries, whatever the settings. A stored time beyond it means that the clock was set back."""


class DeliveryStatus(enum.StrEnum):
    """The state of a callback."""

    PENDING = "pending"  # another try is due
    DELIVERED = "delivered"  # the receiver responded with 2xx
    GONE = "gone"  # the receiver responded with 410: do not call again
    EXHAUSTED = "exhausted"  # every try failed


class Outcome(enum.StrEnum):
    """The effect of a try on its delivery."""

    DELIVERED = "delivered"
    RETRY = "retry"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A callback of a task. Receivers get ``id`` as ``webhook-id``, the same at every try."""

    id: UUID
    task: TaskId
    account: AccountId
    url: str
    status: DeliveryStatus
    tries: int  # made so far
    next_try_at: datetime | None  # None unless pending
    created_at: datetime
    delivered_at: datetime | None
    traceparent: str | None = None  # W3C trace context of the request that made the task


@dataclass(frozen=True, kw_only=True)
class DeliveryTry:
    """A try. The account's owner can read it, so ``error`` has no internal details."""

    http_status: int | None  # None without a response
    error: str | None  # None if the status says enough
    milliseconds: int
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class LoggedTry:
    """A try as it was logged."""

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
    """Seconds from try number ``tries`` (from 1) to the next one; None after the last.

    ``jitter`` (0 to 1, drawn by the caller) changes the delay by up to ``JITTER``, so that callbacks that failed
    together are not retried together.
    """
    if tries >= tries_max:
        return None
    return min(first_seconds * factor ** (tries - 1) * (1 - JITTER + 2 * JITTER * jitter), WAIT_SECONDS_MAX)


@dataclass(frozen=True, kw_only=True)
class CallbackMessage:
    """The body and headers that one try sends."""

    body: bytes  # JSON
    secrets: Sequence[str]  # at least one ``whsec_…``; during a rotation the old secret signs too
    headers: Mapping[str, str] = field(
        default_factory=dict[str, str]
    )  # added to those of Standard Webhooks, or in their place


class CallbackTransport(Protocol):
    """Sends a callback once."""

    async def send(self, url: str, delivery_id: UUID, message: CallbackMessage) -> DeliveryTry:
        """POST the message, signed with each of its secrets. Never raises for a receiver's fault."""
        ...
