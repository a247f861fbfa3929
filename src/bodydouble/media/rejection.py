"""Refusing a media file: one form of message, and the checks that every kind of file passes first."""

from pathlib import Path

from bodydouble.tasks.errors import MediaRejected


def rejected(field: str, what: str) -> MediaRejected:
    """The error for input ``field``; ``what`` is a clause without a full stop."""
    return MediaRejected(f"{field}: {what}.", field=field)


def check_file(path: Path, bytes_max: int, field: str) -> None:
    """Raises MediaRejected if the file is missing, empty, or larger than ``bytes_max``."""
    if not path.is_file():
        raise rejected(field, f"there is no file {path.name}")
    size = path.stat().st_size
    if size == 0:
        raise rejected(field, "the file is empty")
    if size > bytes_max:
        raise rejected(field, f"the file has {size / 1e6:.1f} MB, at most {bytes_max / 1e6:g} MB are accepted")
