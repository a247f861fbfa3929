"""Downloads from servers that behave well and badly, on the loopback."""

import base64
from pathlib import Path

import pytest

from bodydouble.outbound import GuardedClient, GuardedDownloader, RequestLimits, parse_networks
from bodydouble.outbound.content import foreign_content
from bodydouble.tasks.errors import InputRejected
from receivers import answering, receiving

pytestmark = pytest.mark.anyio

LIMITS = RequestLimits(seconds_max=60, connect_seconds_max=60, stall_seconds_max=60)
ANSWERS: dict[str, bytes] = {
    "/good": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    "/to-good": b"HTTP/1.1 302 Found\r\nlocation: /good\r\ncontent-length: 0\r\n\r\n",
    "/loop": b"HTTP/1.1 302 Found\r\nlocation: /loop\r\ncontent-length: 0\r\n\r\n",
    "/inside": b"HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/secret\r\ncontent-length: 0\r\n\r\n",
    "/file": b"HTTP/1.1 302 Found\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n",
    "/nowhere": b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n",
    "/large": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n",
    "/packed": b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
    "/short": b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello",
    "/empty": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "/gone": b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
    "/page": b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\n\r\n\n <!DOCTYPE html><title>Log in</title>",
    "/long-page": b"HTTP/1.1 200 OK\r\n\r\n<html>" + b" " * 900,
    "/error": b'HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n{"error": "expired"}',
}


@pytest.fixture(scope="module")
def downloader() -> GuardedDownloader:
    """May reach the loopback."""
    return GuardedDownloader(GuardedClient(parse_networks("127.0.0.0/8")), LIMITS)


@pytest.mark.parametrize("path", ["/good", "/to-good"])
async def test_a_file_is_fetched(downloader: GuardedDownloader, path: str, tmp_path: Path) -> None:
    """A file arrives whole, through a redirect too."""
    async with receiving(answering(ANSWERS)) as receiver:
        await downloader.download(receiver.url(path), tmp_path / "f", 100, "img_urls")
    assert (tmp_path / "f").read_bytes() == b"hello"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/loop", "more than 5 redirects"),
        ("/inside", r"10\.0\.0\.1 is not a public address"),
        ("/file", "only http"),
        ("/nowhere", "HTTP status 302"),
        ("/large", r"larger than 0\.001 MB"),
        ("/packed", "compressed"),
        ("/short", "broken off"),
        ("/empty", "empty file"),
        ("/gone", "HTTP status 410"),
        ("/nothing", "broken off"),
        ("/page", r"a web page \(HTML\)"),
        ("/long-page", r"a web page \(HTML\)"),
        ("/error", "a JSON document"),
    ],
)
async def test_what_goes_wrong_is_told_and_leaves_nothing(
    downloader: GuardedDownloader, path: str, problem: str, tmp_path: Path
) -> None:
    """Every failure names the field, and no half file stays."""
    async with receiving(answering(ANSWERS)) as receiver:
        with pytest.raises(InputRejected, match=rf"^video_urls: .*{problem}"):
            await downloader.download(receiver.url(path), tmp_path / "f", 1000, "video_urls")
    assert list(tmp_path.iterdir()) == []


async def test_without_permission_the_own_network_is_closed(tmp_path: Path) -> None:
    """The loopback is refused before anything is sent, and the message says what opens it."""
    async with receiving(answering(ANSWERS)) as receiver:
        with pytest.raises(InputRejected, match="BODYDOUBLE_OUTBOUND_ALLOW"):
            await GuardedDownloader(GuardedClient()).download(receiver.url("/good"), tmp_path / "f", 100, "img_urls")
    assert receiver.heads == []


@pytest.mark.parametrize("head", ["data:image/png;base64,", "DATA:;base64,", "data:image/png;name=a.png;BASE64,"])
async def test_a_data_url_is_unpacked(downloader: GuardedDownloader, head: str, tmp_path: Path) -> None:
    """Base64 is decoded, with its signs percent-encoded or not."""
    digits = base64.b64encode(b"\xfb\xef\xff picture").decode()
    assert "+" in digits or "/" in digits
    await downloader.download(head + digits, tmp_path / "f", 100, "img_urls")
    await downloader.download(head + digits.replace("/", "%2F").replace("=", "%3D"), tmp_path / "g", 100, "img_urls")
    assert (tmp_path / "f").read_bytes() == (tmp_path / "g").read_bytes() == b"\xfb\xef\xff picture"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("data:image/png,abc", "must be base64"),
        ("data:image/png;base64", "must be base64"),
        ("data:image/png;base64,%%%", "not valid base64"),
        ("data:image/png;base64,AAA", "not valid base64"),
        ("data:image/png;base64,AAAü", "not valid base64"),
        ("data:image/png;base64," + "A" * 200, "may hold at most 0.0001 MB"),
        ("data:image/png;base64," + base64.b64encode(b"<html></html>").decode(), "a web page"),
    ],
)
async def test_other_data_urls_are_refused(
    downloader: GuardedDownloader, url: str, problem: str, tmp_path: Path
) -> None:
    """Other forms, wrong digits, too much, and what is no picture."""
    with pytest.raises(InputRejected, match=rf"^img_urls: .*{problem}"):
        await downloader.download(url, tmp_path / "g", 100, "img_urls")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "head",
    [
        b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x00\x00\x00\x00WEBP", b"BM6\x00", b"\x00\x00\x00\x18ftypmp42",
        b"\x1aE\xdf\xa3", b"RIFF\x00\x00\x00\x00AVI ", b"", b"<", b"<abc>", b"\x00" * 16,
    ],
)  # fmt: skip
def test_what_may_be_media_is_left_to_the_probe(head: bytes) -> None:
    """Pictures, videos and unknown bytes are not judged here."""
    assert foreign_content(head) is None


@pytest.mark.parametrize(
    "head",
    [
        b"<html>", b"\xef\xbb\xbf\r\n<!doctype HTML>", b"<!-- a -->", b"<?xml version='1.0'?>", b"<svg xmlns='a'>",
        b"[1]", b"%PDF-1.7", b"#EXTM3U\n", b"PK\x03\x04", b"\x1f\x8b\x08", b"<p>not found",
    ],
)  # fmt: skip
def test_what_is_no_media_has_a_name(head: bytes) -> None:
    """Pages, documents, playlists and archives are named for what they are."""
    assert foreign_content(head)
