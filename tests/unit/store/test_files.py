"""What only the local file store does; the rest is in the contract of all file stores."""

import os
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bodydouble.store import FileLimits, LocalFileStore
from bodydouble.store.addresses import SignedAddresses
from bodydouble.tasks.errors import StorageFull, StorageUnavailable
from bodydouble.tasks.request_origin import links_start_with

pytestmark = pytest.mark.anyio

URL = "https://media.example"
SECRET = b"of the installation"
LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=10_000_000, video_bytes_max=10_000_000)


@pytest.fixture
def files(tmp_path: Path) -> LocalFileStore:
    return LocalFileStore(tmp_path / "files", URL, SECRET, LIMITS)


@contextmanager
def disk_that_ends_at(size_bytes: int) -> Iterator[None]:
    """The kernel refuses to write further into any file of this process."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


async def megabytes(number: int) -> AsyncIterator[bytes]:
    for _ in range(number * 16):
        yield b"x" * 65_536


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def test_a_full_disk_takes_no_half_file(files: LocalFileStore, tmp_path: Path) -> None:
    """An upload or a result for which the room runs out is told as that, leaves nothing, and goes well later."""
    (tmp_path / "in").write_bytes(b"x" * 3_000_000)
    with disk_that_ends_at(1_500_000):
        with pytest.raises(StorageFull, match="disk is full"):
            await files.receive("uploads/7/one.mp4", megabytes(3))
        with pytest.raises(StorageFull, match="disk is full"):
            await files.put_file("results/7/one.mp4", tmp_path / "in", "video/mp4")
    assert names(files.folder) == []
    assert (await files.receive("uploads/7/one.mp4", megabytes(3))).size_bytes == 3 << 20
    assert (await files.put_file("results/7/one.mp4", tmp_path / "in", "video/mp4")).size_bytes == 3_000_000


async def test_a_full_disk_of_the_reader_leaves_no_half_target(files: LocalFileStore, tmp_path: Path) -> None:
    """get_file to a disk without room says which file could not be written, and removes its part."""
    await files.receive("uploads/7/one.mp4", megabytes(3))
    with disk_that_ends_at(1_500_000), pytest.raises(StorageFull, match="disk is full"):
        await files.get_file("uploads/7/one.mp4", tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


async def test_room_is_kept_for_the_database(tmp_path: Path) -> None:
    """Below the limit nothing more is taken, before a byte is written, and readiness says so; reads go on."""
    roomy = LocalFileStore(tmp_path / "files", URL, SECRET, LIMITS)
    (tmp_path / "in").write_bytes(b"bytes")
    await roomy.put_file("results/7/one.mp4", tmp_path / "in", "video/mp4")
    limits = FileLimits(
        upload_seconds=60, download_seconds=60, image_bytes_max=1000, video_bytes_max=1000, free_bytes_min=1 << 60
    )
    full = LocalFileStore(tmp_path / "files", URL, SECRET, limits)
    for call in (
        lambda: full.receive("uploads/7/one.mp4", megabytes(0)),
        lambda: full.put_file("results/7/two.mp4", tmp_path / "in", "video/mp4"),
        full.ping,
    ):
        with pytest.raises(StorageFull, match=r"is full: \d+ MB are free.*kept for the database"):
            await call()
    assert (await full.get_file("results/7/one.mp4", tmp_path / "out")).size_bytes == 5
    await full.delete(["results/7/one.mp4"])
    assert names(full.folder) == []


async def test_a_source_that_is_not_there_is_no_outage(files: LocalFileStore, tmp_path: Path) -> None:
    """A caller who waits for the storage to come back would wait forever for its own missing file."""
    with pytest.raises(FileNotFoundError):
        await files.put_file("results/7/one.mp4", tmp_path / "never", "video/mp4")


async def test_a_lost_folder_is_not_made_again(files: LocalFileStore, tmp_path: Path) -> None:
    """Where the disk is unmounted, nothing is written to the one below it."""
    (tmp_path / "in").write_bytes(b"bytes")
    files.folder.rename(tmp_path / "away")
    with pytest.raises(StorageUnavailable, match="cannot be used"):
        await files.put_file("results/7/one.mp4", tmp_path / "in", "video/mp4")
    assert not files.folder.exists()


async def test_empty_folders_go_with_their_last_file(files: LocalFileStore, tmp_path: Path) -> None:
    """Deleting leaves no skeleton, and the folders come again when they are needed."""
    (tmp_path / "in").write_bytes(b"bytes")
    await files.put_file("results/7/task/one.mp4", tmp_path / "in", "video/mp4")
    await files.delete(["results/7/task/one.mp4"])
    assert [path.name for path in files.folder.iterdir()] == [".parts"]
    await files.put_file("results/7/task/one.mp4", tmp_path / "in", "video/mp4")


async def test_what_a_killed_process_left_goes_at_the_next_start(files: LocalFileStore) -> None:
    """Parts of yesterday are removed; those of an upload that is under way stay."""
    old, young = files.folder / ".parts" / "old", files.folder / ".parts" / "young"
    old.write_bytes(b"x")
    young.write_bytes(b"x")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    LocalFileStore(files.folder, URL, SECRET, LIMITS)
    assert (old.exists(), young.exists()) == (False, True)


async def test_addresses_outlive_the_process_and_the_former_key(tmp_path: Path) -> None:
    """Addresses made before a restart, or with the key that the folder held before there was a secret, stay good."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / ".signing-key").write_bytes(b"k" * 32)
    former = SignedAddresses(URL, [b"k" * 32]).make("GET", "results/7/one.mp4", 60)
    files = LocalFileStore(folder, URL, SECRET, LIMITS)
    assert await files.own_key(former) == "results/7/one.mp4"
    again = LocalFileStore(folder, URL, SECRET, LIMITS)
    assert await again.own_key(await files.sign_download("results/7/one.mp4")) == "results/7/one.mp4"
    other = LocalFileStore(tmp_path / "other", URL, b"another secret", LIMITS)
    assert await other.own_key(former) is None


async def test_an_address_is_ours_under_every_name(files: LocalFileStore) -> None:
    """Clients reach an installation under several names; the signature tells that the file is ours, not the host."""
    url = await files.sign_download("results/7/one.mp4")
    assert url.startswith(f"{URL}/")
    with links_start_with("http://studio.local:8000"):
        named = await files.sign_download("results/7/one.mp4")
    assert named.startswith("http://studio.local:8000/files/results/7/one.mp4?")
    for address in (url, named):
        assert await files.own_key(address) == "results/7/one.mp4"
    assert await files.own_key(named.replace("http://", "ftp://")) is None
    assert await files.own_key(named.replace("/files/", "/other/")) is None


async def test_an_address_expires(files: LocalFileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is good until its time and no second longer."""
    url = await files.sign_download("results/7/one.mp4", 100)
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 98)
    assert await files.own_key(url) == "results/7/one.mp4"
    monkeypatch.setattr("time.time", lambda: now + 101)
    assert await files.own_key(url) is None
