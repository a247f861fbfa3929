"""Formatting of numbers, times, stages and statuses for the pages."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from bodydouble.tasks.credits import TransferKind
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import Task, TaskStatus

STAGES: Mapping[Stage, str] = {
    Stage.QUEUED: "Waiting for a worker",
    Stage.FETCH: "Fetching the inputs",
    Stage.PROBE: "Checking the inputs",
    Stage.PERCEIVE: "Finding and following the person",
    Stage.PREPARE: "Preparing the character",
    Stage.RENDER: "Rendering",
    Stage.MUX: "Joining video and audio",
    Stage.DONE: "Done",
}
TRANSFERS: Mapping[TransferKind, tuple[str, int]] = {
    TransferKind.GRANT: ("Granted", 1),
    TransferKind.REVOKE: ("Revoked", -1),
    TransferKind.RESERVE: ("Reserved", -1),
    TransferKind.RELEASE: ("Released", 1),
    TransferKind.CHARGE: ("Charged", 0),
}
"""Text of each kind of transfer, and the sign of its effect on the balance. A charge uses reserved credits."""
_WIRE_PREFIX = re.compile(r"^Value error, Invalid input for model [^:]+: ")


def credits_text(value: Decimal | float) -> str:
    """``9937.5000`` as ``9,937.5``."""
    text = f"{Decimal(str(value)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed_text(value: Decimal) -> str:
    """A number with its sign. U+2212 has the width of the plus sign."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{credits_text(abs(value))}"


def duration_text(seconds: float | None) -> str:
    """``75`` as ``1 min 15 s``."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def known_zone(name: str) -> ZoneInfo:
    """The time zone of this name, or UTC if it is unknown."""
    try:
        return ZoneInfo(name) if re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", name) else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@pass_context
def time_markup(context: Context, moment: datetime | None, empty: str = "–") -> Markup | str:
    """A time in the user's zone: short text, full text as tooltip, ISO 8601 for machines."""
    if moment is None:
        return empty
    zone: ZoneInfo = context["zone"]
    local, today = moment.astimezone(zone), datetime.now(zone).date()
    if local.date() == today:
        short = f"Today, {local:%H:%M}"
    elif local.year == today.year:
        short = f"{local.day} {local:%b, %H:%M}"
    else:
        short = f"{local.day} {local:%b %Y}"
    full = f"{local:%A}, {local.day} {local:%B %Y, %H:%M:%S} {zone.key}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.astimezone(UTC).isoformat(timespec="seconds"), full, short
    )


@pass_context
def clock(context: Context, moment: datetime) -> Markup:
    """The time of day, to the second."""
    zone: ZoneInfo = context["zone"]
    local = moment.astimezone(zone)
    return Markup('<time datetime="{}">{}</time>').format(
        moment.astimezone(UTC).isoformat(timespec="milliseconds"), f"{local:%H:%M:%S}"
    )


def day_text(day: date) -> str:
    """``24 Nov``."""
    return f"{day.day} {day:%b}"


def stage_text(stage: Stage) -> str:
    """The text of a stage."""
    return STAGES[stage]


def status_of(task: Task) -> tuple[str, str]:
    """CSS class and text of a task's status. A cancelled task is not shown as failed."""
    if task.status is TaskStatus.FAILED:
        return ("cancelled", "Cancelled") if task.was_cancelled else ("failed", "Failed")
    if task.cancel_requested and task.status is not TaskStatus.SUCCESS:
        return "cancelled", "Cancelling"
    words = {TaskStatus.PENDING: "Queued", TaskStatus.RUNNING: "Running", TaskStatus.SUCCESS: "Done"}
    return task.status.value, words[task.status]


def short_id(value: object) -> str:
    """The first 13 characters of an id, which hold its creation time and work as a search text."""
    return str(value)[:13]


def without_wire_prefix(line: str) -> str:
    """A problem text without the prefix that the wire format requires."""
    return _WIRE_PREFIX.sub("", line)


def size_text(count: float) -> str:
    """A number of bytes in megabytes."""
    return f"{float(f'{count / 1e6:.3g}'):,g} MB"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "credits": credits_text,
    "signed": signed_text,
    "duration": duration_text,
    "time": time_markup,
    "clock": clock,
    "day": day_text,
    "stage": stage_text,
    "status": status_of,
    "short_id": short_id,
    "size": size_text,
}
