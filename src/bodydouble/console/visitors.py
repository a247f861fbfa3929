"""Who looks at a page, what they may do, and that it was they who pressed the button."""

import hashlib
import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from bodydouble.console.wiring import Console
from bodydouble.service import Caller
from bodydouble.tasks.account import Account
from bodydouble.tasks.errors import InvalidParams, RateLimited, ScopeInsufficient
from bodydouble.tasks.session import Role, Session

COOKIE = "bodydouble_session"
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
SIGN_INS_PER_MINUTE = 20
ADDRESSES_MAX = 10_000
FIELDS_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody who is signed in."""

    session: Session
    token: str

    @property
    def account(self) -> Account:
        """Whose tasks, keys and credits are shown."""
        return self.session.account

    @property
    def caller(self) -> Caller:
        """The same person for the use cases."""
        return Caller(account=self.session.account)

    @property
    def is_operator(self) -> bool:
        """Whether the whole installation is shown too."""
        return self.session.role is Role.OPERATOR

    @property
    def csrf(self) -> str:
        """What each form of this session carries; a page of somebody else's cannot know it."""
        return csrf_token(self.token)


def csrf_token(session_token: str) -> str:
    """Derived (HMAC-SHA256), so that no process has to store it."""
    return hmac.digest(session_token.encode(), b"csrf", hashlib.sha256).hex()


def get_console(request: Request) -> Console:
    """What the pages were given at start-up."""
    return request.app.state.console


async def visitor(request: Request, console: Annotated[Console, Depends(get_console)]) -> Visitor:
    """Who is signed in. Raises Unauthenticated."""
    token = request.cookies.get(COOKIE)
    session = await console.sessions.session(token)
    assert token is not None, "no session without a token"
    return Visitor(session=session, token=token)


async def operator(who: Annotated[Visitor, Depends(visitor)]) -> Visitor:
    """Who is signed in, if it is an operator. Raises Unauthenticated, ScopeInsufficient."""
    if not who.is_operator:
        raise ScopeInsufficient("This page is for operators of the installation")
    return who


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form, without spaces around them. Raises InvalidParams."""
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=FIELDS_MAX)
    except ValueError:
        raise InvalidParams(["form: cannot be read"]) from None
    return {name: value.strip() for name, value in pairs}


async def check_posted(request: Request) -> None:
    """That a page of ours sent this, in the session that it was made for. Raises ScopeInsufficient."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ScopeInsufficient("This request came from another site and was not carried out")
    token = request.cookies.get(COOKIE)
    if token is None:  # nobody is signed in: there is nothing to do in anybody's name
        return
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        given = (await read_form(request)).get(CSRF_FIELD)
    if given is None or not hmac.compare_digest(given.encode(), csrf_token(token).encode()):
        raise ScopeInsufficient("This page is from an earlier session; load it again and repeat what you did")


class SignInLimit:
    """How often one address may try to sign in, at one process.

    Tokens have 256 random bits, so this is for the service's peace and not against guessing.
    """

    def __init__(self, per_minute: int = SIGN_INS_PER_MINUTE) -> None:
        self._step, self._burst_seconds = 60 / per_minute, 60.0
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def note(self, address: str) -> None:
        """One more try. Raises RateLimited."""
        now = time.monotonic()
        full_at = max(self._full_at.get(address, now), now) + self._step
        if full_at > now + self._burst_seconds:
            wait = full_at - now - self._burst_seconds
            raise RateLimited(f"Too many sign-ins; try again in {wait:.0f} seconds", retry_seconds=wait)
        self._full_at[address] = full_at
        self._full_at.move_to_end(address)
        if len(self._full_at) > ADDRESSES_MAX:
            self._full_at.popitem(last=False)


ConsoleDep = Annotated[Console, Depends(get_console)]
VisitorDep = Annotated[Visitor, Depends(visitor)]
OperatorDep = Annotated[Visitor, Depends(operator)]
FormDep = Annotated[dict[str, str], Depends(read_form)]
