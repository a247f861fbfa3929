"""Signing in through an OpenID Connect provider.

Nothing is stored between the authorization request and the callback. What the callback needs travels in a cookie that
only this installation can sign.
"""

import base64
import binascii
import dataclasses
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from bodydouble.service.sessions import SessionService
from bodydouble.tasks.errors import IdentityRefused
from bodydouble.tasks.identity import IdentityProvider, IdentityStore, SignInAttempt

ATTEMPT_SECONDS = 600
"""Time from the authorization request to the callback."""
LOST = "This sign-in started in another browser or more than ten minutes ago. Start again."


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """The provider's address for the browser, and the cookie that the browser keeps until the callback."""

    url: str
    cookie: str


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """The token of a new session, and the page that the visitor asked for."""

    token: str
    target: str


class SingleSignOn:
    """Sign-in through one provider. Its issuer and subject identify an account."""

    def __init__(
        self, provider: IdentityProvider, identities: IdentityStore, sessions: SessionService, master_secret: bytes
    ) -> None:
        self._provider, self._identities, self._sessions = provider, identities, sessions
        self._secret = hmac.digest(master_secret, b"single sign-on", hashlib.sha256)

    @property
    def name(self) -> str:
        """The provider's name, for people."""
        return self._provider.name

    async def begin(self, target: str) -> AuthorizationRequest:
        """Start a sign-in. Raises ProviderUnavailable."""
        attempt = SignInAttempt(
            **{field.name: secrets.token_urlsafe(32) for field in dataclasses.fields(SignInAttempt)}
        )
        until = int(time.time()) + ATTEMPT_SECONDS
        content = json.dumps([dataclasses.asdict(attempt), target, until]).encode()
        return AuthorizationRequest(
            url=await self._provider.authorization_url(attempt),
            cookie=base64.urlsafe_b64encode(self._sign(content) + content).decode(),
        )

    async def complete(self, cookie: str, answer: Mapping[str, str]) -> SignedIn:
        """Sign in with the provider's answer: the query of the callback address.

        Raises:
            ProviderUnavailable. IdentityRefused: not this browser's sign-in, or the account is disabled.
        """
        attempt, target = self._read(cookie)
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise IdentityRefused(LOST)
        if "error" in answer:
            what = "was cancelled" if answer["error"] == "access_denied" else f"failed ({answer['error'][:40]})"
            raise IdentityRefused(f"The sign-in at {self.name} {what}.")
        identity = await self._provider.identify(attempt, answer.get("code", ""))
        account = await self._identities.account_of(identity)
        if account.disabled:
            raise IdentityRefused(f"The account {account.name} is disabled; ask the operator.")
        return SignedIn(token=await self._sessions.sign_in_as(account.name, identity.role), target=target)

    def _read(self, cookie: str) -> tuple[SignInAttempt, str]:
        try:
            raw = base64.urlsafe_b64decode(cookie)
        except (binascii.Error, ValueError):
            raise IdentityRefused(LOST) from None
        size = hashlib.sha256().digest_size
        if not hmac.compare_digest(raw[:size], self._sign(raw[size:])):
            raise IdentityRefused(LOST)
        attempt, target, until = json.loads(raw[size:])
        if until < time.time():
            raise IdentityRefused(LOST)
        return SignInAttempt(**attempt), target

    def _sign(self, content: bytes) -> bytes:
        return hmac.digest(self._secret, content, hashlib.sha256)
