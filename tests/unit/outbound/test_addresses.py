"""Which addresses a stranger's request may reach."""

import ipaddress
import socket
from typing import Any

import pytest

from bodydouble.outbound.addresses import is_reachable, parse_networks, resolve
from bodydouble.tasks.errors import InputRejected

INSIDE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.1.1", "0.0.0.0", "224.0.0.1",
    "198.18.0.1", "192.0.2.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1",
    "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "::ffff:0:7f00:1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2002:7f00:1::",
]  # fmt: skip


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("text", INSIDE)
def test_what_is_not_public_is_refused(text: str) -> None:
    """Private, loopback, link-local, shared, reserved and multicast ranges, in every form that IPv6 has for them."""
    assert not is_reachable(ipaddress.ip_address(text), [])


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_reached(text: str) -> None:
    """The internet is open."""
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


@pytest.mark.anyio
async def test_a_name_with_one_inner_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves to a public and a private address is refused as a whole."""

    def found(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 80)) for a in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with pytest.raises(InputRejected, match=r"img_urls: the host two\.example is not a public address"):
        await resolve("two.example", 80, [], "img_urls")
