"""The guarded client: what it connects to, what it sends, and what it puts up with."""

import asyncio
import datetime
import ssl
import zlib
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bodydouble.outbound.addresses import parse_networks
from bodydouble.outbound.client import ADDRESSES_MAX, GuardedClient, RequestLimits
from bodydouble.outbound.failure import RequestFailed
from bodydouble.outbound.resolver import SystemResolver
from receivers import Receiver, answering, receiving, trapping

pytestmark = pytest.mark.anyio

GOOD = "127.0.0.2"
LIMITS = RequestLimits(seconds_max=60, connect_seconds_max=60, stall_seconds_max=60, bytes_max=10_000)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Names:
    """A resolver that answers from a list, one entry a question, and the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def fetch(client: GuardedClient, url: str, limits: RequestLimits = LIMITS, redirects_max: int = 0) -> bytes:
    """The body of a good answer."""
    async with client.exchange("GET", url, limits, redirects_max=redirects_max) as answer:
        assert answer.status == 200
        async with aclosing(answer.body()) as chunks:
            return b"".join([chunk async for chunk in chunks])


def guarded(names: Names | None = None, tls: ssl.SSLContext | None = None) -> GuardedClient:
    """A client that may reach one address of the loopback."""
    return GuardedClient(parse_networks(GOOD), resolve=names or Names([GOOD]), tls=tls)


async def test_a_name_that_changes_after_the_check_leads_nowhere_else() -> None:
    """The connection goes to the address that was checked: there is no second question to answer differently."""
    names = Names([GOOD], ["127.0.0.1"])
    async with receiving(answering({"/": OK}), GOOD) as receiver, trapping() as trap:
        assert await fetch(guarded(names), receiver.url("/", "media.example")) == b"hello"
        assert names.asked == 1
        with pytest.raises(RequestFailed, match="not a public address"):
            await fetch(guarded(names), f"http://media.example:{trap.port}/")
        assert trap.visits == 0
    assert f"host: media.example:{receiver.port}".encode() in receiver.heads[0].lower()


async def test_a_redirect_to_the_same_name_is_resolved_and_checked_again() -> None:
    """A name may stand for something else at the next hop."""
    names = Names([GOOD], ["127.0.0.1"])
    table = {"/": b"HTTP/1.1 302 Found\r\nlocation: /inner\r\ncontent-length: 0\r\n\r\n", "/inner": OK}
    async with receiving(answering(table), GOOD) as receiver:
        with pytest.raises(RequestFailed, match="not a public address"):
            await fetch(guarded(names), receiver.url("/", "media.example"), redirects_max=5)
    assert len(receiver.heads) == 1


async def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    """A host that is down on one of its addresses is reached on another."""
    client = GuardedClient(parse_networks("127.0.0.2, 127.0.0.3"), resolve=Names(["127.0.0.3", GOOD]))
    async with receiving(answering({"/": OK}), GOOD) as receiver:
        assert await fetch(client, receiver.url("/", "media.example")) == b"hello"


async def test_a_request_that_arrived_is_not_sent_to_the_next_address() -> None:
    """A callback whose receiver breaks off may have been taken: sent again at once it would be there twice."""
    client = GuardedClient(parse_networks("127.0.0.2, 127.0.0.3"), resolve=Names([GOOD, "127.0.0.3"]))
    async with receiving(answering({"/": b""}), GOOD) as receiver:
        with pytest.raises(
            RequestFailed, match=BROKEN
        ):  # of the next one, where nobody listens: cannot be connected to
            await fetch(client, receiver.url("/", "media.example"))
    assert len(receiver.heads) == 1


async def test_a_host_with_many_addresses_is_given_up_after_some() -> None:
    """A name with hundreds of them would hold a worker for as many time-outs."""
    away = [f"127.0.0.{number}" for number in range(3, 3 + ADDRESSES_MAX)]
    async with receiving(answering({"/": OK}), GOOD) as receiver:
        for names, reached in (([*away[1:], GOOD], 1), ([*away, GOOD], 0)):
            receiver.heads.clear()
            client = GuardedClient(parse_networks("127.0.0.0/28"), resolve=Names(names))
            if reached:
                assert await fetch(client, receiver.url("/", "media.example")) == b"hello"
            else:
                with pytest.raises(RequestFailed, match="cannot be connected to"):
                    await fetch(client, receiver.url("/", "media.example"))
            assert len(receiver.heads) == reached


async def test_a_host_that_cannot_be_connected_to_is_named() -> None:
    """Nobody listens: the message says which host."""
    async with receiving(answering({}), GOOD) as receiver:
        url = receiver.url("/")
    with pytest.raises(RequestFailed, match=r"host 127\.0\.0\.2 cannot be connected to"):
        await fetch(guarded(), url)


async def test_the_machines_own_address_is_refused_though_its_number_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that a firewall hides from the world is not reached from behind it."""
    monkeypatch.setattr("bodydouble.outbound.client.is_own", lambda address: True)
    with pytest.raises(RequestFailed, match=r"8\.8\.8\.8 is not a public address"):
        await fetch(GuardedClient(), "http://8.8.8.8/")


async def test_the_systems_resolver_knows_this_machine() -> None:
    """Names are looked up as everywhere; unknown ones are an error that says nothing of our network."""
    resolve = SystemResolver()
    assert "127.0.0.1" in await resolve("localhost", 80)
    with pytest.raises(OSError, match="label"):
        await resolve("a..b", 80)
    with pytest.raises(RequestFailed, match="localhost is not a public address"):
        await fetch(GuardedClient(), "http://localhost/")


async def test_a_resolver_that_never_answers_is_given_up() -> None:
    """A name server can be as slow as any other."""

    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    limits = RequestLimits(connect_seconds_max=0.05)
    with pytest.raises(RequestFailed, match=r"slow\.example is not known"):
        await fetch(GuardedClient(resolve=never), "http://slow.example/", limits)


async def test_nothing_of_ours_is_sent_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy of the environment, no cookie of an earlier answer, no password of .netrc, nothing packed."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.2 login root password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    table = {
        "/": b"HTTP/1.1 302 Found\r\nlocation: /b\r\nset-cookie: a=b; Path=/\r\ncontent-length: 0\r\n\r\n",
        "/b": OK,
    }
    async with receiving(answering(table), GOOD) as receiver, trapping() as trap:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
        assert await fetch(guarded(), receiver.url("/"), redirects_max=5) == b"hello"
        assert trap.visits == 0
    for head in receiver.heads:
        assert b"cookie" not in head.lower()
        assert b"authorization" not in head.lower()
        assert b"accept-encoding: identity" in head.lower()


BOMB = zlib.compress(bytes(50_000_000), wbits=31)
BROKEN = "broken off, or is no HTTP"
BAD: dict[str, tuple[bytes, str]] = {
    "more-than-it-says": (b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello", BROKEN),
    "says-too-much": (b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n", "larger than 0.01 MB"),
    "less-than-nothing": (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nhello", BROKEN),
    "two-lengths": (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!", BROKEN),
    "no-number": (b"HTTP/1.1 200 OK\r\ncontent-length: 0x10\r\n\r\nhello", BROKEN),
    "huge": (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(20_000), "larger than 0.01 MB"),
    "huge-chunk": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffff\r\n" + bytes(65535), "larger than"),
    "bad-chunk": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello", BROKEN),
    "packed-for-the-way": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n" + BOMB, BROKEN),
    "bomb": (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + BOMB, "larger than"),
    "endless-head": (b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 50_000, BROKEN),
    "long-line": (b"HTTP/1.1 200 OK\r\nx-a: " + b"b" * 500_000, BROKEN),
    "another-protocol": (b"220 mail.example ESMTP ready\r\n", BROKEN),
    "silence": (b"", BROKEN),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_lying_server_is_found_out(name: str) -> None:
    """Lengths that are not so, bodies and heads without end, packed bodies, and what is no HTTP."""
    answer, problem = BAD[name]
    async with receiving(answering({"/": answer}), GOOD) as receiver:
        with pytest.raises(RequestFailed, match=problem):
            await fetch(guarded(), receiver.url("/"))


async def test_what_follows_a_body_is_not_taken() -> None:
    """A server that sends more than it says is believed in what it says."""
    async with receiving(answering({"/": OK + b"HTTP/1.1 200 OK\r\n\r\nsmuggled"}), GOOD) as receiver:
        assert await fetch(guarded(), receiver.url("/")) == b"hello"


async def _drip(writer: asyncio.StreamWriter, piece: bytes, first: bytes = b"") -> None:
    writer.write(first)
    while not writer.is_closing():
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)


async def _never(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _half_way(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello")
    await asyncio.Event().wait()


async def _slow_body(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _drip(writer, b"x", b"HTTP/1.1 200 OK\r\n\r\n")


async def _slow_head(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _drip(writer, b"x-a: b\r\n", b"HTTP/1.1 200 OK\r\n")


async def _just_a_moment(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _drip(writer, b"HTTP/1.1 102 Processing\r\n\r\n")


@pytest.mark.parametrize(
    ("handler", "limits", "problem"),
    [
        (_never, RequestLimits(stall_seconds_max=0.1), "sent nothing for 0.1 s"),
        (_half_way, RequestLimits(stall_seconds_max=0.1), "sent nothing for 0.1 s"),
        (_slow_body, RequestLimits(stall_seconds_max=0.5), "less than 1000 bytes a second"),
        (_slow_body, RequestLimits(seconds_max=0.1), "longer than 0.1 s"),
        (_slow_head, RequestLimits(seconds_max=0.1), "longer than 0.1 s"),
        (_just_a_moment, RequestLimits(seconds_max=0.1), "longer than 0.1 s"),
    ],
)
async def test_a_slow_server_is_left(handler: object, limits: RequestLimits, problem: str) -> None:
    """Never answering, stopping half-way, dripping a body or a head: each has its limit."""
    async with receiving(handler, GOOD) as receiver:  # type: ignore[arg-type]
        with pytest.raises(RequestFailed, match=problem):
            await fetch(guarded(), receiver.url("/"), limits)


async def test_a_fault_of_the_reader_is_not_the_servers() -> None:
    """A time-out of whoever uses the answer stays what it is."""
    async with receiving(answering({"/": OK}), GOOD) as receiver:
        with pytest.raises(TimeoutError, match="the disk"):
            async with guarded().exchange("GET", receiver.url("/"), LIMITS):
                raise TimeoutError("the disk")


def certificate(folder: Path, name: str) -> Path:
    """A certificate for ``name``, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


async def test_tls_checks_the_name_and_who_signed(tmp_path: Path) -> None:
    """The pinned address does not loosen TLS: the name has to fit, for each name on one address, and be vouched for."""
    path = certificate(tmp_path, "media.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    trusting = ssl.create_default_context(cafile=str(path))

    def url(receiver: Receiver, host: str) -> str:
        return f"https://{host}:{receiver.port}/"

    async with receiving(answering({"/": OK}), GOOD, server) as receiver:
        client = guarded(tls=trusting)
        assert await fetch(client, url(receiver, "media.example")) == b"hello"
        with pytest.raises(RequestFailed, match=r"certificate of other\.example is not valid"):
            await fetch(client, url(receiver, "other.example"))
        with pytest.raises(RequestFailed, match=r"certificate of 127\.0\.0\.2 is not valid"):
            await fetch(client, url(receiver, GOOD))
        with pytest.raises(RequestFailed, match=r"certificate of media\.example is not valid \(self-signed"):
            await fetch(guarded(), url(receiver, "media.example"))
    assert len(receiver.heads) == 1
