"""Marks of origin in a file, and whether this installation made it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

from bodydouble.service.callers import Caller
from bodydouble.service.fair_slots import FairSlots
from bodydouble.service.identifiers import parse_task_id
from bodydouble.service.local_copies import Part
from bodydouble.tasks.errors import InvalidParams, NotFound
from bodydouble.tasks.ports import TaskStore

READS_MAX = 2
"""Files that are read at a time."""
UPLOADS_MAX = 64
"""Files that are received or wait to be read, of different accounts. Many, because a slow client keeps its own long."""

ReadMarks = Callable[[Path], Awaitable[Mapping[str, Any]]]
"""The marks of a file, read in another process. Raises MediaRejected, InspectionUnavailable."""


class VerificationService:
    """Verifies files of any format up to ``bytes_max``. Each account has one at a time."""

    def __init__(self, tasks: TaskStore, read: ReadMarks, part: Part, bytes_max: int) -> None:
        self._tasks, self._read, self._part, self._bytes_max = tasks, read, part, bytes_max
        self._uploads, self._reads = FairSlots(UPLOADS_MAX), asyncio.Semaphore(READS_MAX)

    async def verify(self, caller: Caller, content: AsyncIterator[bytes], announced: int | None) -> dict[str, Any]:
        """The marks of the file ``content``, and ``task_id``: the caller's task that made it, or None.

        ``announced``: its length in bytes, if known. Raises InvalidParams, MediaRejected, RateLimited, StorageFull.
        """
        self._check(announced or 0)
        async with self._uploads.slot(caller.id):
            with self._part(announced or 0) as part:
                received = 0
                with part.open("wb") as stream:
                    async for piece in content:
                        received += len(piece)
                        self._check(received)
                        await asyncio.to_thread(stream.write, piece)
                async with self._reads:
                    return await self.verify_file(caller, part)

    async def verify_file(self, caller: Caller, path: Path) -> dict[str, Any]:
        """As ``verify``, of a local file. Raises MediaRejected."""
        marks = dict(await self._read(path))
        return marks | {"task_id": await self._own_task(caller, marks)}

    def _check(self, size_bytes: int) -> None:
        if size_bytes > self._bytes_max:
            raise InvalidParams([f"body: the file may have at most {self._bytes_max / 1e6:g} MB"])

    async def _own_task(self, caller: Caller, marks: Mapping[str, Any]) -> str | None:
        """The id of the caller's task that the manifest names and whose result it describes."""
        for layer in cast("list[Mapping[str, Any]]", marks["layers"]):
            made = cast("Mapping[str, Any]", layer.get("production") or {})
            if layer.get("state") not in ("valid", "trusted") or "task" not in made:
                continue
            try:
                task = await self._tasks.get_task(parse_task_id(str(made["task"])), caller.id)
            except NotFound:
                continue
            if task is None or task.result is None:
                continue
            stated = cast("Mapping[str, Any]", task.result.media_info.get("provenance") or {})
            if stated and stated.get("unsigned_sha256") == made.get("unsigned_sha256"):
                return str(task.id)
        return None
