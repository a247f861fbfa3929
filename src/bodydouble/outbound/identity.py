"""Signing in with OpenID Connect: the authorization code flow with PKCE, against one provider.

It follows OpenID Connect Core 1.0 and Discovery 1.0. joserfc verifies signatures and claims. All requests go through
the guarded client.
"""

import base64
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

import structlog
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from bodydouble.outbound.client import GuardedClient, RequestLimits
from bodydouble.outbound.failure import RequestFailed
from bodydouble.tasks.errors import IdentityRefused, InputRejected, ProviderUnavailable
from bodydouble.tasks.identity import Identity, SignInAttempt
from bodydouble.tasks.session import SessionRole

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric algorithms only; ``none`` is rejected."""
LIMITS = RequestLimits(seconds_max=15, connect_seconds_max=5, stall_seconds_max=10, bytes_max=1_000_000)
METADATA_SECONDS, KEYS_SECONDS_MIN = 3600.0, 60.0
"""Lifetime of the provider's metadata; shortest time between two requests for its keys after an unknown key."""
LEEWAY_SECONDS = 60
"""Difference of clocks that is tolerated in an ID token's times."""
NAME_CHARACTERS_MAX = 150

_log = structlog.get_logger("bodydouble.identity")


@dataclass(frozen=True, kw_only=True)
class ProviderOptions:
    """The operator's settings."""

    name: str
    issuer: str
    client_id: str
    client_secret: str  # empty: a public client, protected by PKCE only
    redirect_url: str
    scopes: str = "openid email profile"
    domains: Sequence[str] = field(default_factory=tuple[str, ...])  # of verified e-mail addresses; empty: all
    role_claim: str = ""  # path of names, separated by dots
    operator_role: str = "operator"


class OpenIdProvider:
    """Satisfies ``tasks.identity.IdentityProvider``."""

    def __init__(self, options: ProviderOptions, client: GuardedClient) -> None:
        """Raises InputRejected for wrong options."""
        check_options(options)
        self._options, self._client, self.name = options, client, options.name
        self._metadata: Mapping[str, Any] = {}
        self._keys: jwk.KeySet | None = None
        self._metadata_at = self._keys_at = -METADATA_SECONDS

    async def authorization_url(self, attempt: SignInAttempt) -> str:
        """The provider's address for this sign-in, with state, nonce and PKCE's challenge (S256)."""
        challenge = hashlib.sha256(attempt.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._options.client_id,
            "redirect_uri": self._options.redirect_url,
            "scope": self._options.scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        endpoint = await self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def identify(self, attempt: SignInAttempt, code: str) -> Identity:
        """Exchange the code, verify the ID token, and check who may sign in."""
        answer = await self._exchange(attempt, code)
        claims = await self._checked_claims(str(answer.get("id_token", "")), attempt.nonce)
        if "email" not in claims and "userinfo_endpoint" in self._metadata:
            claims = await self._with_userinfo(claims, str(answer.get("access_token", "")))
        self._check_domain(claims)
        name = claims.get("email") or claims.get("preferred_username") or claims.get("name") or claims["sub"]
        return Identity(
            issuer=self._options.issuer,
            subject=str(claims["sub"]),
            name="".join(c for c in str(name) if c.isprintable())[:NAME_CHARACTERS_MAX],
            role=SessionRole.OPERATOR if self._is_operator(claims) else SessionRole.USER,
        )

    async def _exchange(self, attempt: SignInAttempt, code: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._options.redirect_url,
            "code_verifier": attempt.verifier,
        }
        endpoint = await self._endpoint("token_endpoint")
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        own, secret = self._options.client_id, self._options.client_secret
        methods = self._metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if secret and "client_secret_basic" in methods:
            pair = f"{quote(own, safe='')}:{quote(secret, safe='')}"  # RFC 6749, 2.3.1: encode, then join
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": own} | ({"client_secret": secret} if secret else {})
        status, answer = await self._ask("POST", endpoint, headers, urlencode(form).encode())
        if status != 200:
            _log.warning("the code was not exchanged", status=status, error=answer.get("error"))
            if answer.get("error") == "invalid_grant":
                raise IdentityRefused(f"{self.name} does not accept this sign-in any more. Start again.")
            raise ProviderUnavailable(f"{self.name} refused to complete the sign-in; tell the operator.")
        return answer

    async def _checked_claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        try:
            decoded = await self._decode(token)
            registry = jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self._options.issuer},
                aud={"essential": True, "value": self._options.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            registry.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            _log.warning("an ID token was refused", error=str(error))
            raise IdentityRefused(f"The answer of {self.name} could not be verified. Start again.") from error
        claims = decoded.claims
        several = isinstance(claims["aud"], list) and len(cast("list[str]", claims["aud"])) > 1
        if claims.get("azp", None if several else self._options.client_id) != self._options.client_id:
            raise IdentityRefused(f"The answer of {self.name} is for another service.")
        return claims

    async def _decode(self, token: str) -> jwt.Token:
        keys = await self._key_set()
        try:
            return jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            if time.monotonic() < self._keys_at + KEYS_SECONDS_MIN:
                raise
        self._keys = None  # the provider may have changed its keys
        return jwt.decode(token, await self._key_set(), algorithms=list(ALGORITHMS))

    async def _key_set(self) -> jwk.KeySet:
        if self._keys is None or time.monotonic() > self._keys_at + METADATA_SECONDS:
            status, answer = await self._ask("GET", await self._endpoint("jwks_uri"), {}, None)
            found = [key for key in answer.get("keys", ()) if key.get("use", "sig") == "sig"]
            if status != 200 or not found:
                raise ProviderUnavailable(f"{self.name} does not publish its keys (status {status}); try again later.")
            self._keys, self._keys_at = jwk.KeySet.import_key_set({"keys": found}), time.monotonic()
        return self._keys

    async def _with_userinfo(self, claims: Mapping[str, Any], access_token: str) -> Mapping[str, Any]:
        headers = {"authorization": f"Bearer {access_token}", "accept": "application/json"}
        status, profile = await self._ask("GET", await self._endpoint("userinfo_endpoint"), headers, None)
        if status != 200 or profile.get("sub") != claims["sub"]:  # OpenID Connect Core, 5.3.2
            return claims
        return {**profile, **claims}

    def _check_domain(self, claims: Mapping[str, Any]) -> None:
        domains = {domain.lower().removeprefix("@") for domain in self._options.domains}
        if not domains:
            return
        address = str(claims.get("email", ""))
        if claims.get("email_verified") is not True:
            raise IdentityRefused(f"{self.name} has no verified e-mail address for you; this service requires one.")
        if address.rpartition("@")[2].lower() not in domains:
            raise IdentityRefused(f"{address} is not in a domain that may sign in here; ask the operator.")

    def _is_operator(self, claims: Mapping[str, Any]) -> bool:
        if not self._options.role_claim:
            return False
        found: Any = claims
        for name in self._options.role_claim.split("."):
            found = cast("dict[str, Any]", found).get(name) if isinstance(found, dict) else None
        roles = cast("list[Any]", found) if isinstance(found, list) else [found]
        return self._options.operator_role in roles

    async def _endpoint(self, name: str) -> str:
        if time.monotonic() > self._metadata_at + METADATA_SECONDS:
            address = f"{self._options.issuer.rstrip('/')}/.well-known/openid-configuration"
            status, metadata = await self._ask("GET", address, {"accept": "application/json"}, None)
            if status != 200 or metadata.get("issuer") != self._options.issuer:
                _log.error("discovery failed", address=address, status=status, issuer=metadata.get("issuer"))
                raise ProviderUnavailable(f"{self.name} does not identify itself as {self._options.issuer}.")
            self._metadata, self._metadata_at = metadata, time.monotonic()
        try:
            return str(self._metadata[name])
        except KeyError:
            raise ProviderUnavailable(f"{self.name} does not publish its {name}.") from None

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON object; an empty object for any other body."""
        try:
            async with self._client.exchange(method, url, LIMITS, headers=headers, content=content) as answer:
                body = b"".join([chunk async for chunk in answer.body()])
        except RequestFailed as error:
            _log.error("the identity provider does not respond", url=url.partition("?")[0], error=error.message)
            raise ProviderUnavailable(f"{self.name} does not respond at the moment; try again later.") from error
        try:
            document = json.loads(body)
        except ValueError:
            document = {}
        return answer.status, cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def check_options(options: ProviderOptions) -> None:
    """Raises InputRejected naming the setting."""
    parts = urlsplit(options.issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")):
        raise InputRejected("BODYDOUBLE_OIDC_ISSUER: must start with https://", field="oidc_issuer")
    if parts.query or parts.fragment:
        raise InputRejected("BODYDOUBLE_OIDC_ISSUER: must have no query and no fragment", field="oidc_issuer")
    if not options.client_id:
        raise InputRejected(
            "BODYDOUBLE_OIDC_CLIENT_ID: set the client id that the provider gave this application",
            field="oidc_client_id",
        )
    if "openid" not in options.scopes.split():
        raise InputRejected("BODYDOUBLE_OIDC_SCOPES: must contain openid", field="oidc_scopes")
