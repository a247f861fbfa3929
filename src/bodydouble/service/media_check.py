"""Inspection of media before a task is created: for the exact price, and to refuse unusable files early."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from bodydouble.media import MediaLimits, probe_image, probe_video
from bodydouble.tasks.errors import InputRejected, MediaRejected, NotFound
from bodydouble.tasks.files import FileStore

OUTCOMES_MAX = 10_000
LOOKS_MAX = 4
"""So many files are fetched and decoded at a time."""

Part = Callable[[int], AbstractContextManager[Path]]
"""A new local file for so many bytes, removed at the end of the block."""

_Subject = tuple[str, str, int, datetime]


class LimitedMediaCheck:
    """Satisfies ``service.pricing.MediaCheck``; ``limits`` are those of the worker's probe.

    Looks at each upload once for each field that names it, and again where its bytes were replaced. What a bucket
    holds, or what came within a request, lies in a ``part`` for the look. Decoding happens in threads.
    """

    def __init__(self, files: FileStore, limits: MediaLimits, part: Part) -> None:
        self._files, self._limits, self._part = files, limits, part
        self._outcomes: OrderedDict[_Subject, float | InputRejected] = OrderedDict()
        self._looking: dict[_Subject, asyncio.Task[float | InputRejected]] = {}
        self._free = asyncio.Semaphore(LOOKS_MAX)

    async def content(self, content: bytes, field: str) -> float:
        """Nothing is remembered: the request that carries it is over with the answer."""
        self._check_size(len(content), field)
        async with self._free:
            return await asyncio.to_thread(self._probe_content, content, field)

    async def upload(self, key: str, field: str) -> float:
        """What comes a second time is answered from memory."""
        stored = await self._files.stat(key)
        if stored is None:
            raise NotFound("File not found", key=key)
        subject = (key, field, stored.size_bytes, stored.modified_at)
        outcome = self._outcomes.get(subject)
        if outcome is None:
            if subject not in self._looking:
                self._looking[subject] = asyncio.create_task(self._look(subject, stored.path))
                self._looking[subject].add_done_callback(lambda _: self._looking.pop(subject))
            # Whoever else asks for it waits for the same look, and nobody's hanging up ends it for the others.
            outcome = await asyncio.shield(self._looking[subject])
            self._outcomes[subject] = outcome
            if len(self._outcomes) > OUTCOMES_MAX:
                self._outcomes.popitem(last=False)
        if isinstance(outcome, InputRejected):
            raise type(outcome)(outcome.message, **outcome.fields)
        return outcome

    async def _look(self, subject: _Subject, path: Path | None) -> float | InputRejected:
        key, field, size_bytes, _ = subject
        try:
            limit = self._check_size(size_bytes, field)
            async with self._free:
                if path is not None:
                    return await asyncio.to_thread(self._probe, path, field)
                with self._part(size_bytes) as part:
                    await self._files.get_file(key, part, limit)
                    return await asyncio.to_thread(self._probe, part, field)
        except InputRejected as error:
            return error

    def _check_size(self, size_bytes: int, field: str) -> int:
        """The limit on files of this field. Raises MediaRejected beyond it."""
        limit = self._limits.image_bytes_max if field.startswith("img") else self._limits.video_bytes_max
        if size_bytes > limit:
            megabytes = f"{size_bytes / 1e6:.1f} MB, at most {limit / 1e6:g} MB are accepted"
            raise MediaRejected(f"{field}: the file has {megabytes}.", field=field)
        return limit

    def _probe_content(self, content: bytes, field: str) -> float:
        with self._part(len(content)) as part:
            part.write_bytes(content)
            return self._probe(part, field)

    def _probe(self, path: Path, field: str) -> float:
        if field.startswith("img"):
            probe_image(path, self._limits, field)
            return 0.0
        return probe_video(path, self._limits, field).duration_seconds
