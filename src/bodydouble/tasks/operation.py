"""Values that an operator sees and controls: executors, the queue, switches, counters."""

from dataclasses import dataclass
from datetime import datetime

MAINTENANCE = "maintenance"
"""The switch for all new work. Every other switch is a feature: a model, a renderer, uploads."""

UPLOADS = "uploads"


def renderer_feature(name: str) -> str:
    """The name of a renderer's switch."""
    return f"renderer:{name}"


@dataclass(frozen=True, kw_only=True)
class Executor:
    """One worker process."""

    id: str
    host: str
    pid: int
    version: str
    started_at: datetime
    beat_at: datetime
    stopped_at: datetime | None
    running: int  # tasks that it holds now


@dataclass(frozen=True, kw_only=True)
class SwitchedOff:
    """A switch that is off."""

    name: str
    message: str  # for callers
    retry_seconds: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """Length and age of the queues."""

    pending: int
    running: int
    oldest_pending_seconds: float  # 0 if the queue is empty
    deliveries_pending: int
    oldest_delivery_seconds: float
    executors: int  # with a fresh heartbeat


@dataclass(frozen=True, kw_only=True)
class BucketCount:
    """Count and sum of the values that fell into one histogram bucket, over all processes."""

    name: str  # task, stage, callback, credits, http
    label: str  # result code, stage, outcome, transfer kind, "METHOD template status"
    bound: float  # upper bound of the bucket, included; infinity for the last one
    count: int
    total: float  # seconds, or credits


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """A current value that one process reports."""

    process: str
    name: str
    label: str = ""
    value: float


@dataclass(frozen=True, kw_only=True)
class FailureCount:
    """How many tasks failed for one reason."""

    code: int  # of the result
    message: str
    count: int
    last_at: datetime
