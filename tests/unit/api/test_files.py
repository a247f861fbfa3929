"""Signed file URLs over HTTP."""

import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from bodydouble.store import FileLimits, LocalFileStore, Scratch
from bodydouble.store.buckets import open_bucket
from bodydouble.store.objects import ObjectFileStore
from bodydouble.tasks.task import AccountId
from buckets import LocalS3

pytestmark = pytest.mark.anyio

LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=1000, video_bytes_max=1000)


async def put(client: httpx.AsyncClient, url: str, content: bytes, content_type: str = "video/mp4") -> httpx.Response:
    return await client.put(url, content=content, headers={"Content-Type": content_type})


async def test_a_file_is_read_whole_or_in_part(anonymous: httpx.AsyncClient, files: LocalFileStore) -> None:
    """GET, HEAD and Range work without an API key, with the right content type."""
    signed = await files.sign_upload("video/mp4", "mp4", AccountId(1))
    assert (await put(anonymous, signed.put_url, b"0123456789")).json()["data"] == {"size": 10}
    whole = await anonymous.get(signed.file_url)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, b"0123456789", "video/mp4")
    assert whole.headers["etag"]
    assert whole.headers["accept-ranges"] == "bytes"
    part = await anonymous.get(signed.file_url, headers={"Range": "bytes=2-4"}, timeout=30)
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    head = await anonymous.head(signed.file_url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")
    beyond = await anonymous.get(signed.file_url, headers={"Range": "bytes=50-"})
    assert beyond.status_code == 416


async def test_a_range_in_another_unit_is_ignored(anonymous: httpx.AsyncClient, files: LocalFileStore) -> None:
    """The whole file is sent, as RFC 9110 requires."""
    signed = await files.sign_upload("video/mp4", "mp4", AccountId(1))
    await put(anonymous, signed.put_url, b"0123456789")
    for unit in ("lines=2-4", "frames=1"):
        whole = await anonymous.get(signed.file_url, headers={"Range": unit})
        assert (whole.status_code, whole.content) == (200, b"0123456789"), unit


async def test_an_upload_address_works_once_and_for_its_type(
    anonymous: httpx.AsyncClient, files: LocalFileStore
) -> None:
    """Another Content-Type and a second upload are rejected; the first file is kept."""
    signed = await files.sign_upload("video/mp4", ".mp4", AccountId(1))
    assert (await put(anonymous, signed.put_url, b"x", "text/html")).status_code == 403
    assert (await put(anonymous, signed.put_url, b"first")).status_code == 200
    again = await put(anonymous, signed.put_url, b"second")
    assert (again.status_code, again.json()["code"]) == (409, 409)
    assert "has been used" in again.json()["message"]
    assert (await anonymous.get(signed.file_url)).content == b"first"


async def test_an_upload_in_pieces(client: httpx.AsyncClient) -> None:
    """With tus 1.0.0, HEAD returns the offset, PATCH appends, and the file can be downloaded."""
    wanted = {"content_type": "video/mp4", "ext": ".mp4", "size": 10}
    place = (await client.get("/api/v1/client/files/upload-url", params=wanted)).json()["data"]
    url, tus = place["resumable_url"], {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
    assert (await client.options(url)).headers["tus-version"] == "1.0.0"
    for offset, piece in ((0, b"0123"), (4, b"456789")):
        head = await client.head(url, headers=tus)
        told = head.headers
        assert (head.status_code, told["upload-offset"], told["upload-length"]) == (200, str(offset), "10")
        assert (told["tus-resumable"], told["cache-control"]) == ("1.0.0", "no-store")
        taken = await client.patch(url, content=piece, headers=tus | {"Upload-Offset": str(offset)})
        assert (taken.status_code, taken.headers["upload-offset"]) == (204, str(offset + len(piece)))
    assert (await client.get(place["file_url"])).content == b"0123456789"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Upload-Offset": "3"}, 409),
        ({"Upload-Offset": ""}, 422),
        ({"Upload-Offset": "-1"}, 422),
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Content-Type": "video/mp4"}, 415),
    ],
)
async def test_a_piece_that_does_not_fit_is_refused(
    client: httpx.AsyncClient, files: LocalFileStore, changed: dict[str, str], status: int
) -> None:
    """A PATCH with invalid headers stores nothing; with a wrong offset the response has the right one."""
    url = (await files.sign_upload("video/mp4", ".mp4", AccountId(1), 10)).resumable_url
    assert url is not None
    headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"} | changed
    answer = await client.patch(url, content=b"0123", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, status)
    if status == 409:
        assert answer.headers["upload-offset"] == "0"
    assert (await client.head(url)).headers["upload-offset"] == "0"


async def test_pieces_need_the_address_that_was_made_for_them(
    anonymous: httpx.AsyncClient, files: LocalFileStore
) -> None:
    """A URL for another size, for another file or for PUT is 403."""
    signed = await files.sign_upload("video/mp4", ".mp4", AccountId(1), 10)
    other = await files.sign_upload("video/mp4", ".mp4", AccountId(1))
    assert signed.resumable_url is not None
    assert other.resumable_url is None
    headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    larger = signed.resumable_url.replace("size=10", "size=11")
    elsewhere = f"{other.put_url.partition('?')[0]}?{signed.resumable_url.partition('?')[2]}"
    for url in (larger, elsewhere, other.put_url):
        assert (await anonymous.patch(url, content=b"x", headers=headers)).status_code == 403
    assert (await anonymous.head(larger)).status_code == 403
    assert (await put(anonymous, signed.resumable_url, b"0123456789")).status_code == 403


async def test_an_upload_beyond_the_limit_leaves_nothing(
    anonymous: httpx.AsyncClient, files: LocalFileStore, app: FastAPI
) -> None:
    """The size limit applies to the announced size and while receiving; the partial file is removed."""
    small = LocalFileStore(
        files.folder, "http://127.0.0.1:8000", b"a secret", dataclasses.replace(LIMITS, image_bytes_max=100)
    )
    app.state.files = small

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(101):
            yield b"x"

    for content in (b"x" * 101, unannounced()):
        signed = await small.sign_upload("image/png", ".png", AccountId(1))
        answer = await anonymous.put(signed.put_url, content=content, headers={"content-type": "image/png"})
        assert answer.status_code == 422
        assert answer.json()["errors"] == ["body: the file is larger than 0.0001 MB, which is the limit."]
    assert [p for p in files.folder.rglob("*") if p.is_file()] == []


async def test_an_upload_without_room_is_507(anonymous: httpx.AsyncClient, files: LocalFileStore, app: FastAPI) -> None:
    """A full disk is 507 without paths for the client and a reason in readiness; downloads still work."""
    signed = await files.sign_upload("video/mp4", ".mp4", AccountId(1))
    await put(anonymous, signed.put_url, b"first")
    full = LocalFileStore(
        files.folder, "http://127.0.0.1:8000", b"a secret", dataclasses.replace(LIMITS, free_bytes_min=1 << 60)
    )
    app.state.files = full
    app.state.readiness = {"files": full.ping}
    another = await full.sign_upload("video/mp4", ".mp4", AccountId(1))
    answer = await put(anonymous, another.put_url, b"second")
    assert (answer.status_code, answer.json()["code"]) == (507, 507)
    assert str(files.folder) not in answer.text
    ready = await anonymous.get("/readyz")
    assert ready.status_code == 503
    assert "is full" in ready.json()["checks"]["files"]
    app.state.files = files
    assert (await anonymous.get(signed.file_url)).content == b"first"


async def test_a_file_in_a_bucket_is_led_to(
    anonymous: httpx.AsyncClient, app: FastAPI, s3: LocalS3, tmp_path: Path
) -> None:
    """GET redirects (307) to the bucket, which serves bytes and ranges; the service responds to HEAD itself."""
    bucket = open_bucket(s3.url(s3.make_bucket()))
    files = app.state.files = ObjectFileStore(
        bucket, "http://127.0.0.1:8000", b"a secret", LIMITS, Scratch(tmp_path / "scratch")
    )
    signed = await files.sign_upload("video/mp4", ".mp4", AccountId(1))
    assert signed.put_url.startswith(s3.endpoint)
    httpx.put(
        signed.put_url, content=b"0123456789", headers={"Content-Type": "video/mp4"}, timeout=30
    ).raise_for_status()
    head = await anonymous.head(signed.file_url)
    assert (head.status_code, head.headers["content-length"], head.headers["content-type"]) == (200, "10", "video/mp4")
    answer = await anonymous.get(signed.file_url)
    assert answer.status_code == 307
    part = httpx.get(answer.headers["location"], headers={"Range": "bytes=2-4"}, timeout=30)
    assert (part.status_code, part.content) == (206, b"234")


async def test_a_changed_address_opens_nothing(
    anonymous: httpx.AsyncClient, files: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A URL with a changed key, time or method, without signature, or expired, is 403."""
    signed = await files.sign_upload("video/mp4", ".mp4", AccountId(1))
    await put(anonymous, signed.put_url, b"x")
    parts = urlsplit(signed.file_url)
    for url in (
        parts._replace(query="").geturl(),
        parts._replace(query=parts.query.replace("expires=", "expires=9")).geturl(),
        parts._replace(path=parts.path.replace("uploads/1/", "uploads/2/")).geturl(),
        signed.put_url,
        signed.file_url[:-1] + ("0" if signed.file_url[-1] != "0" else "1"),
        parts._replace(path="/files/../.signing-key").geturl(),
        parts._replace(path="/files/%2e%2e/%2e%2e/etc/passwd").geturl(),
        parts._replace(path="/files/.signing-key").geturl(),
    ):
        assert (await anonymous.get(url)).status_code in (403, 404), url
    assert (await put(anonymous, signed.file_url, b"y")).status_code == 403
    later = time.time() + 8 * 24 * 3600
    monkeypatch.setattr("time.time", lambda: later)
    assert (await anonymous.get(signed.file_url)).status_code == 403


async def test_a_signed_address_of_nothing_is_404(anonymous: httpx.AsyncClient, files: LocalFileStore) -> None:
    """The URL of a file that was never uploaded is 404."""
    signed = await files.sign_upload("video/mp4", ".mp4", AccountId(1))
    answer = await anonymous.get(signed.file_url)
    assert (answer.status_code, answer.json()["message"]) == (404, "File not found")


async def test_a_file_is_verified_at_once(client: httpx.AsyncClient) -> None:
    """Any file can be sent, with a key; the answer lists its marks and the task that made it."""
    answer = await client.post("/api/v1/client/files/verify", content=b"any text")
    assert answer.json()["data"] == {"layers": [], "generated": None, "task_id": None}
    without_key = await client.post("/api/v1/client/files/verify", content=b"any text", headers={"x-api-key": ""})
    assert without_key.status_code == 401
