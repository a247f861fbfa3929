"""Links start with the host that the client used, if the operator allows it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

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
