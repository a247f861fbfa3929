"""Signing in through a provider, without anything stored between request and callback."""

import base64
import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from bodydouble.service import single_sign_on
from bodydouble.service.single_sign_on import ATTEMPT_SECONDS, SingleSignOn
from bodydouble.tasks.account import Account, AccountId
from bodydouble.tasks.errors import IdentityRefused
from bodydouble.tasks.identity import Identity, SignInAttempt
from bodydouble.tasks.session import SessionRole

pytestmark = pytest.mark.anyio
STUDIO = Account(id=AccountId(1), name="studio", balance=Decimal(0))


class Provider:
    """Satisfies ``IdentityProvider`` and the stores of the service; knows one person."""

    name = "the studio"

    def __init__(self) -> None:
        self.account = STUDIO
        self.codes: list[str] = []

    async def authorization_url(self, attempt: SignInAttempt) -> str:
        return f"https://provider.example/?state={attempt.state}"

    async def identify(self, attempt: SignInAttempt, code: str) -> Identity:
        self.codes.append(code)
        return Identity(issuer="https://provider.example", subject="7", name="ann", role=SessionRole.OPERATOR)

    async def account_of(self, identity: Identity) -> Account:
        return self.account

    async def sign_in_as(self, account_name: str, role: SessionRole) -> str:
        return f"session of {account_name}, {role}"


@pytest.fixture
def provider() -> Any:
    return Provider()


@pytest.fixture
def sign_on(provider: Any) -> SingleSignOn:
    return SingleSignOn(provider, provider, provider, b"a secret of the test")


def state_of(url: str) -> str:
    return url.split("state=")[1]


async def test_the_answer_to_its_own_request_signs_in(sign_on: SingleSignOn, provider: Any) -> None:
    """The session is the account's with the provider's role; the visitor goes where they wanted to."""
    begun = await sign_on.begin("/tasks")
    signed_in = await sign_on.complete(begun.cookie, {"state": state_of(begun.url), "code": "abc"})
    assert (signed_in.token, signed_in.target) == ("session of studio, operator", "/tasks")
    assert provider.codes == ["abc"]


async def test_no_two_requests_share_a_value(sign_on: SingleSignOn) -> None:
    """State, nonce and verifier are new each time."""
    urls = {(await sign_on.begin("/")).url for _ in range(3)}
    assert len(urls) == 3


async def test_an_answer_to_another_browser_is_refused(sign_on: SingleSignOn, provider: Any) -> None:
    """Another request's cookie, a changed one, one of another installation, and none at all."""
    ours, theirs = await sign_on.begin("/"), await sign_on.begin("/")
    foreign = await SingleSignOn(provider, provider, provider, b"another secret").begin("/")
    raw = bytearray(base64.urlsafe_b64decode(ours.cookie))
    raw[-1] ^= 1
    changed = base64.urlsafe_b64encode(raw).decode()
    for cookie, url in ((theirs.cookie, ours.url), (changed, ours.url), (foreign.cookie, foreign.url), ("", ours.url)):
        with pytest.raises(IdentityRefused, match="another browser"):
            await sign_on.complete(cookie, {"state": state_of(url), "code": "abc"})
    assert provider.codes == []


async def test_a_late_answer_is_refused(sign_on: SingleSignOn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes after the request its cookie counts no more."""
    begun = await sign_on.begin("/")
    now = single_sign_on.time.time()
    monkeypatch.setattr(single_sign_on.time, "time", lambda: now + ATTEMPT_SECONDS + 1)
    with pytest.raises(IdentityRefused, match="ten minutes"):
        await sign_on.complete(begun.cookie, {"state": state_of(begun.url), "code": "abc"})


@pytest.mark.parametrize(("error", "what"), [("access_denied", "was cancelled"), ("server_error", "failed")])
async def test_a_refusal_of_the_provider_is_told(sign_on: SingleSignOn, error: str, what: str) -> None:
    """The message has the provider's name, and whether the visitor or the provider ended it."""
    begun = await sign_on.begin("/")
    with pytest.raises(IdentityRefused, match=f"at the studio {what}"):
        await sign_on.complete(begun.cookie, {"state": state_of(begun.url), "error": error})


async def test_a_disabled_account_is_not_signed_in(sign_on: SingleSignOn, provider: Any) -> None:
    """The message names the account."""
    provider.account = dataclasses.replace(STUDIO, disabled=True)
    begun = await sign_on.begin("/")
    with pytest.raises(IdentityRefused, match="The account studio is disabled"):
        await sign_on.complete(begun.cookie, {"state": state_of(begun.url), "code": "abc"})
