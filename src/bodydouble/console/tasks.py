"""The list of tasks, the page of one task, and its actions."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from bodydouble.console.authentication import ConsoleDep, FormDep, SignedInUser, UserDep
from bodydouble.console.dependencies import Console
from bodydouble.console.formatting import stage_text, status_of
from bodydouble.console.pages import PageRoute, redirect, render
from bodydouble.console.quality import report_rows
from bodydouble.console.snippets import write_snippets
from bodydouble.service import TaskView
from bodydouble.tasks.errors import BodydoubleError, InvalidParams, Unauthenticated
from bodydouble.tasks.task import TERMINAL, StageTime, Task, TaskFilter, TaskId, TaskSource, TaskStatus

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ROWS = 20
PERIODS = {"": "Any time", "1": "Last 24 hours", "7": "Last 7 days", "30": "Last 30 days"}
CANCELLED = "cancelled"
STATUSES = {
    "": "Any status", "pending": "Queued", "running": "Running", "success": "Done", "failed": "Failed",
    CANCELLED: "Cancelled",
}  # fmt: skip
SOURCES = {"": "Anywhere", "api": "API", "playground": "Playground"}
REQUEST_ORDER = ("model", "input", "callback_url")  # jsonb does not keep the order of keys
TIMES = frozenset({"elapsed_seconds", "remaining_seconds"})
"""Fields of an event that the page counts on itself."""
ID_CHARACTERS = set("0123456789abcdef-")
"""A search text of these characters only is the beginning of an id; others are part of a title."""
POLL_SECONDS = 3.0
"""Interval between reads of a task without notification: changes of its queue position send none."""
FRACTION_ESTIMATED_MIN = 0.05
"""Progress from which the remaining time is estimated."""
STREAM_SECONDS_MAX = 1800
"""After this time the browser reconnects, which checks its session again."""


@router.get("/tasks")
async def tasks_page(
    request: Request,
    console: ConsoleDep,
    user: UserDep,
    status: str = "",
    source: str = "",
    model: str = "",
    period: str = "",
    q: Annotated[str, Query(max_length=64)] = "",
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    part: str = "",
) -> Response:
    """Show tasks, newest first. ``part=rows`` returns only the table rows, for live updates."""
    problem = ""
    wanted = TaskFilter(account=user.account.id, limit=ROWS)
    try:
        wanted = _filter(user, status, source, model, period, q.strip())
    except InvalidParams as error:
        problem = error.message
    page = await console.tasks.list(wanted, cursor)
    chosen = {"status": status, "source": source, "model": model, "period": period, "q": q.strip()}
    return render(
        request,
        "_task_rows.html" if part == "rows" else "tasks.html",
        user,
        views=[] if problem else page.views,
        next_cursor=None if problem else page.next_cursor,
        cursor=cursor,
        chosen={name: value for name, value in chosen.items() if value},
        statuses=STATUSES,
        sources=SOURCES,
        periods=PERIODS,
        models=[m.name for m in console.tasks.models()],
        problem=problem,
        base_url=console.base_url,
    )


def _filter(user: SignedInUser, status: str, source: str, model: str, period: str, search: str) -> TaskFilter:
    """The filter that the form's values ask for. ``search`` is the start of an id or a part of a title.

    ``period`` is a number of days. Raises InvalidParams.
    """
    if status not in STATUSES or source not in SOURCES or period not in PERIODS:
        raise InvalidParams(["Unknown filter value; choose one from the list"])
    is_id = bool(search) and set(search.lower()) <= ID_CHARACTERS
    since, before = _id_range(search) if is_id else (None, None)
    return TaskFilter(
        account=user.account.id,
        status=TaskStatus.FAILED if status == CANCELLED else TaskStatus(status) if status else None,
        cancelled={CANCELLED: True, TaskStatus.FAILED: False}.get(status),
        source=TaskSource(source) if source else None,
        model=model or None,
        created_after=datetime.now(UTC) - timedelta(days=int(period)) if period else None,
        since=since,
        before=before,
        title=search if search and not is_id else None,
        limit=ROWS,
    )


def _id_range(prefix: str) -> tuple[TaskId, TaskId | None]:
    """The range of ids that start with ``prefix``, which an index can search. Raises InvalidParams."""
    digits = prefix.replace("-", "").lower()
    if not digits or len(digits) > 32 or not set(digits) <= set("0123456789abcdef"):
        raise InvalidParams(["Search takes a task id or its beginning: digits, a to f and dashes"])
    low = int(digits.ljust(32, "0"), 16)
    high = int(digits.ljust(32, "f"), 16) + 1
    return TaskId(UUID(int=low)), TaskId(UUID(int=high)) if high < 2**128 else None


@router.get("/tasks/{task_id}")
async def task_page(request: Request, console: ConsoleDep, user: UserDep, task_id: str, part: str = "") -> Response:
    """Show one task. ``part=panel`` returns only its preview and progress."""
    view = await console.tasks.read(user.caller, task_id)
    inputs = await console.tasks.media_inputs(view.task)
    values: dict[str, Any] = {
        "view": view,
        "task": view.task,
        "over": view.task.status in TERMINAL,
        "source_url": _without_host(console, inputs.video_url),
        "image_url": _without_host(console, inputs.image_url),
        "result_url": _without_host(console, view.media_urls[0]) if view.media_urls else None,
        "preview_url": _without_host(console, view.preview_url),
        "info": view.task.result.media_info if view.task.result else {},
    }
    if part == "panel":
        return render(request, "_task_panel.html", user, **values)
    param = _request(view.task)
    return render(
        request,
        "task.html",
        user,
        timeline=await console.tasks.timeline(user.caller, task_id),
        callbacks=await console.callbacks.log(user.caller, task_id),
        param=json.dumps(param, indent=2, ensure_ascii=False),
        snippets=write_snippets(console.base_url, param, console.write_programs),
        price_again=await _price_again(console, user, param),
        **values,
    )


def _request(task: Task) -> dict[str, Any]:
    """The request for the same task in our own dialect."""
    return {name: task.param[name] for name in REQUEST_ORDER if name in task.param}


async def _price_again(console: Console, user: SignedInUser, param: Mapping[str, Any]) -> Decimal | None:
    """The price of the same request now; None if it can no longer be made."""
    try:
        return (await console.tasks.pricing.price(console.parse(dict(param)), user.caller.id)).credits
    except BodydoubleError:
        return None


def _without_host(console: Console, url: str | None) -> str | None:
    """A URL of this installation without host: the browser may have opened the page under another host name."""
    return url.removeprefix(console.base_url) if url else None


@router.get("/tasks/{task_id}/events")
async def task_events(console: ConsoleDep, user: UserDep, task_id: str) -> Response:
    """Stream the progress of a task as server-sent events until it ends."""
    view = await console.tasks.read(user.caller, task_id)
    return StreamingResponse(
        task_stream(console, user, view),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def task_stream(console: Console, user: SignedInUser, view: TaskView) -> AsyncGenerator[str, None]:
    """Server-sent events of a task until it ends, the session ends, or ``STREAM_SECONDS_MAX`` are over."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + STREAM_SECONDS_MAX
    last_state: Mapping[str, Any] = {}
    async with console.tasks.changes(view.task.id) as changes:
        while loop.time() < ends_at:
            try:
                await console.sessions.session(user.token)
            except Unauthenticated:
                return  # signed out: the browser reconnects and is redirected to the sign-in page
            view = await console.tasks.read(user.caller, str(view.task.id))
            event = event_data(console, view, await console.tasks.timeline(user.caller, str(view.task.id)))
            state = {name: value for name, value in event.items() if name not in TIMES}
            yield f"data: {json.dumps(event)}\n\n" if state != last_state else ": keep-alive\n\n"
            last_state = state
            if view.task.status in TERMINAL:
                return
            await changes.wait(POLL_SECONDS)


def event_data(console: Console, view: TaskView, stages: Sequence[StageTime]) -> dict[str, Any]:
    """The values that the page shows for a task in progress; ``stages`` are those completed."""
    task = view.task
    kind, word = status_of(task)
    elapsed = None if task.started_at is None else (datetime.now(UTC) - task.started_at).total_seconds()
    done = [{"stage": stage_text(stage.stage), "seconds": round(stage.seconds, 1)} for stage in stages]
    current = [] if task.status is TaskStatus.PENDING else [{"stage": stage_text(task.progress.stage), "seconds": None}]
    return {
        "status": task.status.value,
        "kind": kind,
        "word": word,
        "over": task.status in TERMINAL,
        "fraction": round(task.progress.fraction, 4),
        "stage": stage_text(task.progress.stage),
        "segment": None if task.progress.segment is None else task.progress.segment + 1,
        "segments": task.progress.segments,
        "elapsed_seconds": None if elapsed is None else round(elapsed),
        "remaining_seconds": _remaining_seconds(elapsed, task.progress.fraction),
        "log": done + current,
        "queue_position": view.queue_position,
        "preview_url": _without_host(console, view.preview_url),
        "preview_video_url": _without_host(console, view.preview_video_url),
        "version": task.version if task.preview_key else 0,
    }


def _remaining_seconds(elapsed: float | None, fraction: float) -> int | None:
    """An estimate from the progress so far; None before it says anything."""
    if elapsed is None or fraction < FRACTION_ESTIMATED_MIN:
        return None
    return round(elapsed * (1 - fraction) / fraction)


@router.post("/tasks/{task_id}/quality")
async def quality_report(console: ConsoleDep, user: UserDep, task_id: str) -> Response:
    """Measure the result. Takes about as long as the task did."""
    return JSONResponse({"rows": report_rows(await console.quality.report(user.caller, task_id))})


@router.post("/tasks/{task_id}/cancel")
async def cancel_task(request: Request, console: ConsoleDep, user: UserDep, task_id: str) -> Response:
    """Cancel a task."""
    cancelling = await console.tasks.cancel(user.caller, task_id)
    message = "The task is being cancelled; its credits are released." if cancelling else "This task had already ended."
    return redirect(request, f"/tasks/{task_id}", message)


@router.post("/tasks/{task_id}/delete")
async def delete_task(request: Request, console: ConsoleDep, user: UserDep, task_id: str) -> Response:
    """Delete a task and its media."""
    await console.tasks.delete(user.caller, task_id)
    return redirect(request, "/tasks", "The task and its media are deleted. Its ledger entries remain.")


@router.post("/tasks/{task_id}/resend")
async def resend_callback(request: Request, console: ConsoleDep, user: UserDep, task_id: str) -> Response:
    """Send the callback again."""
    await console.callbacks.resend(user.caller, task_id)
    return redirect(request, f"/tasks/{task_id}#callbacks", "The callback is being sent again.")


@router.post("/tasks/{task_id}/rename")
async def rename_task(request: Request, console: ConsoleDep, user: UserDep, form: FormDep, task_id: str) -> Response:
    """Name a task."""
    await console.tasks.rename(user.caller, task_id, form.get("title", ""))
    return redirect(request, f"/tasks/{task_id}", "The task was renamed.")


@router.post("/tasks/{task_id}/again")
async def run_again(request: Request, console: ConsoleDep, user: UserDep, task_id: str) -> Response:
    """Create a new task from the same request."""
    view = await console.tasks.read(user.caller, task_id)
    submission = console.parse(_request(view.task))
    created = await console.tasks.submit(
        user.caller, submission, source=TaskSource.PLAYGROUND, traceparent=request.state.traceparent
    )
    return redirect(request, f"/tasks/{created.id}", "A new task with the same request was created.")
