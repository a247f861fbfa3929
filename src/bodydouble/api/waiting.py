"""Requests that last until a task reaches a state."""

import time
from collections.abc import Callable

from fastapi import Request
from starlette.requests import ClientDisconnect

from bodydouble.api.authentication import get_tasks
from bodydouble.api.event_streams import POLL_SECONDS, EventStreams
from bodydouble.api.fair_share import leave_place
from bodydouble.api.reading import REPEATED_BY_CLIENTS, new_task, read_task
from bodydouble.service import Submission, TaskView
from bodydouble.tasks.errors import Maintenance, RateLimited
from bodydouble.tasks.task import TERMINAL, Created, Task, TaskId

RETRY_SECONDS = 2.0
"""``Retry-After`` of a request that may not wait for a result now."""


async def wait_for_new(
    request: Request, secret: str | None, created: Created, submission: Submission, seconds: float
) -> TaskView:
    """The new task when it ends, or its state after ``seconds``; its state at creation if the wait must be given up."""
    try:
        return await wait_for(request, secret, created.id, lambda task: task.status in TERMINAL, seconds)
    except REPEATED_BY_CLIENTS:
        return new_task(created, submission)


async def wait_for(
    request: Request, secret: str | None, task_id: TaskId, reached: Callable[[Task], bool], seconds: float | None = None
) -> TaskView:
    """The task as soon as ``reached`` is true of it, or after ``seconds`` (None: no limit).

    A waiting request counts as an open event stream of the account. Raises RateLimited for too many of them,
    ClientDisconnect, and Maintenance if the process stops meanwhile; what ``read_task`` raises.
    """
    streams: EventStreams = request.app.state.streams
    deadline = None if seconds is None else time.monotonic() + seconds
    view = await read_task(request, secret, str(task_id))
    if reached(view.task):
        return view
    leave_place(request.scope)
    with streams.opened(view.task.account) as allowed:
        if not allowed:
            raise RateLimited("Too many requests of this account are waiting for results", retry_seconds=RETRY_SECONDS)
        async with get_tasks(request).changes(task_id) as changes:
            # Read again: the task may have changed before the watch began.
            while not reached((view := await read_task(request, secret, str(task_id))).task):
                while True:
                    if streams.closing:
                        message = "The service is stopping; repeat the request to go on waiting"
                        raise Maintenance(message, retry_seconds=RETRY_SECONDS)
                    if await request.is_disconnected():
                        raise ClientDisconnect
                    left = POLL_SECONDS if deadline is None else min(POLL_SECONDS, deadline - time.monotonic())
                    if left <= 0:
                        return view
                    if await changes.wait(left):
                        break
    return view
