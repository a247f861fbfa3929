"""Which addresses a stranger's request may reach."""

import ipaddress
import socket
from contextlib import suppress

import pytest

from bodydouble.outbound.addresses import is_own, is_reachable, parse_networks

INSIDE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.1.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    # where clouds keep a machine's credentials
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fe80::a9fe:a9fe",
    "::", "::1", "fe80::1", "fe80::1%lo", "fc00::1", "fdff::1", "fec0::1", "ff02::1", "100::1", "2001:db8::1",
    "3fff::1", "4000::1", "5f00::1",
    # an IPv4 address inside: mapped, compatible, translated, NAT64 (well known and local), 6to4, Teredo, ISATAP
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "::ffff:0:7f00:1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe", "2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:a00:1",
]  # fmt: skip


@pytest.mark.parametrize("text", INSIDE)
def test_what_is_not_public_is_refused(text: str) -> None:
    """Private, loopback, link-local, shared, reserved and multicast ranges, in every form that IPv6 has for them."""
    assert not is_reachable(ipaddress.ip_address(text), [])


@pytest.mark.parametrize("text", ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_reached(text: str) -> None:
    """The internet is open, from a network without IPv4 too."""
    assert is_reachable(ipaddress.ip_address(text), [])


def test_an_allowed_network_is_reached() -> None:
    """The operator's list opens exactly its networks, for mapped addresses too."""
    allowed = parse_networks("10.1.0.0/16, ::1/128")
    assert is_reachable(ipaddress.ip_address("10.1.2.3"), allowed)
    assert is_reachable(ipaddress.ip_address("::ffff:10.1.2.3"), allowed)
    assert is_reachable(ipaddress.ip_address("::1"), allowed)
    assert not is_reachable(ipaddress.ip_address("10.2.0.1"), allowed)
    assert not is_reachable(ipaddress.ip_address("127.0.0.1"), allowed)


def test_a_wrong_network_is_named() -> None:
    """A typing error in the list is found at start, not at the first download."""
    with pytest.raises(ValueError, match=r"10\.0\.0/33"):
        parse_networks("10.0.0/33")


def test_the_machines_own_addresses_are_known() -> None:
    """What this machine would send from is itself; somebody else's address is not."""
    assert is_own(ipaddress.ip_address("127.0.0.1"))
    # Where nothing leads out of this machine, it has no other address either.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing: asks which address leads out
        assert is_own(ipaddress.ip_address(probe.getsockname()[0]))
    assert not is_own(ipaddress.ip_address("8.8.8.8"))
