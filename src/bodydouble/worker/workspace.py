"""The folder with everything that a task needs while it runs."""

import asyncio
import errno
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bodydouble.tasks.errors import StorageFull
from bodydouble.tasks.task import TaskId

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_errors_translated() -> Generator[None, None, None]:
    """Turn the errors of a full disk into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull(f"{error.filename or 'A file'} cannot be written, the disk is full.") from error
        raise


class Workspace:
    """A sub-folder of the worker's folder; removed once the task is settled."""

    def __init__(self, folder: Path, task_id: TaskId, free_bytes_min: int = 0) -> None:
        self.path = folder / str(task_id)
        self.image, self.video = self.path / "image", self.path / "video"
        self.result = self.path / "result.mp4"
        self.preview, self.preview_video = self.path / "preview.jpg", self.path / "preview.mp4"
        self.child_log = self.path / "child.log"
        self._free_bytes_min = free_bytes_min

    def make(self) -> None:
        """Make the folder. Raises StorageFull."""
        with disk_errors_translated():
            self.path.mkdir(parents=True, exist_ok=True)
        self.check_room()

    def check_room(self) -> None:
        """Raises StorageFull if the disk has less free space than is kept for the database."""
        free = shutil.disk_usage(self.path).free
        if free < self._free_bytes_min:
            raise StorageFull(
                f"The disk of {self.path} is full: {free / 1e6:.0f} MB are free, {self._free_bytes_min / 1e6:.0f} MB "
                "are kept for the database; free some space.",
                free_bytes=free,
            )

    async def remove(self) -> None:
        """Remove the folder with its content."""
        await asyncio.to_thread(shutil.rmtree, self.path, ignore_errors=True)
