"""What every file store does: a local folder, a bucket that clients reach directly, a bucket behind our API."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from bodydouble.store import FileLimits, LocalFileStore, ObjectFileStore, Scratch, delete_older, open_bucket
from bodydouble.tasks.errors import (
    AddressUsed,
    InputRejected,
    NotFound,
    QuotaExceeded,
    StorageUnavailable,
    WrongOffset,
)
from bodydouble.tasks.files import FileStore, SignedUpload
from bodydouble.tasks.task import AccountId
from buckets import LocalS3

pytestmark = pytest.mark.anyio

URL = "https://media.example"
SECRET = b"of the installation"
LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=800, video_bytes_max=1000)
OWNER, STRANGER = AccountId(7), AccountId(8)
RESULT = "results/7/0198-task/result.mp4"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A store, and what takes its storage away and brings it back."""

    files: FileStore
    lose: Callable[[], object]
    restore: Callable[[], object]

    async def put(self, signed: SignedUpload, content: bytes, content_type: str = "video/mp4") -> None:
        """As a client does, and the API where the address is one of it."""
        if not signed.put_url.startswith(URL):
            answer = httpx.put(signed.put_url, content=content, headers={"content-type": content_type}, timeout=30)
            assert answer.is_success, answer.text
            return
        key, query = _split(signed.put_url)
        assert self.files.allows("PUT", key, query, content_type)
        await self.files.receive(key, _in_pieces(content), len(content))

    async def get(self, url: str) -> tuple[bytes, str]:
        """Bytes and type, as a client gets them."""
        if not url.startswith(URL):
            answer = httpx.get(url, timeout=30)
            assert answer.is_success, answer.text
            return answer.content, answer.headers["content-type"]
        key, query = _split(url)
        assert self.files.allows("GET", key, query, "")
        stored = await self.files.stat(key)
        assert stored is not None
        if stored.path is None:
            return await self.get(await self.files.sign_download(key))
        return stored.path.read_bytes(), stored.content_type


def _split(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    return parts.path.removeprefix("/files/"), dict(parse_qsl(parts.query))


async def _in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for first in range(0, len(content), 100):
        yield content[first : first + 100]


@pytest.fixture(params=["local", "bucket", "bucket behind the API"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "local":
        folder, away = tmp_path / "files", tmp_path / "away"
        files = LocalFileStore(folder, URL, SECRET, LIMITS)
        return Place(files=files, lose=lambda: folder.rename(away), restore=lambda: away.rename(folder))
    s3: LocalS3 = request.getfixturevalue("s3")
    bucket = open_bucket(s3.url(s3.make_bucket()))
    bucket = dataclasses.replace(bucket, direct_uploads=request.param == "bucket")
    store = ObjectFileStore(bucket, URL, SECRET, LIMITS, Scratch(tmp_path / "scratch"))
    return Place(files=store, lose=s3.stop, restore=s3.start)


@pytest.fixture
def files(place: Place) -> FileStore:
    return place.files


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.write_bytes(b"bytes")
    return path


async def test_a_stored_file_comes_back(files: FileStore, source: Path, tmp_path: Path) -> None:
    """put_file and get_file carry bytes, size and type, a second one takes the place, and no half file stays."""
    stored = await files.put_file(RESULT, source, "video/mp4")
    assert (stored.key, stored.size_bytes, stored.content_type) == (RESULT, 5, "video/mp4")
    source.write_bytes(b"later")
    await files.put_file(RESULT, source, "video/mp4")
    got = await files.get_file(RESULT, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"later"
    assert (got.size_bytes, got.content_type) == (5, "video/mp4")
    assert not list(tmp_path.rglob("*.part"))
    assert not [path for folder in (".parts", "scratch") for path in tmp_path.rglob(f"{folder}/*")]


async def test_a_file_of_many_pieces_comes_back(files: FileStore, source: Path, tmp_path: Path) -> None:
    """What is larger than one request's piece is whole at both ends."""
    content = bytes(range(256)) * 80_000  # 20 MB
    source.write_bytes(content)
    assert (await files.put_file(RESULT, source, "video/mp4")).size_bytes == len(content)
    await files.get_file(RESULT, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == content


async def test_a_picture_has_a_limit_of_its_own(place: Place, files: FileStore) -> None:
    """Beyond it what is declared as a picture is refused, before it is sent and as it comes; a video may be larger."""
    size = LIMITS.image_bytes_max + 1
    with pytest.raises(InputRejected, match=r"size: the file is larger than 0\.0008 MB"):
        await files.sign_upload("image/png", ".png", OWNER, size)
    await place.put(await files.sign_upload("video/mp4", ".mp4", OWNER, size), b"x" * size)
    signed = await files.sign_upload("image/png", ".png", OWNER)
    if signed.put_url.startswith(URL):  # a bucket takes what comes; who reads it refuses it
        with pytest.raises(InputRejected, match=r"body: the file is larger than 0\.0008 MB"):
            await files.receive(_split(signed.put_url)[0], _in_pieces(b"x" * size))


async def test_an_upload_is_found_under_its_address(place: Place, files: FileStore) -> None:
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
    key, query = _split(signed.resumable_url)
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
            await files.resumable.append(key, 1000, wrong, _in_pieces(b"x"))
    with pytest.raises(InputRejected, match=r"^body: longer than the 1000 bytes"):
        await files.resumable.append(key, 1000, 300, _in_pieces(content))
    reached = await files.resumable.offset(key, 1000)
    assert await files.resumable.append(key, 1000, reached, _in_pieces(content[reached:])) == 1000
    assert await files.resumable.offset(key, 1000) == 1000
    stored = await files.stat(key)
    assert stored is not None
    assert stored.path is not None
    assert stored.path.read_bytes() == content


async def test_an_announced_size_beyond_the_limit_is_refused_at_once(files: FileStore) -> None:
    """Before a byte is sent; the message names the field and the limit."""
    with pytest.raises(InputRejected, match=r"^size: .* larger than 0\.001 MB"):
        await files.sign_upload("video/mp4", ".mp4", OWNER, LIMITS.video_bytes_max + 1)


async def test_a_result_is_read_by_anybody_with_its_address(place: Place, files: FileStore, source: Path) -> None:
    """The address that sign_download makes answers the bytes with their type."""
    await files.put_file(RESULT, source, "video/mp4")
    assert await place.get(await files.sign_download(RESULT)) == (b"bytes", "video/mp4")


async def test_an_own_result_can_be_named_again(files: FileStore) -> None:
    """The address of a result is its owner's own file, to make the next task of."""
    assert await files.own_key(await files.sign_download(RESULT), OWNER) == RESULT


async def test_nobody_names_what_is_not_his(files: FileStore) -> None:
    """An address with another host, key, time or no signature is a stranger's, whoever asks."""
    theirs = await files.sign_upload("video/mp4", ".mp4", OWNER)
    result = await files.sign_download(RESULT)
    url = theirs.file_url
    for changed in (
        theirs.put_url.replace("/uploads/7/", "/uploads/9/"),
        url.replace("media.example", "media.example.org"),
        url.replace("uploads/7", "uploads/8"),
        url.replace("expires=", "expires=9"),
        url.partition("?")[0],
        url[:-1],
        f"{url[:-2]}é0",
        result.replace("results/7", "results/9"),
        result.partition("?")[0],
        "https://elsewhere.example/results/8/x.mp4",
        "http://[::1",
        "data:image/png;base64,AAAA",
        "",
    ):
        assert await files.own_key(changed) is None, changed
        assert await files.own_key(changed, STRANGER) is None or changed.startswith(URL), changed


KEYS = [
    "../secret",
    "results/../../x.mp4",
    "/etc/passwd",
    "results/a/.x",
    "results/a/b.mp4\n",
    "uploads/1/a.mp4/b",
    "results/a/b/c/d.mp4",
    "results/7",
    "",
    "uploads/1/A.mp4",
]


@pytest.mark.parametrize("key", KEYS)
async def test_no_key_leaves_the_store(files: FileStore, source: Path, tmp_path: Path, key: str) -> None:
    """What does not look like a key of ours is not found, whatever is to be done with it."""
    with pytest.raises(NotFound):
        await files.get_file(key, tmp_path / "out")
    with pytest.raises(NotFound):
        await files.put_file(key, source, "video/mp4")
    with pytest.raises(NotFound):
        await files.stat(key)
    with pytest.raises(NotFound):
        await files.sign_download(key)
    with pytest.raises(NotFound):
        await files.receive(key, _in_pieces(b"x"))
    with pytest.raises(NotFound):
        await files.delete([key])


@pytest.mark.parametrize("prefix", ["", "/", "..", "results/", "results/7/../8", "other", "results/7/a/b"])
async def test_no_prefix_leaves_the_store(files: FileStore, prefix: str) -> None:
    """Only whole folders of ours can be listed or removed: never everything by mistake."""
    with pytest.raises(ValueError, match="names no folder"):
        await files.delete_prefix(prefix)
    with pytest.raises(ValueError, match="names no folder"):
        _ = [stored async for stored in files.list(prefix)]


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
        await files.receive(key, _in_pieces(b"x" * 1001))
    with pytest.raises(InputRejected, match=r"^body: .* larger than 0\.001 MB"):
        await files.receive(key, _in_pieces(b""), 1001)
    assert await files.stat(key) is None
    assert (await files.receive(key, _in_pieces(b"first"))).size_bytes == 5
    with pytest.raises(AddressUsed, match="has been used"):
        await files.receive(key, _in_pieces(b"second"))
    await files.get_file(key, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"first"


async def test_of_two_uploads_at_once_the_first_that_is_whole_stays(files: FileStore, tmp_path: Path) -> None:
    """The slower one is told, though it began before: somebody may have made a task of the other by then."""
    key, goes_on = "uploads/7/one.mp4", asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"slower"
        await goes_on.wait()

    second = asyncio.create_task(files.receive(key, slow()))
    await asyncio.sleep(0.05)
    await files.receive(key, _in_pieces(b"first"))
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
    assert (await files.receive("uploads/7/one.mp4", _in_pieces(b"again"))).size_bytes == 5


async def test_what_is_too_large_is_not_fetched(files: FileStore, source: Path, tmp_path: Path) -> None:
    """get_file with a limit refuses, names the file, and writes nothing."""
    await files.put_file(RESULT, source, "video/mp4")
    with pytest.raises(InputRejected, match=rf"^{Path(RESULT).name}: .* larger than"):
        await files.get_file(RESULT, tmp_path / "out", bytes_max=4)
    assert not (tmp_path / "out").exists()
    assert (await files.get_file(RESULT, tmp_path / "out", bytes_max=5)).size_bytes == 5


async def test_what_is_not_there_is_said(files: FileStore, tmp_path: Path) -> None:
    """stat answers None, get_file raises and leaves no target, delete has nothing to do."""
    assert await files.stat(RESULT) is None
    with pytest.raises(NotFound):
        await files.get_file(RESULT, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    await files.delete([RESULT])
    await files.delete([])
    assert await files.delete_prefix("results/7/0198-task") == 0
    assert [stored async for stored in files.list("uploads")] == []


async def keys_of(files: FileStore, prefix: str) -> list[str]:
    return sorted([stored.key async for stored in files.list(prefix)])


async def test_files_are_listed_and_removed_by_folder(files: FileStore, source: Path) -> None:
    """A prefix means a whole folder: task-1 does not mean task-10. What else lies around is left alone."""
    mine = ["results/7/task-1/preview.jpg", "results/7/task-1/result.mp4"]
    others = ["results/7/task-10/result.mp4", "results/7/task-1.mp4", "results/8/task-1.mp4", "uploads/7/task-1.mp4"]
    for key in mine + others:
        await files.put_file(key, source, "video/mp4")
    assert await keys_of(files, "results/7/task-1") == mine
    assert len(await keys_of(files, "results")) == 5
    [stored] = [stored async for stored in files.list("uploads")]
    assert (stored.key, stored.size_bytes) == ("uploads/7/task-1.mp4", 5)
    assert abs(datetime.now(UTC) - stored.modified_at) < timedelta(minutes=1)
    assert await files.delete_prefix("results/7/task-1") == 2
    await files.delete(["results/8/task-1.mp4", "results/8/never-there.mp4"])
    assert await keys_of(files, "results") == ["results/7/task-1.mp4", "results/7/task-10/result.mp4"]
    assert await keys_of(files, "uploads") == ["uploads/7/task-1.mp4"]


async def test_old_uploads_go(files: FileStore, source: Path) -> None:
    """delete_older removes what was written before the moment given, and counts it."""
    for number in range(3):
        await files.put_file(f"uploads/7/{number}.mp4", source, "video/mp4")
    now = datetime.now(UTC)
    assert await delete_older(files, "uploads", now - timedelta(hours=1)) == 0
    assert await delete_older(files, "uploads", now + timedelta(hours=1)) == 3
    assert await keys_of(files, "uploads") == []


async def test_a_lost_store_is_told_and_comes_back(place: Place, files: FileStore, source: Path) -> None:
    """While it is away nothing is taken for missing, and nothing is written elsewhere; afterwards all goes on."""
    await files.ping()
    await files.put_file(RESULT, source, "video/mp4")
    place.lose()
    try:
        for call in (
            files.ping,
            lambda: files.stat(RESULT),
            lambda: files.get_file(RESULT, source.with_name("out")),
            lambda: files.put_file(RESULT, source, "video/mp4"),
            lambda: files.receive("uploads/7/one.mp4", _in_pieces(b"x")),
            lambda: files.delete([RESULT]),
            lambda: files.delete_prefix("results/7"),
        ):
            with pytest.raises(StorageUnavailable):
                await call()
        assert not source.with_name("out").exists()
    finally:
        place.restore()
    await files.ping()
    stored = await files.stat(RESULT)
    assert stored is not None
    assert stored.size_bytes == 5


async def test_an_account_has_a_quota(place: Place) -> None:
    """Uploads beyond it are refused when they are announced, other accounts are not, and deletion frees it."""
    place.files._limits = dataclasses.replace(LIMITS, account_bytes_max=1500)  # type: ignore[attr-defined]
    first = await place.files.sign_upload("video/mp4", ".mp4", OWNER, 900)
    await place.put(first, b"x" * 900)
    with pytest.raises(QuotaExceeded, match=r"0\.0 MB of at most 0\.0015 MB"):
        await place.files.sign_upload("video/mp4", ".mp4", OWNER, 700)
    await place.files.sign_upload("video/mp4", ".mp4", STRANGER, 900)
    await place.files.delete([(await place.files.own_key(first.file_url)) or ""])
    if hasattr(place.files, "_usage"):
        place.files._usage.clear()  # a bucket is listed once in a few seconds  # pyright: ignore[reportAttributeAccessIssue]
    await place.put(await place.files.sign_upload("video/mp4", ".mp4", OWNER, 900), b"x" * 900)


async def test_a_quota_holds_for_what_is_sent_without_an_announcement(place: Place) -> None:
    """An upload through our API of unknown size counts as the largest that is accepted."""
    place.files._limits = dataclasses.replace(LIMITS, account_bytes_max=1500)  # type: ignore[attr-defined]
    await place.files.receive("uploads/7/one.mp4", _in_pieces(b"x" * 900), 900)
    with pytest.raises(QuotaExceeded):
        await place.files.receive("uploads/7/two.mp4", _in_pieces(b"x" * 700))
    await place.files.receive("uploads/7/two.mp4", _in_pieces(b"x" * 500), 500)
