"""Numbers, times and names as people read them."""

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
from bodydouble.tasks.task import ResultCode, Task, TaskStatus

STAGES: Mapping[Stage, str] = {
    Stage.QUEUED: "Waiting for a worker",
    Stage.FETCH: "Fetching the inputs",
    Stage.PROBE: "Looking at the video",
    Stage.PERCEIVE: "Finding and following the person",
    Stage.PREPARE: "Preparing the character",
    Stage.RENDER: "Rendering",
    Stage.MUX: "Joining video and sound",
    Stage.DONE: "Done",
}
TRANSFERS: Mapping[TransferKind, tuple[str, int]] = {
    TransferKind.GRANT: ("Granted", 1),
    TransferKind.REVOKE: ("Taken back", -1),
    TransferKind.RESERVE: ("Reserved", -1),
    TransferKind.RELEASE: ("Released", 1),
    TransferKind.CHARGE: ("Charged", 0),
}
"""What a transfer is called and how it changes the balance: a charge takes what was reserved before."""
_WIRE_PREFIX = re.compile(r"^Value error, Invalid input for model [^:]+: ")


def credits_text(value: Decimal | float) -> str:
    """``9937.5000`` as ``9,937.5``."""
    text = f"{Decimal(str(value)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed_text(value: Decimal) -> str:
    """With its sign; a true minus lines up with the digits."""
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
    """The reader's time zone; UTC where the name is none."""
    try:
        return ZoneInfo(name) if re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", name) else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@pass_context
def time_markup(context: Context, moment: datetime | None, empty: str = "–") -> Markup | str:
    """A moment in the reader's zone, short, with all of it for machines and on hover."""
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
    whole = f"{local:%A}, {local.day} {local:%B %Y, %H:%M:%S} {zone.key}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.astimezone(UTC).isoformat(timespec="seconds"), whole, short
    )


@pass_context
def clock(context: Context, moment: datetime) -> Markup:
    """The time of day alone, to the second."""
    zone: ZoneInfo = context["zone"]
    local = moment.astimezone(zone)
    return Markup('<time datetime="{}">{}</time>').format(
        moment.astimezone(UTC).isoformat(timespec="milliseconds"), f"{local:%H:%M:%S}"
    )


def day_text(day: date) -> str:
    """``24 Nov``."""
    return f"{day.day} {day:%b}"


def stage_text(stage: Stage) -> str:
    """What happens in a stage."""
    return STAGES[stage]


def status_of(task: Task) -> tuple[str, str]:
    """A class for the style and a word for people: a cancel is not a failure."""
    if task.status is TaskStatus.FAILED:
        cancelled = task.result is not None and task.result.code is ResultCode.CANCELLED
        return ("cancelled", "Cancelled") if cancelled else ("failed", "Failed")
    if task.cancel_requested and task.status is not TaskStatus.SUCCESS:
        return "cancelled", "Cancelling"
    words = {TaskStatus.PENDING: "Queued", TaskStatus.RUNNING: "Running", TaskStatus.SUCCESS: "Done"}
    return task.status.value, words[task.status]


def short_id(value: object) -> str:
    """How an id begins, to the millisecond that is in it: what the search of the list takes."""
    return str(value)[:13]


def plain_problem(line: str) -> str:
    """A problem without the prefix that clients of the API know."""
    return _WIRE_PREFIX.sub("", line)


def size_text(count: float) -> str:
    """Bytes as megabytes."""
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
