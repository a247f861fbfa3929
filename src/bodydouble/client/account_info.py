"""What a service tells of an account: its keys, what it used, its callbacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bodydouble.client.task_info import exact


@dataclass(frozen=True, kw_only=True)
class KeyInfo:
    """A key, without its secret. All times are in UTC."""

    id: int
    name: str
    prefix: str  # the first characters, to tell keys apart
    scope: str  # all, or read: looks and changes nothing
    disabled: bool
    current: bool  # the one that this client uses
    created_at: datetime
    last_used_at: datetime | None  # to the minute
    expires_at: datetime | None

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "KeyInfo":
        """From the wire."""
        created = moment(data["created_at"])
        assert created is not None, "every key was made at some time"
        return cls(
            id=data["id"],
            name=data["name"],
            prefix=data["prefix"],
            scope=data["scope"],
            disabled=data["disabled"],
            current=data["current"],
            created_at=created,
            last_used_at=moment(data["last_used_at"]),
            expires_at=moment(data["expires_at"]),
        )


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key that was made just now. Its secret is shown this once: keep it."""

    key: KeyInfo
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class UsageDay:
    """What the account used of one model on one day (UTC)."""

    day: date
    model: str
    succeeded: int
    failed: int
    credits: Decimal

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "UsageDay":
        """From the wire."""
        return cls(
            day=date.fromisoformat(data["day"]),
            model=data["model"],
            succeeded=data["succeeded"],
            failed=data["failed"],
            credits=exact(data["credits"]),
        )


@dataclass(frozen=True, kw_only=True)
class CallbackTry:
    """One try to deliver a callback."""

    at: datetime
    http_status: int | None  # None where no answer came
    error: str | None
    milliseconds: int


@dataclass(frozen=True, kw_only=True)
class CallbackInfo:
    """A task's callback with the log of its tries, oldest first."""

    id: str  # the receiver sees it as webhook-id, at every try
    url: str
    status: str  # pending, delivered, gone (the receiver answered 410), exhausted
    tries: int
    next_try_at: datetime | None
    delivered_at: datetime | None
    log: Sequence[CallbackTry]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "CallbackInfo":
        """From the wire."""
        return cls(
            id=data["id"],
            url=data["url"],
            status=data["status"],
            tries=data["tries"],
            next_try_at=moment(data["next_try_at"]),
            delivered_at=moment(data["delivered_at"]),
            log=[
                CallbackTry(
                    at=datetime.fromtimestamp(entry["at"], UTC),
                    http_status=entry["http_status"],
                    error=entry["error"],
                    milliseconds=entry["milliseconds"],
                )
                for entry in data["log"]
            ],
        )


def moment(seconds: float | None) -> datetime | None:
    """Unix seconds in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
