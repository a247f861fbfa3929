"""Whose request this is."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from bodydouble.service import AccountService, CallbackService, Caller, TaskService
from bodydouble.tasks.account import API_KEY_PATTERN

_header = APIKeyHeader(name="x-api-key", auto_error=False, description="Your key: ak_ and 32 hexadecimal digits.")
_bearer = HTTPBearer(auto_error=False, description="The same key as a bearer token.")


def get_tasks(request: Request) -> TaskService:
    """The use cases of tasks, as wired at start-up."""
    return request.app.state.services.tasks


def get_accounts(request: Request) -> AccountService:
    """The use cases of accounts."""
    return request.app.state.services.accounts


def get_callbacks(request: Request) -> CallbackService:
    """The use cases of callbacks."""
    return request.app.state.services.callbacks


async def presented_key(
    header: Annotated[str | None, Security(_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> str | None:
    """The request's key, not looked up yet; None for what cannot be one: nothing strange reaches the database."""
    secret = header or (bearer.credentials if bearer else None)
    return secret if secret and API_KEY_PATTERN.match(secret) else None


async def authenticated(
    tasks: Annotated[TaskService, Depends(get_tasks)], secret: Annotated[str | None, Depends(presented_key)]
) -> Caller:
    """Who holds the request's key. Raises Unauthenticated, KeyDisabled."""
    return await tasks.authenticate(secret)


TasksDep = Annotated[TaskService, Depends(get_tasks)]
AccountsDep = Annotated[AccountService, Depends(get_accounts)]
CallbacksDep = Annotated[CallbackService, Depends(get_callbacks)]
SecretDep = Annotated[str | None, Depends(presented_key)]
CallerDep = Annotated[Caller, Depends(authenticated)]
