"""Addresses that tell by their text that nothing will be sent there."""

import pytest

from bodydouble.outbound import address_check, parse_networks

REFUSED = [
    "http://127.0.0.1/hook",
    "http://127.0.0.1:8080",
    "https://10.1.2.3/hook?a=b",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]:9000/hook",
    "http://[::ffff:10.0.0.1]/",
    "http://[fe80::1]/",
    "http://localhost:3000/hook",
    "HTTP://LOCALHOST",
    "http://app.localhost./hook",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://127.1/",
    "http://0177.0.0.1/",
]
LEFT = [
    "https://receiver.example/hook",
    "https://receiver.example:8443/10.0.0.1",
    "https://receiver.example?to=localhost",
    "https://receiver2/hook",
    "https://host-10.example./",
    "https://8.8.8.8/hook",
    "https://[2606:4700:4700::1111]/hook",
    "https://notlocalhost/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_inner_address_is_seen(url: str) -> None:
    """However it is written, and by this machine's own name."""
    assert address_check([])(url)


@pytest.mark.parametrize("url", LEFT)
def test_what_only_a_name_server_knows_is_left_to_it(url: str) -> None:
    """Public addresses and names pass; they are looked at again when something is sent."""
    assert address_check([])(url) is None


def test_what_the_operator_allows_passes() -> None:
    """His network, and localhost where he allows one of its addresses; the others stay closed."""
    check = address_check(parse_networks("127.0.0.0/8, 10.1.0.0/16"))
    assert check("http://localhost:3000/hook") is check("http://10.1.2.3/") is check("http://127.0.0.1:8080/") is None
    assert "10.2.0.1 is not a public address" in str(check("http://10.2.0.1/"))
    assert "BODYDOUBLE_OUTBOUND_ALLOW" in str(check("http://10.2.0.1/"))


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a." * 130 + "example", "hook.example." + "b" * 64 + ":8080"])
def test_a_host_name_that_is_too_long_is_seen(host: str) -> None:
    """No name server knows it; names and paths of the longest accepted length pass."""
    check = address_check(())
    assert "host name is invalid" in str(check(f"https://{host}/hook"))
    assert check("https://" + "a" * 63 + ".example/" + "b" * 300) is None
    assert check("https://" + "a." * 120 + "example/hook") is None
