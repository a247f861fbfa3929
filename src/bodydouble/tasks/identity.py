"""Somebody whom an identity provider vouches for, and the one attempt at signing in that led there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bodydouble.tasks.account import Account, AccountId
from bodydouble.tasks.session import Role


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who it is: issuer and subject never change, name and role may at every sign-in."""

    issuer: str
    subject: str
    name: str  # for people: the e-mail address, where there is one
    role: Role


@dataclass(frozen=True, kw_only=True)
class KnownIdentity:
    """Somebody who came in through a provider, or whom an operator lets in."""

    issuer: str
    subject: str
    name: str  # as at the last sign-in; empty before the first
    account: str  # the name of theirs
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class SignInAttempt:
    """What ties an answer of the provider to the browser that asked; each part is random and used once."""

    state: str
    nonce: str
    verifier: str  # PKCE's, RFC 7636


class IdentityProvider(Protocol):
    """Another service that knows people."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def authorization_url(self, attempt: SignInAttempt) -> str:
        """Where the browser goes to sign in there. Raises ProviderUnavailable."""
        ...

    async def identify(self, attempt: SignInAttempt, code: str) -> Identity:
        """Who came back with this code. Raises ProviderUnavailable, IdentityRefused."""
        ...


class IdentityStore(Protocol):
    """Which account is whose."""

    async def account_of(self, identity: Identity) -> Account:
        """By issuer and subject; at the first time a new account, never one that was there under this name."""
        ...

    async def admit(self, issuer: str, subject: str, account: AccountId) -> None:
        """From the next sign-in on this account is theirs, whichever was before and whether they were here or not."""
        ...

    async def list(self) -> Sequence[KnownIdentity]:
        """All, the last seen first."""
        ...
