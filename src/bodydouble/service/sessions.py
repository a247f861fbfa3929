"""Sign-in links and sessions of the console."""

import hashlib
import re
import secrets
from dataclasses import dataclass

from bodydouble.tasks.errors import Unauthenticated
from bodydouble.tasks.ports import AccountStore, SessionStore
from bodydouble.tasks.session import NewSession, Session, SessionRole

TOKEN_BYTES = 32
TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}\Z")
"""32 bytes in URL-safe base64. Other texts are not looked up."""
LINK_EXPIRED = "This sign-in link has been used or has expired; request a new one."


@dataclass(frozen=True, kw_only=True)
class SessionLimits:
    """Lifetimes of links and sessions."""

    link_seconds: float = 3600
    session_seconds: float = 7 * 24 * 3600


def sign_in_url(base_url: str, token: str) -> str:
    """The address of a sign-in link."""
    return f"{base_url}/sign-in?link={token}"


class SessionService:
    """Signing in to the console and out of it."""

    def __init__(self, sessions: SessionStore, accounts: AccountStore, limits: SessionLimits) -> None:
        self._sessions, self._accounts, self.limits = sessions, accounts, limits

    async def make_link_token(self, account_name: str, role: SessionRole) -> str:
        """The token of a link that signs in once for this account. Raises NotFound."""
        account = await self._accounts.find_account(account_name)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await self._sessions.add_link(
            NewSession(token_hash=_hash(token), account=account.id, role=role, seconds=self.limits.link_seconds)
        )
        return token

    async def sign_in(self, link_token: str) -> str:
        """The token of a new session. Raises Unauthenticated for an unknown, used or expired link."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        if not TOKEN_PATTERN.match(link_token) or not await self._sessions.redeem_link(
            _hash(link_token), _hash(token), self.limits.session_seconds
        ):
            raise Unauthenticated(LINK_EXPIRED)
        return token

    async def sign_in_as(self, account_name: str, role: SessionRole) -> str:
        """The token of a new session for an authenticated user; creates the account if there is none."""
        account = await self._accounts.ensure_account(account_name)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await self._sessions.add_session(
            NewSession(token_hash=_hash(token), account=account.id, role=role, seconds=self.limits.session_seconds)
        )
        return token

    async def session(self, token: str | None) -> Session:
        """The session of a token. Raises Unauthenticated if unknown, expired, or of a disabled account."""
        found = await self._sessions.get_session(_hash(token)) if token and TOKEN_PATTERN.match(token) else None
        if found is None or found.account.disabled:
            raise Unauthenticated("Sign in first")
        return found

    async def sign_out(self, token: str) -> None:
        """End the session, effective immediately everywhere."""
        await self._sessions.end_session(_hash(token))


def _hash(token: str) -> bytes:
    # A fast hash is sufficient: the token has 256 random bits, so it cannot be guessed from a dictionary.
    return hashlib.sha256(token.encode()).digest()
