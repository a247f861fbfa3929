"""Files that are there whole or not at all."""

import errno
import os
import threading
from pathlib import Path

import pytest

from bodydouble.tasks.atomic_files import atomic_file, atomic_write, only_writer


def test_content_lasts_before_its_name(tmp_path: Path, disk_operations: list[tuple[str, str]]) -> None:
    """The content is synced, takes the name, and then the folder that holds the name is synced."""
    atomic_write(tmp_path / "plan.json", "{}")
    assert disk_operations == [("sync", "plan.json.part"), ("rename", "plan.json"), ("sync", tmp_path.name)]
    assert (tmp_path / "plan.json").read_text() == "{}"


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """A block that fails in the middle changes nothing and leaves no part."""
    target = tmp_path / "frames"
    atomic_write(target, b"old")

    def fail() -> None:
        with atomic_file(target) as part:
            part.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems refuse it; the file is there all the same."""
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().is_dir():
            raise OSError(errno.EINVAL, "no folders")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    atomic_write(tmp_path / "out.mp4", b"whole")
    assert (tmp_path / "out.mp4").read_bytes() == b"whole"


def test_a_folder_has_one_writer_at_a_time(tmp_path: Path) -> None:
    """Whoever wants to write waits until the one that writes is ready."""
    order: list[str] = []

    def write() -> None:
        with only_writer(tmp_path):
            order.append("second")

    second = threading.Thread(target=write)
    with only_writer(tmp_path):
        second.start()
        second.join(0.05)
        order.append("first")
    second.join(30)
    assert order == ["first", "second"]
