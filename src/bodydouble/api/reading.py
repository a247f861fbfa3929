"""Reading one task, the same in every dialect: key, rate limit, and a wait while the database is away."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

from fastapi import Request

from bodydouble.api.authentication import count_request, get_tasks
from bodydouble.api.request_headers import request_state
from bodydouble.service import Submission, TaskView
from bodydouble.service.inputs import FILE_FIELDS
from bodydouble.tasks.data_url import is_data_url
from bodydouble.tasks.errors import Maintenance, RateLimited, StorageUnavailable
from bodydouble.tasks.task import Created, Task, TaskProgress, TaskSource, TaskStatus

REPEATED_BY_CLIENTS = (RateLimited, Maintenance, StorageUnavailable)
"""Errors after which clients repeat the request. After a create that would be a second task, and a second charge."""


async def read_task(request: Request, secret: str | None, task_id: str) -> TaskView:
    """A task of the key's account, in one round trip to the database.

    While the database is briefly away the request is held. Raises Unauthenticated, KeyDisabled, RateLimited, NotFound,
    StorageUnavailable.
    """
    count_request(request, secret)
    service, hold = get_tasks(request), request.scope["app"].state.outage_hold
    caller, view = await hold.read(lambda: service.read_with_key(secret, task_id))
    request_state(request.scope)["account"] = caller.id
    return view


async def read_new_task(request: Request, secret: str | None, created: Created, submission: Submission) -> TaskView:
    """A task that was created a moment ago. The database is asked only if it knows more than the request.

    That is the case for a repeated request, and for files within the request: they have addresses now.
    """
    if created.replayed or any(is_data_url(str(submission.inputs[field][0])) for field in FILE_FIELDS):
        with suppress(*REPEATED_BY_CLIENTS):
            return await read_task(request, secret, str(created.id))
    return new_task(created, submission)


def new_task(created: Created, submission: Submission) -> TaskView:
    """The task that a request has created, from the request alone. Files within the request have no addresses."""
    task = Task(
        id=created.id,
        account=created.account,
        model=submission.model,
        param=submission.param,
        inputs=submission.inputs,
        status=TaskStatus.PENDING,
        source=TaskSource.API,
        credits=Decimal(0),
        progress=TaskProgress(),
        result=None,
        cancel_requested=False,
        callback_url=submission.callback_url,
        created_at=datetime.now(UTC),
        started_at=None,
        completed_at=None,
    )
    return TaskView(task=task, queue_position=None, media_urls=())
