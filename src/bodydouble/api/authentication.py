"""Whose request this is."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from bodydouble.service import Service
from bodydouble.tasks.account import API_KEY_PATTERN, Account

_header = APIKeyHeader(name="x-api-key", auto_error=False, description="Your key: ak_ and 32 hexadecimal digits.")
_bearer = HTTPBearer(auto_error=False, description="The same key as a bearer token.")


def get_service(request: Request) -> Service:
    """The use cases, as wired at start-up."""
    return request.app.state.service


async def authenticated(
    service: Annotated[Service, Depends(get_service)],
    header: Annotated[str | None, Security(_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Account:
    """The account of the request's key. Raises Unauthenticated, KeyDisabled."""
    secret = header or (bearer.credentials if bearer else None)
    # What cannot be a key is not looked up: no load, and nothing strange reaches the database.
    return await service.authenticate(secret if secret and API_KEY_PATTERN.match(secret) else None)


ServiceDep = Annotated[Service, Depends(get_service)]
AccountDep = Annotated[Account, Depends(authenticated)]
