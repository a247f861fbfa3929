"""How every file store takes uploads: limits, resuming, quotas."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bodydouble.store.objects import ObjectFileStore
from bodydouble.tasks.errors import (
    AddressUsed,
    InputRejected,
    QuotaExceeded,
    WrongOffset,
)
from bodydouble.tasks.files import FileStore
from file_stores import LIMITS, OWNER, STRANGER, URL, StoreUnderTest, in_pieces, key_and_query

pytestmark = pytest.mark.anyio


async def test_a_picture_has_a_limit_of_its_own(place: StoreUnderTest, files: FileStore) -> None:
    """Beyond it what is declared as a picture is refused, before it is sent and as it comes; a video may be larger."""
    size = LIMITS.image_bytes_max + 1
    with pytest.raises(InputRejected, match=r"size: the file is larger than 0\.0008 MB"):
        await files.sign_upload("image/png", ".png", OWNER, size)
    await place.put(await files.sign_upload("video/mp4", ".mp4", OWNER, size), b"x" * size)
    signed = await files.sign_upload("image/png", ".png", OWNER)
    if signed.put_url.startswith(URL):  # a bucket takes what comes; who reads it refuses it
        with pytest.raises(InputRejected, match=r"body: the file is larger than 0\.0008 MB"):
            await files.receive(key_and_query(signed.put_url)[0], in_pieces(b"x" * size))


async def test_an_upload_is_found_under_its_address(place: StoreUnderTest, files: FileStore) -> None:
    """What is PUT to the one address is read from the other, which names the account's key."""
    signed = await files.sign_upload("video/mp4", ".MP4", OWNER)
    key = await files.own_key(signed.file_url)
    assert key is not None
    assert key.startswith("uploads/7/")
    assert key.endswith(".mp4")
    assert await files.stat(key) is None
    await place.put(signed, b"x" * 500)
    stored = await files.stat(key)
    assert stored is not None
    assert (stored.size_bytes, stored.content_type) == (500, "video/mp4")
    assert await place.get(signed.file_url) == (b"x" * 500, "video/mp4")


async def test_an_upload_goes_on_where_it_broke_off(files: FileStore) -> None:
    """A store that takes pieces keeps what came, refuses what does not follow, and has the file once it is whole."""
    content = bytes(range(200)) * 5
    signed = await files.sign_upload("video/mp4", ".mp4", OWNER, len(content))
    if files.resumable is None:
        assert signed.resumable_url is None
        return
    assert signed.resumable_url is not None
    key, query = key_and_query(signed.resumable_url)
    assert files.resumable.size(key, query) == 1000
    assert files.resumable.size(key, query | {"size": "999"}) is None
    assert not files.allows("PUT", key, query, "video/mp4")

    async def broken(content: bytes) -> AsyncIterator[bytes]:
        yield content
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.resumable.append(key, 1000, 0, broken(content[:300]))
    assert await files.resumable.offset(key, 1000) == 300
    assert await files.stat(key) is None
    for wrong in (0, 299, 301):
        with pytest.raises(WrongOffset, match="300 bytes have been received"):
            await files.resumable.append(key, 1000, wrong, in_pieces(b"x"))
    with pytest.raises(InputRejected, match=r"^body: longer than the 1000 bytes"):
        await files.resumable.append(key, 1000, 300, in_pieces(content))
    reached = await files.resumable.offset(key, 1000)
    assert await files.resumable.append(key, 1000, reached, in_pieces(content[reached:])) == 1000
    assert await files.resumable.offset(key, 1000) == 1000
    stored = await files.stat(key)
    assert stored is not None
    assert stored.path is not None
    assert stored.path.read_bytes() == content


async def test_an_announced_size_beyond_the_limit_is_refused_at_once(files: FileStore) -> None:
    """Before a byte is sent; the message names the field and the limit."""
    with pytest.raises(InputRejected, match=r"^size: .* larger than 0\.001 MB"):
        await files.sign_upload("video/mp4", ".mp4", OWNER, LIMITS.video_bytes_max + 1)


@pytest.mark.parametrize(
    ("content_type", "extension", "problem"),
    [
        ("video/mp4", ".exe", "ext"),
        ("image/png", ".mp4", "content_type"),
        ("video/mp4\r\nx: y", ".mp4", "content_type"),
    ],
)
async def test_other_types_have_no_upload_address(
    files: FileStore, content_type: str, extension: str, problem: str
) -> None:
    """Only pictures and videos, with an extension that fits; the message names the wrong field."""
    with pytest.raises(InputRejected, match=f"^{problem}: "):
        await files.sign_upload(content_type, extension, OWNER)


async def test_an_upload_through_the_api_is_bounded_and_happens_once(files: FileStore, tmp_path: Path) -> None:
    """Beyond the limit, announced or not, nothing stays; the first whole upload is kept."""
    key = "uploads/7/one.mp4"
    with pytest.raises(InputRejected, match=r"^body: .* larger than 0\.001 MB"):
        await files.receive(key, in_pieces(b"x" * 1001))
    with pytest.raises(InputRejected, match=r"^body: .* larger than 0\.001 MB"):
        await files.receive(key, in_pieces(b""), 1001)
    assert await files.stat(key) is None
    assert (await files.receive(key, in_pieces(b"first"))).size_bytes == 5
    with pytest.raises(AddressUsed, match="has been used"):
        await files.receive(key, in_pieces(b"second"))
    await files.get_file(key, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"first"


async def test_of_two_uploads_at_once_the_first_that_is_whole_stays(files: FileStore, tmp_path: Path) -> None:
    """The slower one is told, though it began before: somebody may have made a task of the other by then."""
    key, began, goes_on = "uploads/7/one.mp4", asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"slower"
        began.set()
        await goes_on.wait()

    second = asyncio.create_task(files.receive(key, slow()))
    await began.wait()
    await files.receive(key, in_pieces(b"first"))
    goes_on.set()
    with pytest.raises(AddressUsed):
        await second
    await files.get_file(key, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"first"


async def test_an_upload_that_breaks_off_leaves_nothing(files: FileStore, tmp_path: Path) -> None:
    """A client that hangs up leaves neither the file nor a part of it, and can try again."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 100
        raise RuntimeError("hung up")

    with pytest.raises(RuntimeError):
        await files.receive("uploads/7/one.mp4", broken())
    assert await files.stat("uploads/7/one.mp4") is None
    assert not [path for folder in (".parts", "scratch") for path in tmp_path.rglob(f"{folder}/*")]
    assert (await files.receive("uploads/7/one.mp4", in_pieces(b"again"))).size_bytes == 5


async def test_an_account_has_a_quota(place: StoreUnderTest) -> None:
    """Uploads beyond it are refused when they are announced, other accounts are not, and deletion frees it."""
    place.files._limits = dataclasses.replace(LIMITS, account_bytes_max=1500)
    first = await place.files.sign_upload("video/mp4", ".mp4", OWNER, 900)
    await place.put(first, b"x" * 900)
    with pytest.raises(QuotaExceeded, match=r"0\.0 MB of at most 0\.0015 MB"):
        await place.files.sign_upload("video/mp4", ".mp4", OWNER, 700)
    await place.files.sign_upload("video/mp4", ".mp4", STRANGER, 900)
    await place.files.delete([(await place.files.own_key(first.file_url)) or ""])
    if isinstance(place.files, ObjectFileStore):
        place.files._usage.clear()  # a bucket is listed once in a few seconds
    await place.put(await place.files.sign_upload("video/mp4", ".mp4", OWNER, 900), b"x" * 900)


async def test_a_quota_holds_for_what_is_sent_without_an_announcement(place: StoreUnderTest) -> None:
    """An upload through our API of unknown size counts as the largest that is accepted."""
    place.files._limits = dataclasses.replace(LIMITS, account_bytes_max=1500)
    await place.files.receive("uploads/7/one.mp4", in_pieces(b"x" * 900), 900)
    with pytest.raises(QuotaExceeded):
        await place.files.receive("uploads/7/two.mp4", in_pieces(b"x" * 700))
    await place.files.receive("uploads/7/two.mp4", in_pieces(b"x" * 500), 500)
