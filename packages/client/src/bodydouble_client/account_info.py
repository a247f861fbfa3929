"""An account's keys, usage and callbacks as the service reports them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

from bodydouble_client.task_info import exact_decimal


@dataclass(frozen=True, kw_only=True)
class KeyInfo:
    """A key, without its secret. All times are in UTC."""

    id: int
    name: str
    prefix: str  # the first characters, to distinguish keys
    scope: str  # all; or read: cannot create or change anything
    disabled: bool
    current: bool  # the key that this client uses
    created_at: datetime
    last_used_at: datetime | None  # rounded to the minute
    expires_at: datetime | None

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "KeyInfo":
        """Read one entry of the API's answer."""
        created = moment(data["created_at"])
        assert created is not None, "the API requires it"
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
    """A new key. The service shows its secret only once."""

    key: KeyInfo
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class UsageDay:
    """The account's usage of one model on one day (UTC)."""

    day: date
    model: str
    succeeded: int
    failed: int
    credits: Decimal

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "UsageDay":
        """Read one entry of the API's answer."""
        return cls(
            day=date.fromisoformat(data["day"]),
            model=data["model"],
            succeeded=data["succeeded"],
            failed=data["failed"],
            credits=exact_decimal(data["credits"]),
        )


@dataclass(frozen=True, kw_only=True)
class CallbackTry:
    """One attempt to deliver a callback."""

    at: datetime
    http_status: int | None  # None if no answer arrived
    error: str | None
    milliseconds: int


@dataclass(frozen=True, kw_only=True)
class CallbackInfo:
    """A task's callback with the log of its delivery attempts, oldest first."""

    id: str  # sent as webhook-id with every attempt
    url: str
    status: str  # pending, delivered, gone (the receiver answered 410), exhausted
    tries: int
    next_try_at: datetime | None
    delivered_at: datetime | None
    log: Sequence[CallbackTry]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "CallbackInfo":
        """Read one entry of the API's answer."""
        return cls(
            id=data["id"],
            url=data["url"],
            status=data["status"],
            tries=data["tries"],
            next_try_at=moment(data["next_try_at"]),
            delivered_at=moment(data["delivered_at"]),
            log=[
                CallbackTry(
                    at=datetime.fromtimestamp(entry["at"], timezone.utc),
                    http_status=entry["http_status"],
                    error=entry["error"],
                    milliseconds=entry["milliseconds"],
                )
                for entry in data["log"]
            ],
        )


def moment(seconds: float | None) -> datetime | None:
    """The time in UTC for Unix seconds."""
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
