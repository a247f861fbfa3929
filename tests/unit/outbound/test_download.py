"""Downloads from servers that behave well and badly, on the loopback."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bodydouble.outbound import GuardedDownloader, parse_networks
from bodydouble.tasks.errors import InputRejected

pytestmark = pytest.mark.anyio

LOOPBACK = parse_networks("127.0.0.0/8")
ANSWERS: dict[str, bytes] = {
    "/good": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    "/to-good": b"HTTP/1.1 302 Found\r\nlocation: /good\r\ncontent-length: 0\r\n\r\n",
    "/loop": b"HTTP/1.1 302 Found\r\nlocation: /loop\r\ncontent-length: 0\r\n\r\n",
    "/inside": b"HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/secret\r\ncontent-length: 0\r\n\r\n",
    "/file": b"HTTP/1.1 302 Found\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n",
    "/large": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n",
    "/packed": b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
    "/short": b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello",
    "/gone": b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def requests() -> list[bytes]:
    """The heads of the requests that the server saw."""
    return []


@pytest.fixture
async def address(requests: list[bytes]) -> AsyncIterator[Callable[[str], str]]:
    """A server's address for a path."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        requests.append(head)
        path = head.split()[1].decode()
        if path == "/silent":
            await reader.read()
        writer.write(ANSWERS.get(path, b""))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield lambda path: f"http://127.0.0.1:{port}{path}"
    server.close()


@pytest.mark.parametrize("path", ["/good", "/to-good"])
async def test_a_file_is_fetched(
    address: Callable[[str], str], requests: list[bytes], path: str, tmp_path: Path
) -> None:
    """A file arrives whole, through a redirect too, and is asked for uncompressed."""
    await GuardedDownloader(LOOPBACK).download(address(path), tmp_path / "f", 100, "img_urls[0]")
    assert (tmp_path / "f").read_bytes() == b"hello"
    assert b"accept-encoding: identity" in requests[-1].lower()


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/loop", "more than 5 redirects"),
        ("/inside", r"10\.0\.0\.1 is not a public address"),
        ("/file", "only http and https"),
        ("/large", "larger than 0.001 MB"),
        ("/packed", "compressed"),
        ("/short", "download failed"),
        ("/gone", "HTTP status 410"),
        ("/nothing", "download failed"),
        ("/silent", "longer than 1 s"),
    ],
)
async def test_what_goes_wrong_is_told_and_leaves_nothing(
    address: Callable[[str], str], path: str, problem: str, tmp_path: Path
) -> None:
    """Every failure names the field, and no half file stays."""
    downloader = GuardedDownloader(LOOPBACK, seconds_max=1 if path == "/silent" else 60)
    with pytest.raises(InputRejected, match=rf"^video_urls\[0\]: .*{problem}"):
        await downloader.download(address(path), tmp_path / "f", 1000, "video_urls[0]")
    assert list(tmp_path.iterdir()) == []


async def test_without_permission_the_own_network_is_closed(
    address: Callable[[str], str], requests: list[bytes], tmp_path: Path
) -> None:
    """The loopback is refused before anything is sent."""
    with pytest.raises(InputRejected, match="BODYDOUBLE_OUTBOUND_ALLOW"):
        await GuardedDownloader().download(address("/good"), tmp_path / "f", 100, "img_urls[0]")
    assert requests == []


async def test_the_checked_address_is_the_one_that_is_called(
    address: Callable[[str], str], requests: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is resolved once; the request still carries the name."""
    calls: list[str] = []

    async def once(host: str, *_: object) -> str:
        calls.append(host)
        return "127.0.0.1"

    monkeypatch.setattr("bodydouble.outbound.download.resolve", once)
    url = address("/good").replace("127.0.0.1", "media.example")
    await GuardedDownloader().download(url, tmp_path / "f", 100, "img_urls[0]")
    assert calls == ["media.example"]
    assert b"host: media.example:" in requests[-1].lower()


async def test_a_data_url_is_unpacked(tmp_path: Path) -> None:
    """Base64 is decoded; other forms, wrong digits and too much are refused."""
    downloader = GuardedDownloader()
    good = "data:image/png;base64," + base64.b64encode(b"picture").decode()
    await downloader.download(good, tmp_path / "f", 100, "img_urls[0]")
    assert (tmp_path / "f").read_bytes() == b"picture"
    for url, problem in (
        ("data:image/png,abc", "has to be base64"),
        ("data:image/png;base64,%%%", "not valid base64"),
        ("data:image/png;base64," + "A" * 200, "may hold"),
    ):
        with pytest.raises(InputRejected, match=problem):
            await downloader.download(url, tmp_path / "g", 100, "img_urls[0]")
    assert not (tmp_path / "g").exists()
