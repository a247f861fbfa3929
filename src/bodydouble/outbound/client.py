"""The HTTP client for untrusted addresses."""

import asyncio
import ipaddress
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import cast

import httpx

from bodydouble.outbound.addresses import Address, Network, is_own, is_reachable
from bodydouble.outbound.failure import RequestFailed, not_public
from bodydouble.outbound.resolver import Resolve, SystemResolver
from bodydouble.outbound.target import Target, parse_target
from bodydouble.tasks.content_length import announced_bytes

ADDRESSES_MAX = 4
"""Addresses of a host that are tried, one after the other."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """Limits of one request."""

    seconds_max: float = 120  # including redirects and body
    connect_seconds_max: float = 10  # for the name lookup, and for each address
    stall_seconds_max: float = 20  # without a byte
    bytes_per_second_min: int = 1000  # average, after ``stall_seconds_max``
    bytes_max: int = 200_000_000  # of the body


class Answer:
    """A response whose body has not been read."""

    def __init__(self, response: httpx.Response, limits: RequestLimits) -> None:
        self._response, self._limits = response, limits
        self.status = response.status_code
        self.headers = response.headers

    async def body(self) -> AsyncGenerator[bytes, None]:
        """The raw body in chunks, never decompressed. Raises RequestFailed beyond a limit."""
        limits, size, started = self._limits, 0, time.monotonic()
        too_large = f"the file is larger than {limits.bytes_max / 1e6:g} MB."
        if (announced_bytes(self.headers) or 0) > limits.bytes_max:
            raise RequestFailed(too_large)
        async with aclosing(cast("AsyncGenerator[bytes, None]", self._response.aiter_raw())) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > limits.bytes_max:
                    raise RequestFailed(too_large)
                seconds = time.monotonic() - started
                if seconds > limits.stall_seconds_max and size < limits.bytes_per_second_min * seconds:
                    raise RequestFailed(f"the server sends less than {limits.bytes_per_second_min} bytes a second.")
                yield chunk


class GuardedClient:
    """Reaches only public addresses and those that the operator allows.

    Each request resolves the host once, checks all of its addresses, and connects to one of these, so a later change of
    the name has no effect. TLS still verifies the name. Connections are not reused: a connection to one host must not
    carry a request to another host on the same address.
    """

    def __init__(
        self, allowed: Sequence[Network] = (), *, resolve: Resolve | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve or SystemResolver()
        self._tls = tls or httpx.create_ssl_context()

    @asynccontextmanager
    async def exchange(
        self,
        method: str,
        url: str,
        limits: RequestLimits,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        redirects_max: int = 0,
    ) -> AsyncGenerator[Answer, None]:
        """Send a request. The body is read within the context. Without ``redirects_max`` a redirect is an ordinary
        response.

        Raises:
            RequestFailed: the address is refused, or the server does not respond correctly within ``limits``.
        """
        target = parse_target(url)
        deadline = asyncio.timeout(limits.seconds_max)
        try:
            async with deadline:
                for _ in range(redirects_max + 1):
                    async with self._hop(method, target, limits, headers or {}, content) as response:
                        location = response.headers.get("location")
                        if not redirects_max or response.status_code not in REDIRECTS or location is None:
                            yield Answer(response, limits)
                            return
                    target = target.join(location)
                raise RequestFailed(f"more than {redirects_max} redirects.")
        except TimeoutError:
            if not deadline.expired():
                raise
            raise RequestFailed(f"it took longer than {limits.seconds_max:g} s.") from None
        except httpx.HTTPError as error:
            raise RequestFailed(_explain(error, target.host, limits)) from error

    @asynccontextmanager
    async def _hop(
        self, method: str, target: Target, limits: RequestLimits, headers: Mapping[str, str], content: bytes | None
    ) -> AsyncGenerator[httpx.Response, None]:
        addresses = await self._addresses(target, limits)
        timeout = httpx.Timeout(limits.stall_seconds_max, connect=limits.connect_seconds_max)
        # Only the transport: a complete httpx client would keep cookies, read .netrc and handle redirects itself.
        async with httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False) as transport:
            response = await _first(
                transport.handle_async_request(
                    httpx.Request(
                        method,
                        target.at(address),
                        headers={
                            "user-agent": "bodydouble",
                            "accept": "*/*",
                            # Decompression of untrusted data can turn 10 kB into 10 GB.
                            "accept-encoding": "identity",
                            **headers,
                            "host": target.host_header,
                            "connection": "close",
                        },
                        content=content,
                        extensions={"sni_hostname": target.host.rstrip("."), "timeout": timeout.as_dict()},
                    )
                )
                for address in addresses[:ADDRESSES_MAX]
            )
            try:
                yield response
            finally:
                await response.aclose()

    async def _addresses(self, target: Target, limits: RequestLimits) -> Sequence[Address]:
        """All addresses of the host. Refused if any of them is not allowed: such a name is an attack."""
        if target.literal is not None:
            found: Sequence[Address] = [target.literal]
        else:
            try:
                async with asyncio.timeout(limits.connect_seconds_max):
                    names = await self._resolve(target.host, target.port)
                    found = [ipaddress.ip_address(name) for name in names]
            except (OSError, ValueError):  # TimeoutError is an OSError
                raise RequestFailed(f"the host {target.host} is not known.") from None
        if not found or not all(self._may_reach(address) for address in found):
            raise RequestFailed(not_public(target.host))
        return found

    def _may_reach(self, address: Address) -> bool:
        if not is_reachable(address, self._allowed):
            return False
        by_operator = any(address.version == network.version and address in network for network in self._allowed)
        return by_operator or not is_own(address)


async def _first(tries: Iterable[Awaitable[httpx.Response]]) -> httpx.Response:
    """The response of the first address that accepts a connection. Raises the error of the last one."""
    failure: httpx.HTTPError | None = None
    for attempt in tries:
        try:
            return await attempt
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing was sent
            failure = error
    assert failure is not None
    raise failure


def _explain(error: httpx.HTTPError, host: str, limits: RequestLimits) -> str:
    """The reason of a failure, for the client who gave the address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate of {host} is not valid ({cause.verify_message})."
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return f"the host {host} cannot be connected to."
        case httpx.TimeoutException():
            return f"the server sent nothing for {limits.stall_seconds_max:g} s."
        case httpx.RemoteProtocolError():
            return "the server's answer is broken off, or is no HTTP."
        case _:
            return f"the connection broke ({type(error).__name__})."
