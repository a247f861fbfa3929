"""The folder of files that are being written."""

import errno
from pathlib import Path

import pytest

from bodydouble.store import Scratch
from bodydouble.tasks.errors import StorageUnavailable


def test_a_read_only_disk_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening the folder on a read-only disk names the folder and the reason, without a traceback of the system."""

    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageUnavailable, match="parts cannot be used: Read-only file system"):
        Scratch(tmp_path / "parts")
