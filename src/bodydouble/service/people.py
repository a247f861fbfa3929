"""Who is there when a video begins, so that one of them can be chosen before anything is made."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bodydouble.service.callers import Caller
from bodydouble.service.local_copies import Part, local_copy
from bodydouble.tasks.errors import InputRejected
from bodydouble.tasks.files import FileStore

KNOWN_MAX = 1_000


@dataclass(frozen=True, kw_only=True)
class PersonSeen:
    """Somebody's box in a frame: its left and upper edge, width and height in parts of the frame's, 0 to 1."""

    x: float
    y: float
    width: float
    height: float


FindPeople = Callable[[Path], Awaitable[Sequence[PersonSeen]]]
"""Everybody in the first frame of a video that has people in it, largest first. Raises InputRejected."""

_Subject = tuple[str, int, datetime]


class PeopleService:
    """Looks once at each upload, and at one upload at a time: it takes a whole core for a few seconds."""

    def __init__(self, files: FileStore, find: FindPeople, part: Part) -> None:
        self._files, self._find, self._part = files, find, part
        self._known: OrderedDict[_Subject, Sequence[PersonSeen]] = OrderedDict()
        self._one = asyncio.Lock()

    async def at_the_start(self, caller: Caller, video_url: str) -> Sequence[PersonSeen]:
        """Everybody who is there when the video begins, largest first; nobody is an empty answer.

        Raises InputRejected: no upload of this caller's, not there, or unreadable; StorageUnavailable.
        """
        key = await self._files.own_key(video_url, caller.id)
        stored = await self._files.stat(key) if key else None
        if key is None or stored is None:
            raise InputRejected("video: people are looked for in videos that were uploaded here", field="video")
        subject = (key, stored.size_bytes, stored.modified_at)
        async with self._one:
            if subject not in self._known:
                async with local_copy(self._files, key, self._part) as path:
                    self._known[subject] = await self._find(path)
                if len(self._known) > KNOWN_MAX:
                    self._known.popitem(last=False)
        return self._known[subject]
