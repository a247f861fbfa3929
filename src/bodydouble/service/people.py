"""The people at the start of a video, so that a client can choose one before it creates a task."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bodydouble.service.callers import Caller
from bodydouble.service.fair_slots import FairSlots
from bodydouble.service.local_copies import Part, local_copy
from bodydouble.tasks.errors import InputRejected
from bodydouble.tasks.files import FileStore

KNOWN_MAX = 200
"""Results in memory, up to 100 kB each; the oldest is dropped first."""
SLOTS = 1
"""Detection takes a whole core for a few seconds."""


@dataclass(frozen=True, kw_only=True)
class PersonSeen:
    """A person's box in a frame: left and upper edge, width and height, as fractions of the frame (0 to 1)."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class PeopleSeen:
    """The people in the first frame of a video that shows any, largest first."""

    people: Sequence[PersonSeen]
    picture: bytes  # that frame as JPEG, with a number on each person; empty if nobody is seen


FindPeople = Callable[[Path], Awaitable[PeopleSeen]]
"""Looks for people at the start of a video. Raises InputRejected."""

_Subject = tuple[str, int, datetime]


class PeopleService:
    """Detects the people of each upload once. Accounts share the slots fairly."""

    def __init__(self, files: FileStore, find: FindPeople, part: Part) -> None:
        self._files, self._find, self._part = files, find, part
        self._known: OrderedDict[_Subject, PeopleSeen] = OrderedDict()
        self._slots = FairSlots(SLOTS)

    async def at_the_start(self, caller: Caller, video_url: str) -> PeopleSeen:
        """The people in the first frame that shows any.

        Raises:
            InputRejected: not an upload of this caller, absent, or unreadable. StorageUnavailable.
        """
        key = await self._files.own_key(video_url, caller.id)
        stored = await self._files.stat(key) if key else None
        if key is None or stored is None:
            raise InputRejected(
                "video: not an upload of this account; upload the video first and give its file URL", field="video"
            )
        subject = (key, stored.size_bytes, stored.modified_at)
        if subject in self._known:
            return self._known[subject]
        async with self._slots.slot(caller.id):
            if subject not in self._known:
                async with local_copy(self._files, key, self._part) as path:
                    self._known[subject] = await self._find(path)
                if len(self._known) > KNOWN_MAX:
                    self._known.popitem(last=False)
            return self._known[subject]
