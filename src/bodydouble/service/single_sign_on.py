"""Signing in with another service's word for somebody.

Between leaving for the provider and coming back nothing is stored here: what has to be known then travels in a cookie
that only this installation can make.
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
LOST = "This sign-in was begun in another browser, or longer than ten minutes ago; begin again."


@dataclass(frozen=True, kw_only=True)
class Departure:
    """Where the browser goes, and what it keeps until it comes back."""

    url: str
    ticket: str


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """The token of a new session, and where the visitor wanted to go."""

    token: str
    target: str


class SingleSignOn:
    """One provider; accounts are linked by its issuer and subject."""

    def __init__(
        self, provider: IdentityProvider, identities: IdentityStore, sessions: SessionService, master_secret: bytes
    ) -> None:
        self._provider, self._identities, self._sessions = provider, identities, sessions
        self._secret = hmac.digest(master_secret, b"single sign-on", hashlib.sha256)

    @property
    def name(self) -> str:
        """What people call the provider."""
        return self._provider.name

    async def depart(self, target: str) -> Departure:
        """Begin. Raises ProviderUnavailable."""
        attempt = SignInAttempt(
            **{field.name: secrets.token_urlsafe(32) for field in dataclasses.fields(SignInAttempt)}
        )
        until = int(time.time()) + ATTEMPT_SECONDS
        content = json.dumps([dataclasses.asdict(attempt), target, until]).encode()
        return Departure(
            url=await self._provider.authorization_url(attempt),
            ticket=base64.urlsafe_b64encode(self._sign(content) + content).decode(),
        )

    async def arrive(self, ticket: str, answer: Mapping[str, str]) -> Arrival:
        """Come back with the provider's answer, the query of the address that it sent the browser to.

        Raises ProviderUnavailable, IdentityRefused: nobody is signed in; Unauthenticated: the account is disabled.
        """
        attempt, target = self._read(ticket)
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise IdentityRefused(LOST)
        if "error" in answer:
            what = "was cancelled" if answer["error"] == "access_denied" else f"failed ({answer['error'][:40]})"
            raise IdentityRefused(f"The sign-in at {self.name} {what}.")
        identity = await self._provider.identify(attempt, answer.get("code", ""))
        account = await self._identities.account_of(identity)
        if account.disabled:
            raise IdentityRefused(f"The account {account.name} is disabled; ask the operator.")
        return Arrival(token=await self._sessions.sign_in_as(account.name, identity.role), target=target)

    def _read(self, ticket: str) -> tuple[SignInAttempt, str]:
        try:
            raw = base64.urlsafe_b64decode(ticket)
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
