"""Authentication of requests by API key, and the dependencies that routes declare."""

from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from bodydouble.api.rate_limit import RequestLimiter
from bodydouble.api.request_headers import header_values, request_state
from bodydouble.service import AccountService, CallbackService, Caller, PeopleService, TaskService, VerificationService
from bodydouble.tasks.account import API_KEY_PATTERN, hash_api_key

_header = APIKeyHeader(name="x-api-key", auto_error=False, description="Your API key: `ak_` and 32 hexadecimal digits.")
_bearer = HTTPBearer(auto_error=False, description="The same API key as a bearer token.")
SECURITY: list[dict[str, Any]] = [{"APIKeyHeader": []}, {"HTTPBearer": []}]
"""OpenAPI security of endpoints that read the key themselves."""


def get_tasks(request: Request) -> TaskService:
    """The task service."""
    tasks: TaskService = request.scope["app"].state.services.tasks
    return tasks


def get_accounts(request: Request) -> AccountService:
    """The account service."""
    return request.app.state.services.accounts


def get_callbacks(request: Request) -> CallbackService:
    """The callback service."""
    return request.app.state.services.callbacks


def get_people(request: Request) -> PeopleService:
    """The service that finds the people of a video."""
    return request.app.state.services.people


def get_verification(request: Request) -> VerificationService:
    """The service that reads the marks of files."""
    return request.app.state.services.verification


def read_key(request: Request, scheme: bytes = b"bearer ") -> str | None:
    """The API key of the request headers, not yet verified. None if it is missing or malformed.

    ``scheme``: the scheme of ``Authorization``, in lower case and with a space. ``x-api-key`` works in every dialect.
    """
    headers = header_values(request.scope)
    given = headers.get(b"x-api-key")
    if not given:
        authorization = headers.get(b"authorization", b"")
        has_scheme = authorization[: len(scheme)].lower() == scheme
        given = authorization[len(scheme) :].strip() if has_scheme else b""
    secret = given.decode("latin-1")
    return secret if API_KEY_PATTERN.match(secret) else None


def count_request(request: Request, secret: str | None) -> None:
    """Count one request against the key's rate limit and report the limit in the response. Raises RateLimited."""
    if secret is not None:
        limit: RequestLimiter = request.scope["app"].state.request_limiter
        request_state(request.scope)["rate"] = limit.take(hash_api_key(secret))


async def identify(request: Request, secret: str | None) -> Caller:
    """The caller that the request's key belongs to. Raises Unauthenticated, KeyDisabled, RateLimited."""
    count_request(request, secret)
    caller = await get_tasks(request).authenticate(secret)
    request_state(request.scope)["account"] = caller.id
    return caller


async def authenticated(
    request: Request,
    header: Annotated[str | None, Security(_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Caller:
    """Same as ``identify``; the parameters make OpenAPI say that a key is required."""
    return await identify(request, read_key(request))


TasksDep = Annotated[TaskService, Depends(get_tasks)]
AccountsDep = Annotated[AccountService, Depends(get_accounts)]
PeopleDep = Annotated[PeopleService, Depends(get_people)]
VerificationDep = Annotated[VerificationService, Depends(get_verification)]
CallbacksDep = Annotated[CallbackService, Depends(get_callbacks)]
CallerDep = Annotated[Caller, Depends(authenticated)]
