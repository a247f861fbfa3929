"""The folder with a worker's workspaces. Several workers of one data folder use ``work``, ``work-2``, and so on."""

import asyncio
import fcntl
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO
from uuid import UUID

import structlog

from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.task import TaskId

FOLDERS_MAX = 64
"""Workers that can share one data folder."""
MARK = ".lock"
LOOK_SECONDS = 1.0

log = structlog.get_logger(__name__)


class WorkFolder:
    """A folder locked by this process, whose mark names the executor. The kernel releases the lock with the process."""

    def __init__(self, path: Path, mark: IO[str]) -> None:
        self.path, self._mark = path, mark
        mark.seek(0)
        self.former = mark.read().strip()
        """The executor that held the folder before and has ended. Empty if it left nothing."""

    def sign(self, executor: str) -> None:
        """Write the executor's name into the mark; an empty name: nothing is left here."""
        self._mark.seek(0)
        self._mark.truncate()
        self._mark.write(executor)
        self._mark.flush()

    def workspaces(self) -> Iterator[tuple[TaskId, Path]]:
        """The tasks with a workspace in this folder, and their workspaces."""
        for path in self.path.iterdir():
            try:
                yield TaskId(UUID(path.name)), path
            except ValueError:
                continue

    def inherit(self, other: "WorkFolder") -> None:
        """Move the workspaces of ``other`` to this folder."""
        for task_id, path in other.workspaces():
            ours = self.path / str(task_id)
            if ours.exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.rename(ours)
        other.sign("")

    def close(self) -> None:
        """Release the lock."""
        self._mark.close()


def hold(path: Path) -> WorkFolder | None:
    """Make and lock the folder ``path``; None if another process has locked it."""
    path.mkdir(parents=True, exist_ok=True)
    mark = (path / MARK).open("a+")
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        mark.close()
        return None
    return WorkFolder(path, mark)


def hold_free(first: Path) -> WorkFolder:
    """Lock the first free folder. Raises StorageUnavailable: ``FOLDERS_MAX`` workers run already."""
    for path in _row(first):
        if held := hold(path):
            return held
    raise StorageUnavailable(
        f"{FOLDERS_MAX} workers use {first.parent} already. Stop some, or give this one another data folder."
    )


async def hold_once_free(path: Path, stop: asyncio.Event) -> WorkFolder | None:
    """Wait for the folder ``path`` and lock it; None if ``stop`` is set before."""
    held = hold(path)
    if held is None:
        log.warning("another worker of this data folder uses the GPUs; waiting until it ends", folder=str(path))
    while held is None and not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        except TimeoutError:
            held = hold(path)
    return held


def hold_abandoned(first: Path) -> Iterator[WorkFolder]:
    """The other folders that no process has locked; each is locked until the next is requested."""
    for path in _row(first):
        if path.exists() and (held := hold(path)):
            try:
                yield held
            finally:
                held.close()


def _row(first: Path) -> Sequence[Path]:
    return [first, *(first.with_name(f"{first.name}-{number}") for number in range(2, FOLDERS_MAX + 1))]
