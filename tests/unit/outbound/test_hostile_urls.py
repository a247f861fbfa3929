"""Addresses that were made to reach what they should not, against a listener that counts who comes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from bodydouble.outbound import CallbackSender, GuardedClient, GuardedDownloader, RequestLimits, parse_networks
from bodydouble.tasks.delivery import CallbackMessage, Outcome
from bodydouble.tasks.errors import InputRejected
from receivers import Trap, receiving, trapping

pytestmark = pytest.mark.anyio

MESSAGE = CallbackMessage(body=b"{}", secrets=["whsec_" + "c2VjcmV0" * 4])
LIMITS = RequestLimits(seconds_max=60, connect_seconds_max=60, stall_seconds_max=60)
ALLOWED = "127.0.0.2"
"""The one address of the loopback that the operator allows in these tests; the trap listens on all of them."""

NAMES: dict[str, Sequence[str]] = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "deep.localhost": ["127.0.0.1"],
    "localhost.localdomain": ["127.0.0.1"],
    "inner.example": ["127.0.0.1"],
    "inner6.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "any.example": ["0.0.0.0"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "both.example": [ALLOWED, "127.0.0.1"],
    "both6.example": ["2606:4700::1111", "::1"],
    "metadata.google.internal": ["169.254.169.254"],
    "empty.example": [],
    "nonsense.example": ["not an address"],
}

HOSTILE = [
    # the plain ones
    "http://127.0.0.1:{port}/", "http://[::1]:{port}/", "http://0.0.0.0:{port}/", "http://[::]:{port}/",
    "http://127.127.127.127:{port}/", "https://127.0.0.1:{port}/", "HTTP://127.0.0.1:{port}/",
    # other ways to write a number
    "http://2130706433:{port}/", "http://017700000001:{port}/", "http://0x7f000001:{port}/", "http://127.1:{port}/",
    "http://127.0.1:{port}/", "http://0177.0.0.1:{port}/", "http://0x7f.0.0.1:{port}/", "http://0:{port}/",
    "http://00000000177.1:{port}/", "http://127.0.0.1.:{port}/", "http://%31%32%37.0.0.1:{port}/",
    "http://127%2e0%2e0%2e1:{port}/", "http://127。0。0。1:{port}/", "http://①②⑦.⓪.⓪.①:{port}/", "http://１２７.０.０.１:{port}/",
    # an IPv4 address inside an IPv6 one
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/", "http://[::ffff:0:127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/", "http://[2001:0:7f00:1::]:{port}/",
    "http://[2001:0:1:1:1:1:80ff:fffe]:{port}/", "http://[fe80::5efe:7f00:1]:{port}/",
    # link-local, private, shared, multicast, metadata
    "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]:{port}/", "http://[fe80::1%25lo]:{port}/",
    "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.0.1/", "http://100.64.0.1/", "http://[fd00::1]/",
    "http://[fec0::1]/", "http://224.0.0.1/", "http://255.255.255.255/", "http://100.100.100.200/latest/meta-data/",
    "http://192.0.0.192/opc/v2/instance/", "http://168.63.129.16/machine", "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    # names
    "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://deep.localhost:{port}/",
    "http://localhost.localdomain:{port}/", "http://ⓛocalhost:{port}/", "http://inner.example:{port}/",
    "http://inner6.example:{port}/", "http://mapped.example:{port}/", "http://nat64.example:{port}/",
    "http://any.example:{port}/", "http://127.0.0.1.nip.example:{port}/", "http://both.example:{port}/",
    "http://both6.example:{port}/", "http://unknown.example:{port}/", "http://empty.example:{port}/",
    "http://nonsense.example:{port}/",
    # credentials, fragments, backslashes: who is the host?
    "http://good.example@127.0.0.1:{port}/", "http://good.example:80@127.0.0.1:{port}/",
    "http://good.example%40127.0.0.1:{port}/", "http://user:password@good.example:{port}/", "http://@127.0.0.1:{port}/",
    "http://good.example\\@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@good.example/",
    "http://127.0.0.1:{port}#@good.example/", "http://127.0.0.1:{port}?@good.example/", "http:\\\\127.0.0.1:{port}\\",
    "http://good.example&@127.0.0.1:{port}#@good.example/", "http:///127.0.0.1:{port}/", "http:127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/", "//127.0.0.1:{port}/", "http://[127.0.0.1]:{port}/", "http://127.0.0.1:{port}:80/",
    # line ends and other characters that libraries drop
    "http://127.0.0.1:{port}/\r\nhost: good.example", "http://127.0.0.1\r\n:{port}/", "http://127.0.0.1\t:{port}/",
    "http://127.0.0.1:{port}/%0d%0aSLAVEOF", "\x00http://127.0.0.1:{port}/", "http://127.0.0.1\u3000:{port}/",
    "ht\ntp://127.0.0.1:{port}/", "http://good.example\u2028.127.0.0.1:{port}/", "http://\u00ad127.0.0.1:{port}/",
    # other schemes
    "file:///etc/passwd", "file://127.0.0.1:{port}/etc/passwd", "ftp://127.0.0.1:{port}/", "gopher://127.0.0.1:{port}/_x",
    "dict://127.0.0.1:{port}/", "ldap://127.0.0.1:{port}/", "tftp://127.0.0.1:{port}/", "ws://127.0.0.1:{port}/",
    "unix:///run/docker.sock", "jar:http://127.0.0.1:{port}!/", "http+unix://127.0.0.1:{port}/", "javascript:alert(1)",
    # ports of other services
    "http://good.example:22/", "http://good.example:25/", "http://good.example:6379/", "http://good.example:5432/",
]  # fmt: skip


async def resolve(host: str, port: int) -> Sequence[str]:
    """The names of these tests."""
    if host == "good.example":
        return [ALLOWED]
    try:
        return NAMES[host]
    except KeyError:
        raise OSError(host) from None


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    """The listener that nobody should reach."""
    async with trapping() as trap:
        yield trap


@pytest.fixture(scope="module")
def client() -> GuardedClient:
    """Allowed is one address of the loopback."""
    return GuardedClient(parse_networks(ALLOWED), resolve=resolve)


@pytest.mark.parametrize("text", HOSTILE)
async def test_no_hostile_address_is_downloaded(client: GuardedClient, trap: Trap, text: str, tmp_path: Path) -> None:
    """Each is refused with a reason that names the field, and nobody knocks at the listener."""
    url = text.format(port=trap.port)
    with pytest.raises(InputRejected, match=r"^video_urls: .{20}"):
        await GuardedDownloader(client, LIMITS).download(url, tmp_path / "f", 1000, "video_urls")
    assert trap.visits == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", HOSTILE)
async def test_no_hostile_address_is_called_back(client: GuardedClient, trap: Trap, text: str) -> None:
    """Each is an attempt that failed with a reason, and nobody knocks at the listener."""
    attempt = await CallbackSender(client, LIMITS).send(text.format(port=trap.port), uuid4(), MESSAGE)
    assert (attempt.http_status, attempt.outcome) == (None, Outcome.RETRY)
    assert attempt.error
    assert trap.visits == 0


@pytest.mark.parametrize("text", HOSTILE)
async def test_no_redirect_leads_to_a_hostile_address(
    client: GuardedClient, trap: Trap, text: str, tmp_path: Path
) -> None:
    """A good server that redirects to each of them gets its visitor no further."""
    location = text.format(port=trap.port).encode()

    async def redirect(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: " + location + b"\r\ncontent-length: 0\r\n\r\n")

    async with receiving(redirect, ALLOWED) as receiver:
        with pytest.raises(InputRejected, match=r"^video_urls: .{20}"):
            await GuardedDownloader(client, LIMITS).download(receiver.url("/"), tmp_path / "f", 1000, "video_urls")
        assert receiver.heads
    assert trap.visits == 0


async def test_the_trap_counts(trap: Trap) -> None:
    """Whoever is allowed to reach the listener is counted: the tests above would notice."""
    open_client = GuardedClient(parse_networks("127.0.0.0/8"), resolve=resolve)
    attempt = await CallbackSender(open_client, LIMITS).send(f"http://127.0.0.1:{trap.port}/", uuid4(), MESSAGE)
    assert attempt.outcome is Outcome.RETRY
    assert trap.visits == 1
