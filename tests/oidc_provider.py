"""A small OpenID Connect provider on the loopback. It signs tokens, checks PKCE, and misbehaves on request."""

import base64
import contextlib
import hashlib
import secrets
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "bodydouble test", "s3cr+t/"
HOST = "127.0.0.1"


@cache
def rsa_key(kid: str, number: int = 0) -> RSAKey:
    """A cached key for each name and number, because generating one takes a second."""
    return RSAKey.generate_key(2048, {"kid": kid})


@dataclass
class Provider:
    """The provider's state. A test can change its answers at any time."""

    url: str = ""
    issuer: str = ""  # as it calls itself
    claims: dict[str, Any] = field(
        default_factory=dict[str, Any]
    )  # of the ID token, over the good ones; None: left out
    userinfo: dict[str, Any] = field(default_factory=dict[str, Any])
    key: RSAKey | ECKey | OctKey = field(default_factory=lambda: rsa_key("first"))
    shown: list[RSAKey | ECKey | OctKey] = field(default_factory=list[RSAKey | ECKey | OctKey])  # as JWKS
    algorithm: str = "RS256"
    refuses: str = ""  # an error that it sends the browser back with
    asked: list[str] = field(default_factory=list[str])
    _codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def __post_init__(self) -> None:
        self.shown = [self.key]

    def metadata(self, request: Request) -> Response:
        """The discovery document."""
        self.asked.append("metadata")
        ends = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        told = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in ends.items()}
        return JSONResponse({"issuer": self.issuer, "jwks_uri": f"{self.url}/keys"} | told)

    def keys(self, request: Request) -> Response:
        """The public keys (JWKS)."""
        self.asked.append("keys")
        return JSONResponse(KeySet(list(self.shown)).as_dict(private=isinstance(self.key, OctKey)))

    def authorize(self, request: Request) -> Response:
        """The authorization page: one button, for a user who is signed in already."""
        query = dict(request.query_params)
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        return HTMLResponse(f'<title>Provider</title><a href="/grant?{urlencode(query)}">Continue as Ada</a>')

    def grant(self, request: Request) -> Response:
        """Redirect to the client with a code or an error."""
        query = dict(request.query_params)
        answer = {"state": query["state"]}
        if self.refuses:
            answer["error"] = self.refuses
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self._codes[answer["code"]] = query
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}", 302)

    async def token(self, request: Request) -> Response:
        """Exchange a code for tokens, once, if the client has the verifier."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        name, _, secret = (
            base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
        )
        asked = self._codes.pop(form["code"], None)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        )
        if (unquote(name), unquote(secret)) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        if asked is None or challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "sub": "ada-1",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
        }
        claims = {name: value for name, value in (good | self.claims).items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        token = jwt.encode(header, claims, self.key, algorithms=[self.algorithm])
        return JSONResponse({"token_type": "Bearer", "access_token": "opaque", "id_token": token})

    def tell_user(self, request: Request) -> Response:
        """The userinfo answer."""
        assert request.headers["authorization"] == "Bearer opaque"
        return JSONResponse({"sub": "ada-1"} | self.userinfo)


class _Server(uvicorn.Server):
    """A server that does not handle signals; the test process does."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@contextlib.contextmanager
def standing_provider() -> Iterator[Provider]:
    """Serve in a separate thread during the block."""
    provider = Provider()
    routes = [
        Route("/.well-known/openid-configuration", provider.metadata),
        Route("/keys", provider.keys),
        Route("/authorize", provider.authorize),
        Route("/grant", provider.grant),
        Route("/token", provider.token, methods=["POST"]),
        Route("/userinfo", provider.tell_user),
    ]
    server = _Server(uvicorn.Config(Starlette(routes=routes), host=HOST, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    provider.url = provider.issuer = f"http://{HOST}:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join()
