"""People who sign in through an identity provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bodydouble.tasks.account import Account, AccountId
from bodydouble.tasks.session import SessionRole


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person at a provider. Issuer and subject never change; name and role may at every sign-in."""

    issuer: str
    subject: str
    name: str  # for people: the e-mail address if there is one
    role: SessionRole


@dataclass(frozen=True, kw_only=True)
class KnownIdentity:
    """A person who has signed in through a provider, or whom an operator has admitted."""

    issuer: str
    subject: str
    name: str  # at the last sign-in; empty before the first
    account: str  # its name
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class SignInAttempt:
    """Random values, used once, that bind the provider's answer to the browser that started the sign-in."""

    state: str
    nonce: str
    verifier: str  # PKCE code verifier, RFC 7636


class IdentityProvider(Protocol):
    """An identity provider."""

    @property
    def name(self) -> str:
        """Its name, for people."""
        ...

    async def authorization_url(self, attempt: SignInAttempt) -> str:
        """The address that the browser opens to sign in. Raises ProviderUnavailable."""
        ...

    async def identify(self, attempt: SignInAttempt, code: str) -> Identity:
        """The person that this authorization code stands for. Raises ProviderUnavailable, IdentityRefused."""
        ...


class IdentityStore(Protocol):
    """Which account belongs to which identity."""

    async def account_of(self, identity: Identity) -> Account:
        """The identity's account. The first sign-in creates one, even if an account of this name exists."""
        ...

    async def admit(self, issuer: str, subject: str, account: AccountId) -> None:
        """Assign this account to an identity, whether it has signed in before or not. Replaces a former account."""
        ...

    async def list(self) -> Sequence[KnownIdentity]:
        """All known identities, last seen first."""
        ...
