"""Files that are being written: each under a name of its own in one folder, removed however the writing ends."""

import errno
import os
import secrets
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bodydouble.tasks.atomic_files import sync_to_disk
from bodydouble.tasks.errors import StorageFull, StorageUnavailable

ABANDONED_SECONDS = 24 * 3600
"""No upload takes longer: what is older was left by a process that was killed, or by somebody who never went on."""
SWEEP_SECONDS = 3600.0
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
WITHOUT_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""Some mounted folders have no second names for a file: there, of two within the same moment the later one stays."""


class Scratch:
    """One folder for parts. It is made here only: where it is gone later, so is the disk that it was on.

    ``free_bytes_min`` of its disk are left alone: the database usually lies there too, and it stops where it cannot
    write.
    """

    def __init__(self, folder: Path, free_bytes_min: int = 0) -> None:
        """Raises StorageUnavailable if the folder can be neither made nor read."""
        self.folder, self._free_bytes_min = folder, free_bytes_min
        self._sweep_at = 0.0
        with self.telling():
            folder.mkdir(parents=True, exist_ok=True)
            self.sweep()

    def sweep(self) -> None:
        """Remove what was abandoned; looks once an hour, however often it is called. Raises OSError."""
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
    def part(self, bytes_wanted: int = 0) -> Generator[Path, None, None]:
        """The path of a new file, gone at the end unless it was moved away.

        Raises:
            StorageFull: there is no room for ``bytes_wanted``, or it ran out in the block.
            StorageUnavailable: it cannot be written for another reason.
        """
        path = self.folder / secrets.token_hex(8)
        with self.telling():
            self.check_room(bytes_wanted)
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)

    def check_room(self, bytes_wanted: int = 0) -> None:
        """Raises StorageFull where so much cannot be written, OSError where the folder is gone."""
        free = shutil.disk_usage(self.folder).free
        if free - bytes_wanted < self._free_bytes_min:
            raise StorageFull(
                f"The disk of {self.folder} is full: {free / 1e6:.0f} MB are free, {bytes_wanted / 1e6:.0f} MB are "
                f"wanted and {self._free_bytes_min / 1e6:.0f} MB are kept for the database; free some space.",
                free_bytes=free,
            )

    @contextmanager
    def telling(self) -> Generator[None, None, None]:
        """Turns an OSError of the block into what it means for us."""
        try:
            yield
        except OSError as error:
            where = error.filename or self.folder
            if error.errno in FULL:
                raise StorageFull(f"{where} cannot be written, the disk is full; free some space.") from error
            raise StorageUnavailable(f"{where} cannot be used: {error.strerror or error}") from error


def put_in_place(part: Path, path: Path, *, only_new: bool = False) -> None:
    """Move a whole file to where it belongs, for good. ``only_new``: raises FileExistsError where there is one."""
    sync_to_disk(part)
    move = _move_new if only_new else os.replace
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        move(part, path)
    except FileNotFoundError:  # somebody deleted the last file of the folder, and with it the folder, just then
        path.parent.mkdir(parents=True, exist_ok=True)
        move(part, path)
    sync_to_disk(path.parent)


def _move_new(part: Path, path: Path) -> None:
    """A rename would take the place of what is there; a second name for the same file does not."""
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
