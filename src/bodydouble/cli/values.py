"""What operators type and read: amounts, spans of time, moments, JSON."""

import dataclasses
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
import typer

from bodydouble.cli.terminal import EXIT_USAGE, fail

_SPAN = re.compile(r"(\d+)([smhdw])\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
AMOUNT_MAX = Decimal(10) ** 12


def parse_amount(text: str, option: str, *, negative: bool = False) -> Decimal:
    """Credits: at most four decimal places. Ends the command where it is none."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        fail(f"{option}: {text} is no number", EXIT_USAGE)
    if not amount.is_finite() or abs(amount) >= AMOUNT_MAX or (amount < 0 and not negative):
        allowed = "an amount of credits" if negative else "an amount of credits; it must be 0 or more"
        fail(f"{option}: {text} is not {allowed}", EXIT_USAGE)
    if amount != round(amount, 4):
        fail(f"{option}: {text} has more than four decimal places", EXIT_USAGE)
    return amount


def parse_span(text: str, option: str) -> timedelta:
    """``90s``, ``15m``, ``12h``, ``30d``, ``2w``. Ends the command where it is none."""
    found = _SPAN.match(text.strip())
    if not found:
        fail(f"{option}: {text} is no span of time; write 90s, 15m, 12h, 30d or 2w", EXIT_USAGE)
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        fail(f"{option}: {text} is too long", EXIT_USAGE)


def parse_moment(text: str, option: str, *, past: bool) -> datetime:
    """A date, a date with a time (UTC where it names no zone), or a span back from now (ahead where not ``past``)."""
    if _SPAN.match(text.strip()):
        span = parse_span(text, option)
        return datetime.now(UTC) - span if past else datetime.now(UTC) + span
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option}: {text} is no date such as 2026-01-31 or 2026-01-31T12:00, and no span such as 30d", EXIT_USAGE)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def show_amount(amount: Decimal) -> str:
    """Without zeros at the end, with thousands apart."""
    return f"{amount.normalize():,f}"


def show_moment(moment: datetime | None) -> str:
    """To the second, in the machine's zone."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if moment else "–"


def show_seconds(seconds: float) -> str:
    """A span as people say it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def print_json(value: object) -> None:
    """One document on stdout: field names as they are, moments in RFC 3339, amounts as numbers."""
    typer.echo(orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2).decode())


def _plain(value: Any) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)  # pyright: ignore[reportUnknownVariableType]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
