"""Reading one task, the same in every dialect: key, rate limit, patience while the database is away."""

from fastapi import Request

from bodydouble.api.authentication import count_request, get_tasks
from bodydouble.service import TaskView


async def read_task(request: Request, secret: str | None, task_id: str) -> TaskView:
    """A task of the key's account, in one round trip to the database.

    While the database is briefly away the request is held. Raises Unauthenticated, KeyDisabled, RateLimited, NotFound,
    StorageUnavailable.
    """
    count_request(request, secret)
    service, hold = get_tasks(request), request.app.state.outage_hold
    caller, view = await hold.read(lambda: service.read_with_key(secret, task_id))
    request.state.account = caller.id
    return view
