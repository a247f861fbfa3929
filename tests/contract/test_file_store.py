"""What every file store does: a local folder, a bucket that clients reach directly, a bucket behind our API."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bodydouble.store import delete_older
from bodydouble.tasks.errors import (
    InputRejected,
    NotFound,
    StorageUnavailable,
)
from bodydouble.tasks.files import FileStore
from file_stores import OWNER, RESULT, STRANGER, URL, StoreUnderTest, in_pieces

pytestmark = pytest.mark.anyio


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


async def test_a_result_is_read_by_anybody_with_its_address(
    place: StoreUnderTest, files: FileStore, source: Path
) -> None:
    """The address that sign_download makes answers the bytes with their type."""
    await files.put_file(RESULT, source, "video/mp4")
    assert await place.get(await files.sign_download(RESULT)) == (b"bytes", "video/mp4")


async def test_an_own_result_can_be_named_again(files: FileStore) -> None:
    """The address of a result is its owner's own file, to make the next task of."""
    assert await files.own_key(await files.sign_download(RESULT), OWNER) == RESULT


async def test_nobody_names_what_is_not_his(files: FileStore) -> None:
    """An address with another key or time, or without signature, is a stranger's, whoever asks."""
    theirs = await files.sign_upload("video/mp4", ".mp4", OWNER)
    result = await files.sign_download(RESULT)
    url = theirs.file_url
    for changed in (
        theirs.put_url.replace("/uploads/7/", "/uploads/9/"),
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
        await files.receive(key, in_pieces(b"x"))
    with pytest.raises(NotFound):
        await files.delete([key])


@pytest.mark.parametrize("prefix", ["", "/", "..", "results/", "results/7/../8", "other", "results/7/a/b"])
async def test_no_prefix_leaves_the_store(files: FileStore, prefix: str) -> None:
    """Only whole folders of ours can be listed or removed: never everything by mistake."""
    with pytest.raises(ValueError, match="names no folder"):
        await files.delete_prefix(prefix)
    with pytest.raises(ValueError, match="names no folder"):
        _ = [stored async for stored in files.list(prefix)]


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


async def test_a_lost_store_is_told_and_comes_back(place: StoreUnderTest, files: FileStore, source: Path) -> None:
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
            lambda: files.receive("uploads/7/one.mp4", in_pieces(b"x")),
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
