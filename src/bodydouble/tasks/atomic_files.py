"""Atomic writing of files that other processes, or this one after a restart, trust as soon as they exist.

One policy for all of them: the content goes to a file beside the target, is synced to the disk, takes the target's
name, and the folder is synced. So a name never stands for half a file, after a power cut neither, and files appear on
the disk in the order in which they were written. The price is two syncs a file.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

PART_SUFFIX = ".part"
"""Ends the name of a file that is being written; a crash may leave one, and the next write replaces it."""


def part_of(target: Path) -> Path:
    """Where the content of ``target`` is written before ``publish``: on the same disk, one writer at a time."""
    return target.with_name(target.name + PART_SUFFIX)


def sync_to_disk(path: Path) -> None:
    """Have the disk hold what was written to ``path``, a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(part: Path, target: Path) -> None:
    """Give the whole file or folder ``part`` the name ``target``, durably. Files in a folder are synced before."""
    sync_to_disk(part)
    part.replace(target)
    try:
        sync_to_disk(target.parent)
    except OSError as error:  # some network file systems sync no folders: they order names themselves
        if error.errno != errno.EINVAL:
            raise


@contextmanager
def only_writer(folder: Path) -> Generator[None]:
    """Hold ``folder`` for the writes of this block; other processes and threads wait for its end.

    For folders that several processes fill, such as a cache. The kernel releases the lock of a killed process.
    """
    with (folder / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def atomic_file(target: Path, publish: Callable[[Path, Path], None] = publish) -> Generator[Path]:
    """A path to write ``target``'s content to.

    The file there becomes ``target`` through ``publish`` when the block ends. Where the block fails it is removed, and
    ``target`` stays as it was.
    """
    part = part_of(target)
    try:
        yield part
        publish(part, target)
    finally:
        part.unlink(missing_ok=True)


def atomic_write(target: Path, content: str | bytes, publish: Callable[[Path, Path], None] = publish) -> None:
    """Write a small file."""
    with atomic_file(target, publish) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
