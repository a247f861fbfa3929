"""The service's address, the API key and the timeouts of a client, and the requests built from them."""

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from bodydouble_client.errors import AuthenticationError, ClientError, ConnectionFailed
from bodydouble_client.version import __version__

API_PATH = "/api/v1/client"
DEFAULT_URL = "http://127.0.0.1:8000"
HOSTED_DOMAIN = "crun.ai"
"""The hosted service does not document support for Idempotency-Key."""
USER_AGENT = f"bodydouble-python/{__version__}"
UNLIMITED_CONNECTIONS = httpx.Limits(max_connections=None, max_keepalive_connections=20)
"""Every task that a program waits for holds one connection; a limit would block further calls until one ends."""

NEVER_SENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""The request did not leave this machine: repeating it cannot do anything twice."""
PERMANENT_ERRORS = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
"""A mistake in the request or the address: a retry would fail the same way."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One service, one key, and how long and how often to try."""

    base_url: str  # without the API's path and without a slash at the end
    api_key: str
    timeout_seconds: float  # without data, for connecting and for every read and write
    max_retries: int
    idempotent_creates: bool  # the service supports Idempotency-Key

    @classmethod
    def from_arguments(
        cls,
        *,
        api_key: str | None,
        base_url: str | None,
        timeout_seconds: float,
        max_retries: int,
        idempotent_creates: bool | None,
    ) -> "Connection":
        """The connection for a client's arguments; missing ones come from the environment.

        Raises:
            AuthenticationError: no key, or text that cannot be a key. ValueError: the address is not an http(s) URL.
        """
        key = (api_key or os.environ.get("BODYDOUBLE_API_KEY") or "").strip()
        if not key:
            raise AuthenticationError("No API key: pass api_key=… or set BODYDOUBLE_API_KEY (`bodydouble keys create`)")
        if not key.isascii():
            raise AuthenticationError("The API key contains characters that no key has; copy the whole key again")
        url = (base_url or os.environ.get("BODYDOUBLE_BASE_URL") or DEFAULT_URL).rstrip("/").removesuffix(API_PATH)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"base_url: {url!r} is not an http or https URL such as {DEFAULT_URL}")
        if idempotent_creates is None:
            idempotent_creates = parts.hostname != HOSTED_DOMAIN and not parts.hostname.endswith(f".{HOSTED_DOMAIN}")
        return cls(
            base_url=url,
            api_key=key,
            timeout_seconds=timeout_seconds,
            max_retries=max_retries,
            idempotent_creates=idempotent_creates,
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> httpx.Request:
        """A request of the API with the key and a new request id."""
        default_headers = {
            "accept": "application/json",
            "user-agent": USER_AGENT,
            "x-api-key": self.api_key,
            "x-request-id": uuid.uuid4().hex,
        }
        return httpx.Request(
            method,
            f"{self.base_url}{API_PATH}/{path}",
            params=dict(params) if params else None,
            json=body,
            headers=default_headers | dict(headers or {}),
            extensions=self.timeouts(timeout_seconds),
        )

    def timeouts(self, timeout_seconds: float | None = None) -> dict[str, Any]:
        """The extensions of a request that set its timeouts; default: the connection's ``timeout_seconds``."""
        return {"timeout": httpx.Timeout(timeout_seconds or self.timeout_seconds).as_dict()}


def connection_error(request: httpx.Request, error: httpx.RequestError, *, repeatable: bool) -> ClientError:
    """The error for a request without an answer; ``repeatable``: sending it twice has the effect of sending it once."""
    retryable = not isinstance(error, PERMANENT_ERRORS) and (repeatable or isinstance(error, NEVER_SENT_ERRORS))
    message = f"{request.method} {request.url.copy_with(query=None)}: no answer ({error or type(error).__name__})"
    if not repeatable and not retryable:
        message += "; the service may have done it all the same: check before you send it again"
    failure = ConnectionFailed(message, request_id=request.headers.get("x-request-id"))
    failure.retryable = retryable
    return failure
