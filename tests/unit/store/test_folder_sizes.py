"""Sums of file sizes."""

import os
from pathlib import Path

import pytest

from bodydouble.store.folder_sizes import FolderSizes, growing_bytes


def test_sums_follow_added_and_removed_files(tmp_path: Path) -> None:
    """Also where a folder is made later, and where it is gone."""
    sizes, folder = FolderSizes(), tmp_path / "1"
    assert sizes.total(folder) == 0
    folder.mkdir()
    for name, size in (("a", 10), ("b", 0), ("c", 300)):
        (folder / name).write_bytes(b"x" * size)
    (folder / "below").mkdir()
    assert sizes.total(folder) == sizes.total(folder) == 310
    (folder / "c").unlink()
    (folder / "d").write_bytes(b"xy")
    assert sizes.total(folder) == 12


def test_the_size_of_a_file_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second sum asks the disk for new files only."""
    asked: list[str] = []

    def size(entry: os.DirEntry[str]) -> int:
        asked.append(entry.name)
        return 1

    monkeypatch.setattr("bodydouble.store.folder_sizes._size", size)
    sizes = FolderSizes()
    for name in ("a", "b"):
        (tmp_path / name).touch()
        sizes.total(tmp_path)
    assert asked == ["a", "b"]


def test_growing_files_are_asked_each_time(tmp_path: Path) -> None:
    """Only those of the prefix count. Without a folder nothing does."""
    assert growing_bytes(tmp_path / "gone", "1-") == 0
    (tmp_path / "1-a").write_bytes(b"xx")
    (tmp_path / "2-a").write_bytes(b"xxxx")
    assert growing_bytes(tmp_path, "1-") == 2
    (tmp_path / "1-a").write_bytes(b"xxx")
    assert growing_bytes(tmp_path, "1-") == 3
