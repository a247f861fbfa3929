"""What an operator sees and decides: executors, the queue, what is switched off, counts."""

from dataclasses import dataclass
from datetime import datetime

MAINTENANCE = "maintenance"
"""The name under which all new work is switched off; every other name is a feature: a model, a renderer, uploads."""

UPLOADS = "uploads"


def renderer_feature(name: str) -> str:
    """The feature that stands for a renderer."""
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
    running: int  # tasks it has right now


@dataclass(frozen=True, kw_only=True)
class SwitchedOff:
    """Something that an operator switched off."""

    name: str
    message: str  # for callers
    retry_seconds: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """How the queue stands."""

    pending: int
    running: int
    oldest_pending_seconds: float  # 0 where nothing waits
    deliveries_pending: int
    oldest_delivery_seconds: float
    executors: int  # with a fresh heartbeat


@dataclass(frozen=True, kw_only=True)
class BucketCount:
    """Count and sum of the values that fell into one histogram bucket, over all processes."""

    name: str  # task, stage, callback, credits, http
    label: str  # result code, stage, outcome, transfer kind, "METHOD template status"
    bound: float  # no value here is larger, and all are larger than the next smaller bound
    count: int
    total: float  # seconds, or credits


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """What one process says of itself right now."""

    process: str
    name: str
    label: str = ""
    value: float


@dataclass(frozen=True, kw_only=True)
class FailureCount:
    """How often tasks ended for one reason."""

    code: int  # of the result
    message: str
    count: int
    last_at: datetime
