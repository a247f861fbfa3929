"""The folder that one worker works in. Several workers of one data folder have one each: ``work``, ``work-2``, …"""

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
MARK = ".lock"
LOOK_SECONDS = 1.0

log = structlog.get_logger(__name__)


class WorkFolder:
    """Held by this process alone; the kernel gives it free with the process. Its mark says which executor had it."""

    def __init__(self, path: Path, mark: IO[str]) -> None:
        self.path, self._mark = path, mark
        mark.seek(0)
        self.former = mark.read().strip()
        """Whose it was: dead, for the folder is ours. Empty where it left nothing."""

    def sign(self, executor: str) -> None:
        """From now on it is this executor's; empty: nobody's."""
        self._mark.seek(0)
        self._mark.truncate()
        self._mark.write(executor)
        self._mark.flush()

    def workspaces(self) -> Iterator[tuple[TaskId, Path]]:
        """The tasks that somebody has worked at here."""
        for path in self.path.iterdir():
            try:
                yield TaskId(UUID(path.name)), path
            except ValueError:
                continue

    def inherit(self, other: "WorkFolder") -> None:
        """What is finished there goes on here."""
        for task_id, path in other.workspaces():
            ours = self.path / str(task_id)
            if ours.exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.rename(ours)
        other.sign("")

    def close(self) -> None:
        """Give it free."""
        self._mark.close()


def hold(path: Path) -> WorkFolder | None:
    """``path``, made where it is not there; None where another process has it."""
    path.mkdir(parents=True, exist_ok=True)
    mark = (path / MARK).open("a+")
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        mark.close()
        return None
    return WorkFolder(path, mark)


def hold_free(first: Path) -> WorkFolder:
    """The first one that nobody has. Raises StorageUnavailable: there are more workers than anybody meant to start."""
    for path in _row(first):
        if held := hold(path):
            return held
    raise StorageUnavailable(f"{FOLDERS_MAX} workers work in {first.parent} already.")


async def hold_once_free(path: Path, stop: asyncio.Event) -> WorkFolder | None:
    """``path`` and no other, however long another worker has it; None where ``stop`` is set before."""
    held = hold(path)
    if held is None:
        log.warning("another worker of this data folder has the GPUs; standing by until it ends", folder=str(path))
    while held is None and not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        except TimeoutError:
            held = hold(path)
    return held


def hold_abandoned(first: Path) -> Iterator[WorkFolder]:
    """The others that are there and nobody has any more, each held until the next is asked for."""
    for path in _row(first):
        if path.exists() and (held := hold(path)):
            try:
                yield held
            finally:
                held.close()


def _row(first: Path) -> Sequence[Path]:
    return [first, *(first.with_name(f"{first.name}-{number}") for number in range(2, FOLDERS_MAX + 1))]
