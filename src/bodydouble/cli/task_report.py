"""The text of ``tasks show``."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from rich.markup import escape
from rich.table import Table

from bodydouble.cli.ledger import ledger_table
from bodydouble.cli.terminal import make_table, out, show_facts, show_table
from bodydouble.cli.values import shorten, show_amount, show_moment, show_seconds
from bodydouble.tasks.delivery import DeliveryLog
from bodydouble.tasks.task import StageTime, Task

if TYPE_CHECKING:
    from bodydouble.service.operation import TaskReport

URL_CHARACTERS_MAX = 60
"""Longer addresses are cut in tables; `--json` shows them whole."""


def print_report(report: "TaskReport") -> None:
    """Print status, inputs, result, timeline, callbacks and ledger of one task."""
    show_facts(_facts(report))
    if report.stages:
        _section("timeline", timeline(report.stages))
    if report.deliveries:
        _section("callbacks", callback_table(report.deliveries))
    _section("ledger", ledger_table(report.ledger))


def _section(name: str, table: Table) -> None:
    out.print(f"\n[bold]{name}[/]")
    show_table(table)


def _facts(report: "TaskReport") -> list[tuple[str, str]]:
    task, account = report.task, report.account
    facts = [
        ("task", str(task.id)),
        ("account", f"{account.name} ({account.id})"),
        ("model", task.model),
        ("status", task.status.value + (", cancellation requested" if task.cancel_requested else "")),
        ("progress", _progress(task)),
        ("credits", show_amount(task.credits)),
        ("created", f"{show_moment(task.created_at)} ({task.source.value})"),
        ("started", show_moment(task.started_at)),
        ("completed", show_moment(task.completed_at)),
        ("deadline", show_moment(task.deadline_at)),
        ("worker", f"{task.executor or '–'}, attempts: {task.attempts}"),
    ]
    if report.queue_position is not None:
        facts.append(("queue", f"{report.queue_position} tasks ahead"))
    if task.traceparent:
        facts.append(("trace", task.traceparent))
    facts += [fact for name, value in task.inputs.items() for fact in _plain_facts(name, value)]
    if task.result:
        facts.append(("result", f"{int(task.result.code)} {task.result.message}"))
        facts += [("file", key) for key in task.result.media_keys]
        facts += [fact for name, value in task.result.media_info.items() for fact in _plain_facts(name, value)]
    if task.media_expires_at:
        gone = f", deleted {show_moment(task.media_deleted_at)}" if task.media_deleted_at else ""
        facts.append(("media until", show_moment(task.media_expires_at) + gone))
    return facts


def _plain_facts(name: str, value: object) -> list[tuple[str, str]]:
    """Lines for a JSON value: nested names are joined by dots, lists of plain values by commas."""
    if value is None:
        return []
    if isinstance(value, bool):
        return [(name, "yes" if value else "no")]
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return [fact for key, inner in items for fact in _plain_facts(f"{name}.{key}", inner)]
    if isinstance(value, list | tuple):
        parts = list(cast("Sequence[object]", value))
        if any(isinstance(part, Mapping | list | tuple) for part in parts):
            return [fact for n, part in enumerate(parts, 1) for fact in _plain_facts(f"{name}.{n}", part)]
        return [(name, ", ".join(str(part) for part in parts))] if parts else []
    return [(name, str(value))]


def _progress(task: Task) -> str:
    progress = task.progress
    segment = ""
    if progress.segment is not None:
        segment = f", segment {progress.segment + 1}" + (f" of {progress.segments}" if progress.segments else "")
    return f"{progress.fraction:.0%}, {progress.stage}{segment}"


def timeline(stages: Sequence[StageTime]) -> Table:
    """A table of the stages (at least one) with a bar for each duration."""
    longest = max(stage.seconds for stage in stages)
    table = make_table("stage", "start", "duration", "")
    for stage in stages:
        bar = "█" * max(1, round(20 * stage.seconds / longest)) if longest else ""
        table.add_row(stage.stage, show_moment(stage.started_at), show_seconds(stage.seconds), f"[cyan]{bar}[/]")
    return table


def callback_table(deliveries: Sequence[DeliveryLog]) -> Table:
    """A table of deliveries, each followed by its tries."""
    table = make_table("webhook-id", "to", "state", "tried at", "answer", "ms")
    for log in deliveries:
        delivery = log.delivery
        state = delivery.status.value
        if delivery.next_try_at:
            state += f", next {show_moment(delivery.next_try_at)}"
        table.add_row(str(delivery.id), escape(shorten(delivery.url, URL_CHARACTERS_MAX)), state)
        for tried in log.tries:
            answer = str(tried.http_status or "") + (f" {tried.error}" if tried.error else "")
            table.add_row("", "", "", show_moment(tried.at), escape(answer.strip()), str(tried.milliseconds))
    return table
