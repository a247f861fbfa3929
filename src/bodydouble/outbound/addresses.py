"""Which addresses a request that a stranger asked for may reach."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

from bodydouble.tasks.errors import InputRejected

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_networks(text: str) -> list[Network]:
    """Networks separated by commas. Raises ValueError naming the one that is none."""
    return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]


def is_reachable(address: Address, allowed: Sequence[Network]) -> bool:
    """Public, or allowed by the operator. Mapped and translated addresses count as what they stand for."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_reachable(inner, allowed)
    if any(address.version == network.version and address in network for network in allowed):
        return True
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
