"""Links start with the host that the client used, if the operator allows it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from bodydouble.tasks.request_origin import links_start_with

HOSTS_REMEMBERED = 256
"""``Host`` headers whose origin is kept, because reading one takes 27 µs. Clients use few of them."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True)
class AllowedHosts:
    """Hosts that links may name."""

    names: frozenset[str] = frozenset()  # in lower case
    networks: Sequence[Network] = ()  # for hosts that are addresses

    @classmethod
    def parse(cls, entries: Sequence[str]) -> "AllowedHosts":
        """The hosts of ``entries``: names and networks such as ``studio.local`` and ``192.168.0.0/16``."""
        names: list[str] = []
        networks: list[Network] = []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                names.append(entry.lower())
        return cls(names=frozenset(names), networks=tuple(networks))

    def allow(self, host: str) -> bool:
        """Whether links may name ``host``, a name or an address without port."""
        if host.lower() in self.names:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    def origin(self, scheme: str, host_header: bytes) -> str | None:
        """The origin of a request with this ``Host``, such as ``http://studio:8000``; None if it is not allowed."""
        host = host_header.decode("latin-1")
        try:
            parts = urlsplit(f"//{host}")
            port = parts.port  # raises ValueError
        except ValueError:
            return None
        if parts.netloc != host or "@" in host or not parts.hostname or not self.allow(parts.hostname):
            return None
        shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{scheme}://{shown}" + (f":{port}" if port else "")


class ClientOriginMiddleware:
    """Has links of the response start with the host of the request, if ``hosts`` allow it."""

    def __init__(self, app: ASGIApp, hosts: AllowedHosts) -> None:
        self._app = app
        self._origin = lru_cache(HOSTS_REMEMBERED)(hosts.origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = self._origin_of(scope) if scope["type"] == "http" else None
        if origin is None:  # links start with the configured address
            await self._app(scope, receive, send)
            return
        with links_start_with(origin):
            await self._app(scope, receive, send)

    def _origin_of(self, scope: Scope) -> str | None:
        for name, value in scope["headers"]:
            if name == b"host":
                return self._origin(scope["scheme"], value)  # the scheme of a trusted proxy's client, else our own
        return None
