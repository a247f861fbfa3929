"""Files of the store as local paths."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bodydouble.service.local_copies import local_copy
from bodydouble.tasks.errors import NotFound
from bodydouble.tasks.files import StoredFile

pytestmark = pytest.mark.anyio


class Bucket:
    """Satisfies what ``local_copy`` needs of ``FileStore``: one file, in a folder or elsewhere."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path

    async def stat(self, key: str) -> StoredFile | None:
        if key != "uploads/1/a.mp4":
            return None
        return StoredFile(
            key=key, size_bytes=7, content_type="video/mp4", modified_at=datetime.now(UTC), path=self.path
        )

    async def get_file(self, key: str, target: Path) -> None:
        target.write_bytes(b"content")


class Parts:
    """Provides ``service.local_copies.Part``, and remembers for how many bytes."""

    def __init__(self, folder: Path) -> None:
        self.path, self.sizes = folder / "part", list[int]()

    @contextmanager
    def __call__(self, size_bytes: int) -> Generator[Path]:
        self.sizes.append(size_bytes)
        try:
            yield self.path
        finally:
            self.path.unlink(missing_ok=True)


async def test_a_file_in_a_folder_is_not_copied(tmp_path: Path) -> None:
    """The path is the stored file itself."""
    files: Any = Bucket(tmp_path / "stored.mp4")
    parts = Parts(tmp_path)
    async with local_copy(files, "uploads/1/a.mp4", parts) as path:
        assert path == tmp_path / "stored.mp4"
    assert parts.sizes == []


async def test_a_file_in_a_bucket_is_copied_for_the_block(tmp_path: Path) -> None:
    """Room for its size is asked for; after the block the copy is gone."""
    files: Any = Bucket()
    parts = Parts(tmp_path)
    async with local_copy(files, "uploads/1/a.mp4", parts) as path:
        assert path.read_bytes() == b"content"
    assert (parts.sizes, path.exists()) == ([7], False)


async def test_an_absent_file_is_not_found(tmp_path: Path) -> None:
    """The error comes before the block."""
    files: Any = Bucket()
    with pytest.raises(NotFound):
        async with local_copy(files, "uploads/1/b.mp4", Parts(tmp_path)):
            raise AssertionError
