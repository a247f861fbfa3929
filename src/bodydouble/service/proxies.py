"""Small copies of videos that a browser cannot play, made when the video is inspected or when a player fails."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from bodydouble.service.callers import Caller
from bodydouble.service.fair_slots import FairSlots
from bodydouble.service.local_copies import Part, local_copy
from bodydouble.tasks.errors import BodydoubleError, InputRejected
from bodydouble.tasks.files import FileStore

log = structlog.get_logger(__name__)

SLOTS = 1
"""Decoding and encoding take a core for seconds."""
PROXY_BYTES_MAX = 50_000_000
"""Space that is reserved for a copy while it is made; two minutes have about 6 MB."""

BEGUN_MAX = 32
"""Copies in the background, of all accounts; further ones are made when a player fails."""

MakeProxy = Callable[[Path, Path], Awaitable[None]]
"""Writes a copy of the first file, which browsers can play, as the second. Raises InputRejected."""


class ProxyService:
    """Makes each copy once and keeps it in the file store, with the uploads of its account."""

    def __init__(self, files: FileStore, make: MakeProxy, part: Part) -> None:
        self._files, self._make, self._part = files, make, part
        self._slots = FairSlots(SLOTS)
        self._begun: dict[str, asyncio.Task[None]] = {}  # by the video's URL

    def begin(self, caller: Caller, video_url: str) -> None:
        """Make the copy in the background. ``address`` waits for it; a failure is logged, and met again there."""
        if video_url in self._begun or len(self._begun) >= BEGUN_MAX:
            return
        self._begun[video_url] = asyncio.create_task(self._make_ahead(caller, video_url))
        self._begun[video_url].add_done_callback(lambda _: self._begun.pop(video_url))

    async def _make_ahead(self, caller: Caller, video_url: str) -> None:
        try:
            await self.address(caller, video_url)
        except BodydoubleError as error:
            log.info("a copy for browsers was not made", error=error.message)

    async def address(self, caller: Caller, video_url: str) -> str:
        """The signed URL of the copy of an upload or a result of the caller.

        Raises:
            InputRejected: not a file of this caller, absent, or unreadable. StorageUnavailable, StorageFull.
        """
        key = await self._files.own_key(video_url, caller.id)
        if key is None or await self._files.stat(key) is None:
            raise InputRejected("video: this file is not stored here", field="video")
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        copy_key = f"uploads/{caller.id}/proxy-{name}.mp4"
        if await self._files.stat(copy_key) is None:
            async with self._slots.slot(caller.id):
                if await self._files.stat(copy_key) is None:
                    await self._store(key, copy_key)
        return await self._files.sign_download(copy_key)

    async def _store(self, key: str, copy_key: str) -> None:
        async with local_copy(self._files, key, self._part) as path:
            with self._part(PROXY_BYTES_MAX) as target:
                await self._make(path, target)
                await self._files.put_file(copy_key, target, "video/mp4")
