"""Which addresses a request that a stranger asked for may reach."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

from bodydouble.tasks.errors import InputRejected

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


# NAT64 (RFC 6052), and the two old forms that hold an IPv4 address in their last 32 bits: compatible and translated.
_EMBEDDING = tuple(ipaddress.IPv6Network(text) for text in ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96"))
# Not public though the standard library's table does not say so: local NAT64 (RFC 8215) and site-local (RFC 3879).
_NOT_PUBLIC = tuple(ipaddress.IPv6Network(text) for text in ("64:ff9b:1::/48", "fec0::/10"))


def parse_networks(text: str) -> list[Network]:
    """Networks separated by commas. Raises ValueError naming the one that is none."""
    return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]


def is_reachable(address: Address, allowed: Sequence[Network]) -> bool:
    """Public, or allowed by the operator. Mapped and translated addresses count as what they stand for."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and any(address in prefix for prefix in _EMBEDDING):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and not any(address in n for n in allowed if n.version == 6):
            return is_reachable(inner, allowed)
    if any(address.version == network.version and address in network for network in allowed):
        return True
    if any(address.version == 6 and address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast


async def resolve(host: str, port: int, allowed: Sequence[Network], field: str) -> str:
    """One address of ``host`` that may be reached; the connection is then made to exactly this one.

    Raises:
        InputRejected: the name is unknown, or any of its addresses is not public.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise InputRejected(f"{field}: the host {host} is not known.", field=field) from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in found]
    # All of them have to be fine: a name that also has an inner address is an attempt, not an accident.
    if not addresses or not all(is_reachable(a, allowed) for a in addresses):
        raise InputRejected(
            f"{field}: the host {host} is not a public address. Upload the file through upload-url, or let the "
            "operator allow the network (BODYDOUBLE_OUTBOUND_ALLOW).",
            field=field,
        )
    return str(addresses[0])
