"""Digests of finished files, so that a damaged file is made again and never trusted.

The digest of ``segment-00003.nut`` is stored beside it, in ``segment-00003.nut.sha256``.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from bodydouble.tasks.atomic_files import PART_SUFFIX, publish

DIGEST_SUFFIX = ".sha256"


def digest_path(path: Path) -> Path:
    """Where the digest of ``path`` is stored."""
    return path.with_name(path.name + DIGEST_SUFFIX)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def store_digest(path: Path) -> None:
    """Store the digest of a finished file. Raises OSError."""
    # Not synced to the disk: if a power cut damages the digest, the file is made again.
    digest_path(path).write_text(digest_of(path))


def publish_with_digest(part: Path, target: Path) -> None:
    """Same as ``atomic_files.publish`` of a file. Its digest is stored before it has its name. Raises OSError.

    So whoever changes ``target`` cannot do so before its digest exists, and the change is always found.
    """
    digest_path(target).write_text(digest_of(part))
    publish(part, target)


def has_digest(path: Path, digest: str) -> bool:
    """Whether the file exists and has this digest."""
    try:
        return digest_of(path) == digest
    except OSError:
        return False


def is_intact(path: Path) -> bool:
    """Whether the file exists and has its stored digest."""
    try:
        return digest_path(path).read_bytes() == digest_of(path).encode()
    except OSError:
        return False


def remove_with_digest(path: Path) -> None:
    """Remove a file and its digest, if they exist."""
    path.unlink(missing_ok=True)
    digest_path(path).unlink(missing_ok=True)


def files_without_digest(places: Iterable[Path]) -> list[Path]:
    """Files in ``places``, which are files and folders, that have no digest yet."""
    return [path for path in _files(places) if not digest_path(path).exists()]


def damaged_files(places: Iterable[Path]) -> list[Path]:
    """Files in ``places``, which are files and folders, that changed or disappeared after they got their digest."""
    return [path for path in _files(places) if digest_path(path).exists() and not is_intact(path)]


def _files(places: Iterable[Path]) -> list[Path]:
    """The finished files in ``places``, without their digests. Includes missing files whose digest exists."""
    found: set[Path] = set()
    for place in places:
        for path in place.rglob("*") if place.is_dir() else (place, digest_path(place)):
            if path.is_file() and path.suffix != PART_SUFFIX:
                found.add(path.with_suffix("") if path.suffix == DIGEST_SUFFIX else path)
    return sorted(found)
