"""Sign-in links and sessions of the console."""

import dataclasses
import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bodydouble.service.sessions import SessionLimits, SessionService, sign_in_url
from bodydouble.tasks.account import Account, AccountId
from bodydouble.tasks.errors import Unauthenticated
from bodydouble.tasks.session import NewSession, Session, SessionRole

pytestmark = pytest.mark.anyio


class Store:
    """Satisfies what the service needs of ``SessionStore`` and ``AccountStore``: one account."""

    def __init__(self) -> None:
        self.account = Account(id=AccountId(1), name="studio", balance=Decimal(0))
        self.links: dict[bytes, NewSession] = {}
        self.sessions: dict[bytes, NewSession] = {}
        self.reads = 0

    async def find_account(self, name: str) -> Account:
        return self.account

    ensure_account = find_account

    async def add_link(self, link: NewSession) -> None:
        self.links[link.token_hash] = link

    async def redeem_link(self, link_hash: bytes, session_hash: bytes, seconds: float) -> bool:
        link = self.links.pop(link_hash, None)
        if link is not None:
            self.sessions[session_hash] = link
        return link is not None

    async def add_session(self, session: NewSession) -> None:
        self.sessions[session.token_hash] = session

    async def get_session(self, token_hash: bytes) -> Session | None:
        self.reads += 1
        found = self.sessions.get(token_hash)
        return found and Session(account=self.account, role=found.role, expires_at=datetime.now(UTC))

    async def end_session(self, token_hash: bytes) -> None:
        self.sessions.pop(token_hash, None)


@pytest.fixture
def store() -> Any:
    return Store()


@pytest.fixture
def service(store: Any) -> SessionService:
    return SessionService(store, store, SessionLimits(link_seconds=60, session_seconds=600))


async def test_a_link_signs_in_once(service: SessionService) -> None:
    """The session has the link's role; the link used again is refused."""
    link = await service.make_link_token("studio", SessionRole.OPERATOR)
    session = await service.session(await service.sign_in(link))
    assert (session.account.name, session.role) == ("studio", SessionRole.OPERATOR)
    with pytest.raises(Unauthenticated, match="used or has expired"):
        await service.sign_in(link)


async def test_only_hashes_of_tokens_are_stored(service: SessionService, store: Any) -> None:
    """Who reads the database can sign in with nothing in it."""
    link = await service.make_link_token("studio", SessionRole.USER)
    token = await service.sign_in_as("studio", SessionRole.USER)
    assert list(store.links) == [hashlib.sha256(link.encode()).digest()]
    assert list(store.sessions) == [hashlib.sha256(token.encode()).digest()]


async def test_the_lifetimes_are_those_of_the_limits(service: SessionService, store: Any) -> None:
    """A link and a session have one each."""
    await service.make_link_token("studio", SessionRole.USER)
    await service.sign_in_as("studio", SessionRole.USER)
    assert [row.seconds for row in (*store.links.values(), *store.sessions.values())] == [60, 600]


async def test_texts_that_are_no_tokens_are_not_looked_up(service: SessionService, store: Any) -> None:
    """Missing, short and strange tokens ask nothing of the database."""
    for token in (None, "", "short", "x" * 42 + "é", "x" * 44):
        with pytest.raises(Unauthenticated):
            await service.session(token)
    assert store.reads == 0


async def test_a_session_ends_with_the_sign_out_and_with_its_account(service: SessionService, store: Any) -> None:
    """Afterwards the token is worth nothing."""
    token = await service.sign_in_as("studio", SessionRole.USER)
    store.account = dataclasses.replace(store.account, disabled=True)
    with pytest.raises(Unauthenticated):
        await service.session(token)
    store.account = dataclasses.replace(store.account, disabled=False)
    await service.session(token)
    await service.sign_out(token)
    with pytest.raises(Unauthenticated):
        await service.session(token)


def test_a_link_is_an_address_of_the_console() -> None:
    """It carries the token in its query."""
    assert sign_in_url("https://double.example", "abc") == "https://double.example/sign-in?link=abc"
