"""Whose request this is."""

from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from bodydouble.api.limits import ReadLimit
from bodydouble.service import AccountService, CallbackService, Caller, TaskService
from bodydouble.tasks.account import API_KEY_PATTERN, hash_api_key

_header = APIKeyHeader(name="x-api-key", auto_error=False, description="Your key: ak_ and 32 hexadecimal digits.")
_bearer = HTTPBearer(auto_error=False, description="The same key as a bearer token.")
SECURITY: list[dict[str, Any]] = [{"APIKeyHeader": []}, {"HTTPBearer": []}]
"""For the description of endpoints that read the key themselves."""


def get_tasks(request: Request) -> TaskService:
    """The use cases of tasks, as wired at start-up."""
    return request.app.state.services.tasks


def get_accounts(request: Request) -> AccountService:
    """The use cases of accounts."""
    return request.app.state.services.accounts


def get_callbacks(request: Request) -> CallbackService:
    """The use cases of callbacks."""
    return request.app.state.services.callbacks


def presented_key(request: Request) -> str | None:
    """The request's key, not looked up yet; None for what cannot be one: nothing strange reaches the database."""
    given = bearer = None
    for name, value in request.scope["headers"]:
        if name == b"x-api-key":
            given = value
        elif name == b"authorization" and value[:7].lower() == b"bearer ":
            bearer = value[7:].strip()
    secret = (given or bearer or b"").decode("latin-1")
    return secret if API_KEY_PATTERN.match(secret) else None


def count_read(request: Request, secret: str | None) -> None:
    """Count one request against the key's limit; its answer will say how that stands. Raises RateLimited."""
    if secret is not None:
        limit: ReadLimit = request.app.state.read_limit
        request.state.rate = limit.take(hash_api_key(secret))


async def identify(request: Request) -> Caller:
    """Who holds the request's key. Raises Unauthenticated, KeyDisabled, RateLimited."""
    secret = presented_key(request)
    count_read(request, secret)
    caller = await get_tasks(request).authenticate(secret)
    request.state.account = caller.id
    return caller


async def authenticated(
    request: Request,
    header: Annotated[str | None, Security(_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Caller:
    """As ``identify``, and the description says that a key is needed."""
    return await identify(request)


TasksDep = Annotated[TaskService, Depends(get_tasks)]
AccountsDep = Annotated[AccountService, Depends(get_accounts)]
CallbacksDep = Annotated[CallbackService, Depends(get_callbacks)]
CallerDep = Annotated[Caller, Depends(authenticated)]
