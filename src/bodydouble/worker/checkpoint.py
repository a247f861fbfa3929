"""Finished artefacts of a task in the file store, so that a worker on another machine can continue the task.

After each step the new files go into one archive, ``work/<account>/<task>/<number>-<step>.tar``. Each archive contains
the mark that names the inputs and the version its files were made from. Archives with another mark are ignored.
"""

import asyncio
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import structlog

from bodydouble.shot import MARK
from bodydouble.shot.artefacts import ARTEFACTS, DELIVERED, remove_damaged
from bodydouble.tasks.atomic_files import PART_SUFFIX, atomic_file
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.task import Task

PREFIX = "work"
KEPT = tuple(name for name in ARTEFACTS if name not in DELIVERED)

log = structlog.get_logger(__name__)
_State = tuple[int, int]


class Checkpoints:
    """The checkpoints of one task."""

    def __init__(self, files: FileStore, task: Task, workspace: Path) -> None:
        self._files, self._workspace = files, workspace
        self._prefix = f"{PREFIX}/{task.account}/{task.id}"
        self._stored: dict[str, _State] = {}
        self._next = 0

    async def keep(self, step: str) -> int:
        """Store the files that are new since the last call; their number. Raises StorageUnavailable."""
        found = await asyncio.to_thread(self._found)
        new = [name for name, state in found.items() if self._stored.get(name) != state]
        if not new or not (self._workspace / MARK).exists():
            return 0
        archive = self._workspace / "checkpoint.tar.part"
        try:
            await asyncio.to_thread(self._pack, archive, [MARK, *new])
            key = f"{self._prefix}/{self._next:04d}-{step.replace(' ', '-')}.tar"
            await self._files.put_file(key, archive, "application/x-tar")
        finally:
            archive.unlink(missing_ok=True)
        self._stored = found
        self._next += 1
        return len(new)

    async def bring(self) -> int:
        """Restore what earlier workers stored; the number of files. The workspace has its mark already.

        Raises StorageUnavailable.
        """
        keys = sorted([stored.key async for stored in self._files.list(self._prefix)])
        archive = self._workspace / "checkpoint.tar.part"
        files = 0
        try:
            for key in keys:
                await self._files.get_file(key, archive)
                try:
                    files += await asyncio.to_thread(self._unpack, archive)
                except (tarfile.TarError, EOFError) as error:  # its files are made again
                    log.warning("a checkpoint is damaged and was left out", key=key, error=str(error))
            await asyncio.to_thread(remove_damaged, self._workspace)
        finally:
            archive.unlink(missing_ok=True)
        self._stored, self._next = await asyncio.to_thread(self._found), len(keys)
        return files

    async def drop(self) -> None:
        """Delete the checkpoints. Raises StorageUnavailable."""
        await self._files.delete_prefix(self._prefix)

    def _found(self) -> dict[str, _State]:
        return {str(path.relative_to(self._workspace)): _state(path) for path in self._artefacts()}

    def _artefacts(self) -> Iterator[Path]:
        for name in KEPT:
            top = self._workspace / name
            for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
                if path.is_file() and path.suffix != PART_SUFFIX:
                    yield path

    def _pack(self, archive: Path, names: list[str]) -> None:
        with tarfile.open(archive, "w") as tar:
            for name in names:
                tar.add(self._workspace / name, name)

    def _unpack(self, archive: Path) -> int:
        with tarfile.open(archive) as tar:
            mark = tar.extractfile(MARK)
            if mark is None or mark.read() != (self._workspace / MARK).read_bytes():
                return 0
            members = [m for m in tar.getmembers() if m.isfile() and Path(m.name).parts[0] in KEPT]
            for member in members:
                content = tar.extractfile(member)
                assert content is not None, "a regular file has content"
                self._place(content, self._workspace / tarfile.data_filter(member, str(self._workspace)).name)
        return len(members)

    def _place(self, content: IO[bytes], target: Path) -> None:
        """Write one file atomically, like every artefact."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as part, part.open("wb") as stream:
            shutil.copyfileobj(content, stream)


def _state(path: Path) -> _State:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
