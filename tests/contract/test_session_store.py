"""What every store of sessions holds to."""

import hashlib
from collections.abc import AsyncIterator

import pytest

from bodydouble.service import SessionLimits, SessionService
from bodydouble.store import Database, PostgresAccountStore, PostgresSessionStore
from bodydouble.tasks.errors import NotFound, Unauthenticated
from bodydouble.tasks.session import SessionRole

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(empty_database: str) -> AsyncIterator[Database]:
    """Connections to a database of the test's own."""
    database = await Database.connect(empty_database)
    yield database
    await database.close()


@pytest.fixture
async def service(database: Database) -> SessionService:
    """The use cases, with one account called studio."""
    accounts = PostgresAccountStore(database)
    await accounts.ensure_account("studio")
    return SessionService(PostgresSessionStore(database), accounts, SessionLimits())


async def test_link_signs_in_once(service: SessionService) -> None:
    """A link makes one session of its account and role; the second use is refused."""
    link = await service.make_link_token("studio", SessionRole.OPERATOR)
    session = await service.session(await service.sign_in(link))
    assert (session.account.name, session.role) == ("studio", SessionRole.OPERATOR)
    with pytest.raises(Unauthenticated):
        await service.sign_in(link)


async def test_tokens_are_stored_hashed(service: SessionService, database: Database) -> None:
    """Neither the link's token nor the session's stands in the database."""
    link = await service.make_link_token("studio", SessionRole.USER)
    stored = await database._pool.fetch("select token_hash from sign_in_link")
    assert [bytes(row[0]) for row in stored] == [hashlib.sha256(link.encode()).digest()]
    token = await service.sign_in(link)
    stored = await database._pool.fetch("select token_hash from session")
    assert [bytes(row[0]) for row in stored] == [hashlib.sha256(token.encode()).digest()]


async def test_sign_out_ends_the_session(service: SessionService) -> None:
    """After the sign-out the token is nobody's."""
    token = await service.sign_in_as("studio", SessionRole.USER)
    await service.sign_out(token)
    with pytest.raises(Unauthenticated):
        await service.session(token)


async def test_expired_links_and_sessions_are_refused(database: Database) -> None:
    """What is past its time signs nobody in."""
    accounts = PostgresAccountStore(database)
    await accounts.ensure_account("studio")
    service = SessionService(
        PostgresSessionStore(database), accounts, SessionLimits(link_seconds=-1, session_seconds=-1)
    )
    with pytest.raises(Unauthenticated):
        await service.sign_in(await service.make_link_token("studio", SessionRole.USER))
    with pytest.raises(Unauthenticated):
        await service.session(await service.sign_in_as("studio", SessionRole.USER))


async def test_session_of_a_disabled_account_is_refused(service: SessionService, database: Database) -> None:
    """Switching an account off ends what its people may see, at once."""
    token = await service.sign_in_as("studio", SessionRole.USER)
    account = (await service.session(token)).account
    await PostgresAccountStore(database).set_limits(account.id, None, None, disabled=True)
    with pytest.raises(Unauthenticated):
        await service.session(token)


@pytest.mark.parametrize("token", [None, "", "x", "é" * 43, "nobody".ljust(43, "x")])
async def test_strange_tokens_are_nobody(service: SessionService, token: str | None) -> None:
    """What is no token, or nobody's, is refused without a fault."""
    with pytest.raises(Unauthenticated):
        await service.session(token)
    with pytest.raises(Unauthenticated):
        await service.sign_in(token or "")


async def test_link_for_nobody_is_refused(service: SessionService) -> None:
    """A link is made for accounts that there are."""
    with pytest.raises(NotFound):
        await service.make_link_token("nobody", SessionRole.USER)
