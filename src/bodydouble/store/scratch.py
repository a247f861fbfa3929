"""Files that are being written: each under its own name in one folder, removed however the writing ends."""

import errno
import os
import secrets
import shutil
import threading
import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bodydouble.tasks.atomic_files import sync_to_disk
from bodydouble.tasks.errors import StorageFull, StorageUnavailable

ABANDONED_SECONDS = 24 * 3600
"""Older parts were left by a killed process, or are uploads that nobody continued."""
SWEEP_SECONDS = 3600.0
"""Interval between two searches for abandoned parts."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
WITHOUT_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""Errors of file systems without hard links. There, of two concurrent files under one name the later one stays."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Write:
    """A file that is being written."""

    path: Path
    bytes_total: int
    owner: str

    def bytes_missing(self) -> int:
        try:
            return max(self.bytes_total - self.path.stat().st_size, 0)
        except FileNotFoundError:  # not begun, or moved to its place
            return self.bytes_total


class Scratch:
    """A folder for files that are being written. Created here only: if it is gone later, its disk is gone too.

    ``free_bytes_min`` of the disk stay free for the database, which stops when it cannot write. What is left to write
    of the announced files counts as used; files of other processes are seen by checking again while writing.
    """

    def __init__(self, folder: Path, free_bytes_min: int = 0) -> None:
        """Raises StorageUnavailable if the folder can be neither made nor read."""
        self.folder, self._free_bytes_min = folder, free_bytes_min
        self._writes: set[_Write] = set()
        self._lock = threading.Lock()
        self._sweep_at = 0.0
        with self.telling():
            folder.mkdir(parents=True, exist_ok=True)
            self.sweep()

    def sweep(self) -> None:
        """Delete abandoned parts, at most once an hour. Raises OSError."""
        if time.monotonic() < self._sweep_at:
            return
        self._sweep_at = time.monotonic() + SWEEP_SECONDS
        oldest = time.time() - ABANDONED_SECONDS
        for part in self.folder.iterdir():
            try:
                if part.stat().st_mtime < oldest:
                    part.unlink()
            except FileNotFoundError:
                continue

    @contextmanager
    def part(self, bytes_wanted: int = 0, owner: str = "") -> Generator[Path, None, None]:
        """The path of a new file, removed at the end unless it was moved away.

        Raises:
            StorageFull: no room for ``bytes_wanted``, or it ran out in the block.
            StorageUnavailable: the file cannot be written for another reason.
        """
        path = self.folder / f"{part_prefix(owner)}{secrets.token_hex(8)}"
        with self.telling(), self.reserve(path, bytes_wanted, owner):
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def reserve(self, path: Path, bytes_total: int, owner: str = "") -> Generator[None, None, None]:
        """Keep room for a file of this size for the length of the block. Raises StorageFull, StorageUnavailable.

        ``owner`` is the account whose quota the file counts against.
        """
        write = _Write(path=path, bytes_total=bytes_total, owner=owner)
        with self.telling(), self._lock:
            self._check(write.bytes_missing(), self._writes)
            self._writes.add(write)
        try:
            yield
        finally:
            with self._lock:
                self._writes.discard(write)

    def check_room(self, bytes_wanted: int = 0, path: Path | None = None) -> None:
        """Raise StorageFull if the disk has no room for so many more bytes at ``path``. Raises OSError."""
        with self._lock:
            self._check(bytes_wanted, {write for write in self._writes if write.path != path})

    def bytes_reserved(self, owner: str) -> int:
        """Number of bytes of this owner's files that are still to be written."""
        with self._lock:
            return sum(write.bytes_missing() for write in self._writes if write.owner == owner)

    def _check(self, bytes_wanted: int, others: Collection[_Write]) -> None:
        free = shutil.disk_usage(self.folder).free
        promised = sum(write.bytes_missing() for write in others)
        if free - promised - bytes_wanted < self._free_bytes_min:
            raise StorageFull(
                f"The disk of {self.folder} is full: {free / 1e6:.0f} MB are free, {promised / 1e6:.0f} MB of them for "
                f"files being written, {bytes_wanted / 1e6:.0f} MB are wanted and {self._free_bytes_min / 1e6:.0f} MB "
                "are kept for the database; free some space.",
                free_bytes=free,
            )

    @contextmanager
    def telling(self) -> Generator[None, None, None]:
        """Translate an OSError of the block into StorageFull or StorageUnavailable."""
        try:
            yield
        except OSError as error:
            where = error.filename or self.folder
            if error.errno in FULL:
                raise StorageFull(f"{where} cannot be written, the disk is full; free some space.") from error
            raise StorageUnavailable(f"{where} cannot be used: {error.strerror or error}") from error


def part_prefix(owner: str) -> str:
    """How the names of an owner's parts begin."""
    return f"{owner}." if owner else ""


def put_in_place(part: Path, path: Path, *, only_new: bool = False) -> None:
    """Move a complete file to ``path``, durably. ``only_new`` raises FileExistsError if ``path`` exists."""
    sync_to_disk(part)
    move = _move_new if only_new else os.replace
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        move(part, path)
    except FileNotFoundError:  # the folder was deleted meanwhile, with its last file
        path.parent.mkdir(parents=True, exist_ok=True)
        move(part, path)
    sync_to_disk(path.parent)


def _move_new(part: Path, path: Path) -> None:
    """Move by a hard link, which fails if ``path`` exists; a rename would replace it."""
    try:
        os.link(part, path)
    except OSError as error:
        if error.errno not in WITHOUT_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        part.replace(path)
    else:
        part.unlink()
