"""Sessions of console users, protection against cross-site requests, and the limit on sign-in attempts."""

import hashlib
import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from bodydouble.console.dependencies import Console
from bodydouble.service import Caller
from bodydouble.service.json_input import reject_nul
from bodydouble.tasks.account import Account
from bodydouble.tasks.errors import InvalidParams, RateLimited, ScopeInsufficient
from bodydouble.tasks.session import Session, SessionRole

COOKIE = "bodydouble_session"
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
SIGN_INS_PER_MINUTE = 20
ADDRESSES_MAX = 10_000
FIELDS_MAX = 100
"""Fields of a form."""


@dataclass(frozen=True, kw_only=True)
class SignedInUser:
    """A user of the console with a valid session."""

    session: Session
    token: str

    @property
    def account(self) -> Account:
        """The account whose tasks, keys and credits are shown."""
        return self.session.account

    @property
    def caller(self) -> Caller:
        """The user as a caller of services."""
        return Caller(account=self.session.account)

    @property
    def is_operator(self) -> bool:
        """Whether the user may see and change the whole installation."""
        return self.session.role is SessionRole.OPERATOR

    @property
    def csrf(self) -> str:
        """The CSRF token in each form of this session."""
        return csrf_token(self.token)


def csrf_token(session_token: str) -> str:
    """The CSRF token of a session, derived with HMAC-SHA256 so that it need not be stored."""
    return hmac.digest(session_token.encode(), b"csrf", hashlib.sha256).hex()


def get_console(request: Request) -> Console:
    """The services and settings of the pages."""
    return request.app.state.console


async def signed_in_user(request: Request, console: Annotated[Console, Depends(get_console)]) -> SignedInUser:
    """The user of the session cookie. Raises Unauthenticated."""
    token = request.cookies.get(COOKIE)
    session = await console.sessions.session(token)
    assert token is not None, "no session without a token"
    return SignedInUser(session=session, token=token)


async def operator(user: Annotated[SignedInUser, Depends(signed_in_user)]) -> SignedInUser:
    """The user of the session cookie, who must be an operator. Raises Unauthenticated, ScopeInsufficient."""
    if not user.is_operator:
        raise ScopeInsufficient("Only operators of the installation may open this page")
    return user


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form, with surrounding spaces removed. Raises InvalidParams."""
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=FIELDS_MAX)
    except ValueError:
        raise InvalidParams(["form: is not a valid form"]) from None
    reject_nul(text for pair in pairs for text in pair)
    return {name: value.strip() for name, value in pairs}


async def check_posted(request: Request) -> None:
    """Check that a page of this session sent the request. Raises ScopeInsufficient."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ScopeInsufficient("This request came from another site and was rejected")
    token = request.cookies.get(COOKIE)
    if token is None:  # no session: no user whose rights could be misused
        return
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        given = (await read_form(request)).get(CSRF_FIELD)
    if given is None or not hmac.compare_digest(given.encode(), csrf_token(token).encode()):
        raise ScopeInsufficient("This page is from an earlier session; reload it and try again")


class SignInLimit:
    """Limits sign-in attempts of each IP address, in one process.

    It protects against load. Guessing is impossible anyway: tokens have 256 random bits.
    """

    def __init__(self, per_minute: int = SIGN_INS_PER_MINUTE) -> None:
        self._step, self._burst_seconds = 60 / per_minute, 60.0
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def count(self, address: str) -> None:
        """Count one attempt. Raises RateLimited."""
        now = time.monotonic()
        full_at = max(self._full_at.get(address, now), now) + self._step
        if full_at > now + self._burst_seconds:
            wait = full_at - now - self._burst_seconds
            raise RateLimited(f"Too many sign-in attempts; try again in {wait:.0f} seconds", retry_seconds=wait)
        self._full_at[address] = full_at
        self._full_at.move_to_end(address)
        if len(self._full_at) > ADDRESSES_MAX:
            self._full_at.popitem(last=False)


ConsoleDep = Annotated[Console, Depends(get_console)]
UserDep = Annotated[SignedInUser, Depends(signed_in_user)]
OperatorDep = Annotated[SignedInUser, Depends(operator)]
FormDep = Annotated[dict[str, str], Depends(read_form)]
