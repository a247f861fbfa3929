"""The folder of files that are being written."""

import errno
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bodydouble.store import FileLimits, LocalFileStore, Scratch
from bodydouble.tasks.errors import QuotaExceeded, StorageFull, StorageUnavailable

MEGABYTE = 1 << 20
KEY, OTHER_KEY = "uploads/7/0198-shot.mp4", "uploads/7/0199-shot.mp4"


def test_a_read_only_disk_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening the folder on a read-only disk names the folder and the reason, without a traceback of the system."""

    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageUnavailable, match="parts cannot be used: Read-only file system"):
        Scratch(tmp_path / "parts")


class Disk:
    """A disk of a given size, of which the files of one folder take their part."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder, self.size_bytes = folder, size_bytes

    def usage(self, path: object) -> object:
        used = sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())
        return shutil._ntuple_diskusage(self.size_bytes, used, self.size_bytes - used)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk of 10 MiB."""
    disk = Disk(tmp_path, 10 * MEGABYTE)
    monkeypatch.setattr(shutil, "disk_usage", disk.usage)
    return disk


def open_store(folder: Path, account_bytes_max: int = 0) -> LocalFileStore:
    limits = FileLimits(
        upload_seconds=60,
        download_seconds=60,
        image_bytes_max=8 * MEGABYTE,
        video_bytes_max=8 * MEGABYTE,
        free_bytes_min=2 * MEGABYTE,
        account_bytes_max=account_bytes_max,
    )
    return LocalFileStore(folder / "files", "https://media.example", b"of the installation", limits)


async def megabytes(number: int) -> AsyncIterator[bytes]:
    for _ in range(number * 16):
        yield b"x" * (MEGABYTE // 16)


def test_announced_files_count_before_they_are_written(tmp_path: Path, disk: Disk) -> None:
    """Two files that each have room have it together only if the reserve stays free; a finished one gives it back."""
    scratch = Scratch(tmp_path, 2 * MEGABYTE)
    with scratch.part(5 * MEGABYTE) as first:
        with pytest.raises(StorageFull, match=r"5 MB of them for files being written"), scratch.part(4 * MEGABYTE):
            pass
        first.write_bytes(bytes(2 * MEGABYTE))
        with scratch.part(3 * MEGABYTE):
            pass
    with scratch.part(8 * MEGABYTE):
        pass


@pytest.mark.anyio
async def test_the_reserve_stays_free_while_files_are_written(tmp_path: Path, disk: Disk) -> None:
    """Another process fills the disk during an upload of unknown size: it ends there and leaves nothing."""
    files = open_store(tmp_path)

    async def filled_meanwhile() -> AsyncIterator[bytes]:
        yield b"x" * MEGABYTE
        (tmp_path / "of another process").write_bytes(bytes(7 * MEGABYTE))
        async for chunk in megabytes(2):
            yield chunk

    with pytest.raises(StorageFull):
        await files.receive(KEY, filled_meanwhile())
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["of another process"]


@pytest.mark.anyio
async def test_uploads_in_pieces_keep_the_reserve_free(tmp_path: Path, disk: Disk) -> None:
    """An upload whose rest has no room beside those under way is refused, and goes on once they have ended."""
    files = open_store(tmp_path)
    with files._scratch.part(4 * MEGABYTE), pytest.raises(StorageFull):
        await files.resumable.append(KEY, 5 * MEGABYTE, 0, megabytes(5))
    assert await files.resumable.append(KEY, 5 * MEGABYTE, 0, megabytes(5)) == 5 * MEGABYTE


@pytest.mark.anyio
async def test_unfinished_uploads_count_against_the_quota(tmp_path: Path, disk: Disk) -> None:
    """Pieces that were never finished fill an account's quota as stored files do, and only that account's."""
    files = open_store(tmp_path, account_bytes_max=3 * MEGABYTE)
    assert await files.resumable.append(KEY, 3 * MEGABYTE, 0, megabytes(2)) == 2 * MEGABYTE
    with pytest.raises(QuotaExceeded, match=r"at most 3.14573 MB"):
        await files.resumable.append(OTHER_KEY, 2 * MEGABYTE, 0, megabytes(2))
    with pytest.raises(QuotaExceeded):
        await files.receive(OTHER_KEY, megabytes(2), 2 * MEGABYTE)
    await files.receive("uploads/77/0198-shot.mp4", megabytes(2), 2 * MEGABYTE)
    assert await files.resumable.append(KEY, 3 * MEGABYTE, 2 * MEGABYTE, megabytes(1)) == 3 * MEGABYTE
