"""The IP addresses that untrusted requests may reach."""

import ipaddress
import socket
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IANA's special-purpose registry (RFC 6890), written out: the standard library's table depends on its patch release
# (3.11.7 considers 192.0.0.192 public, where a cloud serves its metadata).
_REFUSED_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers; also a cloud's metadata, 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # a public number, but the host of the machine inside Azure
        "169.254.0.0/16",  # link-local; also most clouds' metadata, 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# All other addresses are loopback, link-local, site-local, unique local, multicast or unassigned.
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocols, among them Teredo, which contains an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4, which contains an IPv4 address
        "3fff::/20",
    )
)
# NAT64 (RFC 6052): how a network without IPv4 reaches IPv4 hosts. The contained address decides.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# ISATAP (RFC 5214): an IPv4 address after these 32 bits, in any prefix.
_ISATAP = (0x00005EFE, 0x02005EFE)


def parse_networks(text: str) -> list[Network]:
    """Comma-separated networks. Raises ValueError naming the invalid one."""
    return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]


def is_reachable(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether an address is public or allowed by the operator. A contained IPv4 address decides for its container."""
    if any(address.version == network.version and address in network for network in allowed):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _REFUSED_4)
    if address.ipv4_mapped is not None:
        return is_reachable(address.ipv4_mapped, allowed)
    if address in _NAT64:
        return is_reachable(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF), allowed)
    if address.scope_id or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return False
    return address in _PUBLIC_6 and not any(address in network for network in _REFUSED_6)


def is_own(address: Address) -> bool:
    """Whether the address belongs to this machine: services behind its firewall would respond there."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), 9))  # sends nothing; the kernel selects the source address
            return ipaddress.ip_address(str(probe.getsockname()[0])) == address
        except OSError:  # no route, so it is not ours
            return False
