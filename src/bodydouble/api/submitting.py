"""Creating a task from a request, the same in every dialect: key, size of the body, repeated requests, log fields."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request

from bodydouble.api.authentication import get_tasks, identify
from bodydouble.api.fair_share import VALID_KEY, leave_place
from bodydouble.api.request_bodies import read_content
from bodydouble.api.request_headers import body_bytes, header_values, request_state
from bodydouble.service import Submission
from bodydouble.service.json_input import read_json_object
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.task import Created

UNVERIFIED_BODY_BYTES_MAX = 65_536
"""A larger body is read only after its key was verified, even if the key was valid a moment ago."""
LARGE_BODIES_MAX = 8
"""Bodies above that size that one process reads and parses at a time."""
T = TypeVar("T")
Parse = Callable[[dict[str, Any]], T]
"""Reads a JSON object. Raises InvalidParams."""


async def submit(
    request: Request,
    secret: str | None,
    parse: Parse[Submission],
    idempotency_key: Callable[[bytes], str | None] = lambda content: None,
    resolve: Callable[[Submission], Awaitable[Submission]] | None = None,
) -> Created:
    """Create the task that the body asks for. The request state gets account, task and rate limit.

    ``idempotency_key`` names the request, given its body; the second request of that name gets the first one's task.
    ``resolve`` replaces a vendor's names of uploads by addresses.

    Raises:
        InvalidParams: from ``parse``, ``idempotency_key`` or ``resolve``, only if the key is valid. What
        ``TaskService.submit`` raises.
    """
    try:
        content, submission = await read_body(request, secret, parse, creates=True)
        key = idempotency_key(content)
        if resolve is not None:
            submission = await resolve(submission)
    except InvalidParams:
        await identify(request, secret)  # without a valid key the response is 401, whatever the body is
        raise
    state = request_state(request.scope)
    leave_place(request.scope)  # the database stores many tasks at once, so do not hold the next ones up
    created = await get_tasks(request).submit(
        secret,
        submission,
        idempotency_key=key,
        body_hash=hashlib.sha256(content).digest() if key else None,
        traceparent=state["traceparent"],
    )
    state["rate"], state["account"], state["task_id"] = created.rate, created.account, created.id
    return created


async def read_body(request: Request, secret: str | None, parse: Parse[T], *, creates: bool = False) -> tuple[bytes, T]:
    """The body, and what ``parse`` reads from it. Only a few large bodies are in memory, one of each account.

    ``creates``: the key of a large body must allow to create tasks.
    """
    announced = body_bytes(header_values(request.scope))
    small = announced is not None and announced <= UNVERIFIED_BODY_BYTES_MAX
    if small and secret is not None and request.scope.get(VALID_KEY) == secret:
        return await _parse_body(request, parse)
    caller = await identify(request, secret)
    if small:
        return await _parse_body(request, parse)
    if creates:
        caller.require_write()
    async with request.app.state.large_bodies.slot(caller.id):
        return await _parse_body(request, parse)


async def _parse_body(request: Request, parse: Parse[T]) -> tuple[bytes, T]:
    content = await read_content(request)
    return content, parse(read_json_object(content))
