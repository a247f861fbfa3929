"""Signing in with OpenID Connect, against a provider that signs, checks, and lies."""

import dataclasses
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey

from bodydouble.outbound import GuardedClient, parse_networks
from bodydouble.outbound.identity import OpenIdProvider, ProviderOptions
from bodydouble.tasks.errors import IdentityRefused, InputRejected, ProviderUnavailable
from bodydouble.tasks.identity import Identity, SignInAttempt
from bodydouble.tasks.session import SessionRole
from oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, rsa_key, standing_provider

pytestmark = pytest.mark.anyio

ATTEMPT = SignInAttempt(state="a state", nonce="a nonce", verifier="v" * 43)
ADDRESS = {"email": "ada@studio.example", "email_verified": True}
LOOPBACK = GuardedClient(parse_networks("127.0.0.0/8"))


@pytest.fixture
def there() -> Iterator[Provider]:
    with standing_provider() as provider:
        yield provider


def options(there: Provider, **chosen: Any) -> ProviderOptions:
    good = ProviderOptions(
        name="the studio",
        issuer=there.url,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_url="http://127.0.0.1:8000/sign-in/callback",
    )
    return dataclasses.replace(good, **chosen)


async def code_of(provider: OpenIdProvider) -> str:
    """As a browser brings it."""
    address = await provider.authorization_url(ATTEMPT)
    async with httpx.AsyncClient() as browser:
        back = await browser.get(address.replace("/authorize?", "/grant?"))
    answer = parse_qs(urlsplit(back.headers["location"]).query)
    assert answer["state"] == [ATTEMPT.state]
    return answer["code"][0]


async def sign_in(there: Provider, **chosen: Any) -> Identity:
    provider = OpenIdProvider(options(there, **chosen), LOOPBACK)
    return await provider.identify(ATTEMPT, await code_of(provider))


async def test_a_good_sign_in_says_who_it_is(there: Provider) -> None:
    """Issuer and subject of the ID token, its address as name, and nobody is an operator unasked."""
    there.claims = ADDRESS | {"groups": ["operator"]}
    found = await sign_in(there)
    assert found == Identity(issuer=there.url, subject="ada-1", name="ada@studio.example", role=SessionRole.USER)


async def test_what_the_token_leaves_out_the_user_endpoint_tells(there: Provider) -> None:
    """Where it speaks of the same subject; else its word counts for nothing."""
    there.userinfo = {"preferred_username": "ada", "email": "ada@studio.example", "email_verified": True}
    assert (await sign_in(there, domains=["studio.example"])).name == "ada@studio.example"
    there.userinfo["sub"] = "somebody else"
    assert (await sign_in(there)).name == "ada-1"


@pytest.mark.parametrize(
    ("claims", "claim"),
    [
        ({"groups": ["artists", "leads"]}, "groups"),
        ({"groups": "leads"}, "groups"),
        ({"realm_access": {"roles": ["leads"]}}, "realm_access.roles"),
    ],
)
async def test_a_role_of_the_provider_makes_an_operator(there: Provider, claims: dict[str, Any], claim: str) -> None:
    """One value or a list, at any depth."""
    there.claims = claims
    assert (await sign_in(there, role_claim=claim, operator_role="leads")).role is SessionRole.OPERATOR
    assert (await sign_in(there, role_claim=claim, operator_role="lead")).role is SessionRole.USER
    assert (await sign_in(there, role_claim=f"{claim}.x", operator_role="leads")).role is SessionRole.USER


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another application"},
        {"aud": [CLIENT_ID, "another"]},
        {"azp": "another application"},
        {"nonce": "of another attempt"},
        {"nonce": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
    ],
    ids=str,
)
async def test_a_token_that_says_something_else_is_refused(there: Provider, claims: dict[str, Any]) -> None:
    """Issuer, audience, party, nonce, expiry, time of issue, subject: each is looked at."""
    there.claims = claims
    with pytest.raises(IdentityRefused, match="the studio"):
        await sign_in(there)


async def test_a_strange_signature_is_refused(there: Provider) -> None:
    """Another key under the same name; a secret that stands among the public keys; a key that is not shown."""
    there.key = rsa_key("first", 1)
    with pytest.raises(IdentityRefused):
        await sign_in(there)
    there.key, there.algorithm = OctKey.import_key("k" * 32, {"kid": "shared"}), "HS256"
    there.shown = [there.key]
    with pytest.raises(IdentityRefused):
        await sign_in(there)
    there.key, there.algorithm = rsa_key("hidden"), "RS256"
    there.shown = [rsa_key("first")]
    with pytest.raises(IdentityRefused):
        await sign_in(there)


async def test_new_keys_of_the_provider_are_found(there: Provider) -> None:
    """A key that is not known yet is asked for, soon after the last time only if a while has passed."""
    provider = OpenIdProvider(options(there), LOOPBACK)
    await provider.identify(ATTEMPT, await code_of(provider))
    there.key, there.algorithm = ECKey.generate_key("P-256", {"kid": "second"}), "ES256"
    there.shown.append(there.key)
    with pytest.raises(IdentityRefused):
        await provider.identify(ATTEMPT, await code_of(provider))
    provider._keys_at -= 61
    assert (await provider.identify(ATTEMPT, await code_of(provider))).subject == "ada-1"
    assert there.asked == ["metadata", "keys", "keys"]


async def test_a_code_is_good_once_and_with_its_verifier(there: Provider) -> None:
    """The provider refuses what was exchanged before, or is brought by somebody who did not ask for it."""
    provider = OpenIdProvider(options(there), LOOPBACK)
    code = await code_of(provider)
    await provider.identify(ATTEMPT, code)
    with pytest.raises(IdentityRefused, match="Start again"):
        await provider.identify(ATTEMPT, code)
    stolen = await code_of(provider)
    with pytest.raises(IdentityRefused, match="Start again"):
        await provider.identify(dataclasses.replace(ATTEMPT, verifier="w" * 43), stolen)


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        (ADDRESS | {"email": "ada@studio.example.org"}, "not in a domain"),
        (ADDRESS | {"email_verified": False}, "no verified e-mail"),
        ({}, "no verified e-mail"),
    ],
)
async def test_only_verified_addresses_of_the_domains_come_in(
    there: Provider, claims: dict[str, Any], message: str
) -> None:
    """Where the operator named domains."""
    there.claims = claims
    with pytest.raises(IdentityRefused, match=message):
        await sign_in(there, domains=["studio.example"])
    there.claims = ADDRESS
    assert (await sign_in(there, domains=["other.example", "Studio.example"])).subject == "ada-1"


async def test_a_provider_that_is_not_what_it_says_is_not_used(there: Provider) -> None:
    """Another issuer in its description; a secret that it does not know; nobody there; an inner address not allowed."""
    with pytest.raises(ProviderUnavailable, match="tell the operator"):
        await sign_in(there, client_secret="wrong")
    there.issuer = "https://elsewhere.example"
    with pytest.raises(ProviderUnavailable, match="does not identify itself"):
        await sign_in(there)
    with pytest.raises(ProviderUnavailable, match="does not respond"):
        await sign_in(there, issuer="http://127.0.0.1:9")
    with pytest.raises(ProviderUnavailable, match="does not respond"):
        await OpenIdProvider(options(there), GuardedClient()).authorization_url(ATTEMPT)


@pytest.mark.parametrize(
    ("chosen", "setting"),
    [
        ({"issuer": "http://sign-in.example"}, "OIDC_ISSUER"),
        ({"issuer": "https://sign-in.example?x"}, "OIDC_ISSUER"),
        ({"client_id": ""}, "OIDC_CLIENT_ID"),
        ({"scopes": "email"}, "OIDC_SCOPES"),
    ],
)
def test_settings_that_cannot_work_are_named(chosen: dict[str, str], setting: str) -> None:
    """At the start, not at the first sign-in."""
    with pytest.raises(InputRejected, match=setting):
        OpenIdProvider(options(Provider(url="https://sign-in.example"), **chosen), LOOPBACK)
