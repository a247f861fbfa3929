"""The use cases of signing in: a link that works once, a session, its end."""

import hashlib
import re
import secrets
from dataclasses import dataclass

from bodydouble.tasks.errors import Unauthenticated
from bodydouble.tasks.ports import AccountStore, SessionStore
from bodydouble.tasks.session import NewSession, Role, Session

TOKEN_BYTES = 32
TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}\Z")
"""What 32 random bytes look like in the URL alphabet of base64; nothing else is looked up."""
LINK_EXPIRED = "This sign-in link was used already or has expired; ask for a new one."


@dataclass(frozen=True, kw_only=True)
class SessionLimits:
    """How long links and sessions hold."""

    link_seconds: float = 3600
    session_seconds: float = 7 * 24 * 3600


def sign_in_url(base_url: str, token: str) -> str:
    """The address that a link has."""
    return f"{base_url}/sign-in?link={token}"


class SessionService:
    """Who may use the console."""

    def __init__(self, sessions: SessionStore, accounts: AccountStore, limits: SessionLimits) -> None:
        self._sessions, self._accounts, self.limits = sessions, accounts, limits

    async def make_link_token(self, account_name: str, role: Role) -> str:
        """What a link carries that signs in once for this account. Raises NotFound: no such account."""
        account = await self._accounts.find_account(account_name)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await self._sessions.add_link(
            NewSession(token_hash=_hash(token), account=account.id, role=role, seconds=self.limits.link_seconds)
        )
        return token

    async def sign_in(self, link_token: str) -> str:
        """The token of a new session. Raises Unauthenticated where the link is none that holds."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        if not TOKEN_PATTERN.match(link_token) or not await self._sessions.redeem_link(
            _hash(link_token), _hash(token), self.limits.session_seconds
        ):
            raise Unauthenticated(LINK_EXPIRED)
        return token

    async def sign_in_as(self, account_name: str, role: Role) -> str:
        """The token of a new session for somebody whom another service vouches for; makes the account if need be."""
        account = await self._accounts.ensure_account(account_name)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await self._sessions.add_session(
            NewSession(token_hash=_hash(token), account=account.id, role=role, seconds=self.limits.session_seconds)
        )
        return token

    async def session(self, token: str | None) -> Session:
        """Whose session this is. Raises Unauthenticated: none, over, or of an account that is switched off."""
        found = await self._sessions.get_session(_hash(token)) if token and TOKEN_PATTERN.match(token) else None
        if found is None or found.account.disabled:
            raise Unauthenticated("Sign in first")
        return found

    async def sign_out(self, token: str) -> None:
        """The session ends, everywhere and at once."""
        await self._sessions.end_session(_hash(token))


def _hash(token: str) -> bytes:
    # Fast on purpose: the token has 256 random bits, so there is no dictionary to slow down.
    return hashlib.sha256(token.encode()).digest()
