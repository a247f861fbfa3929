"""Sessions and sign-in links of the console."""

from bodydouble.store.postgres.database import Database
from bodydouble.store.postgres.rows import to_account
from bodydouble.tasks.session import NewSession, Session, SessionRole


class PostgresSessionStore:
    """Satisfies ``tasks.ports.SessionStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_link(self, link: NewSession) -> None:
        await self._database.row("clear_sessions")
        await self._database.row("add_link", link.token_hash, link.account, link.role.value, link.seconds)

    async def redeem_link(self, link_hash: bytes, session_hash: bytes, seconds: float) -> bool:
        await self._database.row("clear_sessions")
        return await self._database.row("redeem_link", link_hash, session_hash, seconds) is not None

    async def add_session(self, session: NewSession) -> None:
        await self._database.row(
            "add_session", session.token_hash, session.account, session.role.value, session.seconds
        )

    async def get_session(self, token_hash: bytes) -> Session | None:
        row = await self._database.row("get_session", token_hash)
        return (
            Session(account=to_account(row), role=SessionRole(row["role"]), expires_at=row["expires_at"])
            if row
            else None
        )

    async def end_session(self, token_hash: bytes) -> None:
        await self._database.row("end_session", token_hash)
