"""Inspection of media before a task is created: for the exact price, and to refuse unusable files early."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from bodydouble.media.limits import MediaLimits
from bodydouble.service.fair_slots import FairSlots
from bodydouble.service.local_copies import Part
from bodydouble.service.pricing import MediaFacts
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import InputRejected, InspectionFailed, MediaRejected, NotFound
from bodydouble.tasks.files import FileStore

OUTCOMES_MAX = 10_000
"""Inspected uploads whose outcome is remembered; the oldest is forgotten first."""
LOOKS_MAX = 3
"""Number of files that are fetched and inspected at the same time."""

Inspect = Callable[[Path, str], Awaitable[MediaFacts]]
"""Inspects a local file for the field that names it, in another process.

Raises MediaRejected, InspectionUnavailable.
"""

_Subject = tuple[str, str, int, datetime]


class LimitedMediaCheck:
    """Satisfies ``service.pricing.MediaCheck``; ``limits`` are those of the worker's probe.

    Inspects each upload once for each field that names it, and again if its bytes are replaced. A file in a bucket, or
    within a request, is copied to a ``part`` for the inspection. Accounts share the slots fairly.
    """

    def __init__(self, files: FileStore, limits: MediaLimits, part: Part, inspect: Inspect) -> None:
        self._files, self._limits, self._part, self._inspect = files, limits, part, inspect
        self._outcomes: OrderedDict[_Subject, MediaFacts | InputRejected] = OrderedDict()
        self._looking: dict[_Subject, asyncio.Task[MediaFacts | InputRejected]] = {}
        self._slots = FairSlots(LOOKS_MAX)

    async def content(self, content: bytes, field: str, account: AccountId) -> MediaFacts:
        """Inspect a file that came within a request. Its outcome is not remembered: the request ends with it."""
        self._check_size(len(content), field)
        async with self._slots.slot(account):
            with self._part(len(content)) as part:
                await asyncio.to_thread(part.write_bytes, content)
                return await self._inspect(part, field)

    async def upload(self, key: str, field: str, account: AccountId) -> MediaFacts:
        """Inspect a file of the file store, or return the outcome of its former inspection."""
        stored = await self._files.stat(key)
        if stored is None:
            raise NotFound("File not found", key=key)
        subject = (key, field, stored.size_bytes, stored.modified_at)
        outcome = self._outcomes.get(subject)
        if outcome is None:
            if subject not in self._looking:
                self._looking[subject] = asyncio.create_task(self._look(subject, stored.path, account))
                self._looking[subject].add_done_callback(lambda _: self._looking.pop(subject))
            # Further callers wait for the same inspection, and a caller that hangs up does not end it for the others.
            outcome = await asyncio.shield(self._looking[subject])
            if not isinstance(outcome, InspectionFailed):
                self._outcomes[subject] = outcome
            if len(self._outcomes) > OUTCOMES_MAX:
                self._outcomes.popitem(last=False)
        if isinstance(outcome, InputRejected):
            raise type(outcome)(outcome.message, **outcome.fields)
        return outcome

    async def _look(self, subject: _Subject, path: Path | None, account: AccountId) -> MediaFacts | InputRejected:
        key, field, size_bytes, _ = subject
        try:
            limit = self._check_size(size_bytes, field)
            async with self._slots.slot(account):
                if path is not None:
                    return await self._inspect(path, field)
                with self._part(size_bytes) as part:
                    await self._files.get_file(key, part, limit)
                    return await self._inspect(part, field)
        except InputRejected as error:
            return error

    def _check_size(self, size_bytes: int, field: str) -> int:
        """The limit on files of this field. Raises MediaRejected beyond it."""
        limit = self._limits.image_bytes_max if field.startswith("img") else self._limits.video_bytes_max
        if size_bytes > limit:
            megabytes = f"{size_bytes / 1e6:.1f} MB, at most {limit / 1e6:g} MB are accepted"
            raise MediaRejected(f"{field}: the file has {megabytes}.", field=field)
        return limit
