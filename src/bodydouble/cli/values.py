"""Parse and show amounts, durations, times and JSON."""

import dataclasses
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import orjson
import typer

from bodydouble.cli.terminal import CONTROL_CHARACTERS, EXIT_USAGE, fail

_SPAN = re.compile(r"(\d+)([smhdw])\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
AMOUNT_MAX = Decimal(10) ** 12


def parse_amount(text: str, option: str, *, negative: bool = False) -> Decimal:
    """An amount of credits with at most four decimal places. Ends the command if ``text`` is not one."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        fail(f"{option}: {text} is not a number", EXIT_USAGE)
    if not amount.is_finite() or abs(amount) >= AMOUNT_MAX or (amount < 0 and not negative):
        allowed = "an amount of credits" if negative else "an amount of credits; it must be 0 or more"
        fail(f"{option}: {text} is not {allowed}", EXIT_USAGE)
    if amount != round(amount, 4):
        fail(f"{option}: {text} has more than four decimal places", EXIT_USAGE)
    return amount


def parse_span(text: str, option: str) -> timedelta:
    """A duration such as ``90s``, ``15m``, ``12h``, ``30d``, ``2w``. Ends the command if ``text`` is not one."""
    found = _SPAN.match(text.strip())
    if not found:
        fail(f"{option}: {text} is not a duration; write 90s, 15m, 12h, 30d or 2w", EXIT_USAGE)
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except (OverflowError, ValueError):  # ValueError: more digits than Python converts
        fail(f"{option}: {text} is too long", EXIT_USAGE)


def parse_moment(text: str, option: str, *, past: bool) -> datetime:
    """A date, a date with a time (UTC without a zone), or a duration before now (after now if not ``past``)."""
    if _SPAN.match(text.strip()):
        span = parse_span(text, option)
        try:
            return datetime.now(UTC) - span if past else datetime.now(UTC) + span
        except OverflowError:
            fail(f"{option}: {text} is too long", EXIT_USAGE)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option}: {text} is neither a date (2026-01-31, 2026-01-31T12:00) nor a duration (30d)", EXIT_USAGE)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def show_amount(amount: Decimal) -> str:
    """Text with thousands separators and without trailing zeros."""
    return f"{amount.normalize():,f}"


def show_moment(moment: datetime | None) -> str:
    """Text in the machine's time zone, to the second."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if moment else "–"


def show_seconds(seconds: float) -> str:
    """Text in seconds, minutes or hours."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def shorten(text: str, characters_max: int) -> str:
    """``text``, with its middle left out if it is longer than ``characters_max``."""
    if len(text) <= characters_max:
        return text
    end = characters_max // 3
    return f"{text[: characters_max - end - 1]}…{text[-end:]}"


def print_json(value: object) -> None:
    """Print one document on stdout: field names of the dataclasses, times in RFC 3339, amounts as numbers."""
    text = orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2).decode()
    # orjson escapes C0 characters itself. The others can only be inside strings, where the escape means the same.
    typer.echo(CONTROL_CHARACTERS.sub(lambda match: f"\\u{ord(match[0]):04x}", text))


def _plain(value: Any) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
