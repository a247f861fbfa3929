"""Links start with the host that the client used, if the operator allows it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from bodydouble.tasks.request_origin import links_start_with

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True)
class AllowedHosts:
    """Hosts that links may name."""

    names: frozenset[str] = frozenset()  # in lower case
    networks: Sequence[Network] = ()  # for hosts that are addresses

    @classmethod
    def parse(cls, entries: Sequence[str]) -> "AllowedHosts":
        """From names and networks such as ``studio.local`` and ``192.168.0.0/16``."""
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

    def origin_of(self, scope: Scope) -> str | None:
        """The address that the client of an HTTP request used, such as ``http://studio:8000``; None if not allowed.

        The scheme is what a trusted proxy forwarded, else that of the connection.
        """
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        try:
            parts = urlsplit(f"//{host}")
            port = parts.port  # raises ValueError
        except ValueError:
            return None
        if parts.netloc != host or "@" in host or not parts.hostname or not self.allow(parts.hostname):
            return None
        shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{scope['scheme']}://{shown}" + (f":{port}" if port else "")


class ClientOriginMiddleware:
    """Has links of the response start with the host of the request, if ``hosts`` allow it."""

    def __init__(self, app: ASGIApp, hosts: AllowedHosts) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = self._hosts.origin_of(scope) if scope["type"] == "http" else None
        with links_start_with(origin):
            await self._app(scope, receive, send)
