"""A few warm inspection children, each with a deadline for every file."""

import asyncio
import dataclasses
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bodydouble.media import MediaLimits
from bodydouble.service.pricing import MediaFacts
from bodydouble.tasks.errors import InspectionFailed, InspectionUnavailable, MediaRejected
from bodydouble.worker.child_socket import LineTooLong
from bodydouble.worker.inspection.child import ChildEnded, InspectionChild
from bodydouble.worker.inspection.messages import (
    Accepted,
    Crashed,
    InspectPicture,
    InspectVideo,
    Marks,
    OutOfMemory,
    ReadMarks,
    Ready,
    Rejected,
    Reply,
    Request,
)

START_SECONDS_MAX = 30
"""Limit for importing the decoders, which takes 0.7 s on a quiet machine."""
CHILD_INSPECTIONS_MAX = 500
"""Then another child takes its place, so that a leak of a decoder cannot add up."""
CONVERT = "Export it again as MP4 (H.264), or a picture as JPEG."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class InspectionLimits:
    """Limits of the children, and of each inspection."""

    children_max: int = 3
    seconds_max: float = 25  # by the clock; clients wait 30 s for an answer
    cpu_seconds_max: int = 15
    memory_bytes: int = 768_000_000  # 17 frames of 4096 × 2304 in 10 bit, the most that HEVC keeps, take 480 MB


class InspectionPool:
    """Inspects files in child processes. Satisfies ``service.media_check.Inspect`` with its method ``inspect``.

    Use it as a context manager in a thread that lasts; it ends its children at the end. At most ``children_max``
    inspections run at a time; the caller limits how many wait.
    """

    def __init__(self, media: MediaLimits, limits: InspectionLimits = InspectionLimits()) -> None:
        self._media, self._limits = dataclasses.asdict(media), limits
        self._free = asyncio.Semaphore(limits.children_max)
        self._idle: list[InspectionChild] = []

    async def __aenter__(self) -> "InspectionPool":
        return self

    async def __aexit__(self, *_: object) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(child.end() for child in idle))

    @property
    def pids(self) -> list[int]:
        """Process ids of the children that wait for work."""
        return [child.pid for child in self._idle]

    async def inspect(self, path: Path, field: str) -> MediaFacts:
        """Facts about the picture or video at ``path``; ``field`` says which of the two is expected.

        Raises:
            MediaRejected: the file cannot be used; the message names the field.
            InspectionFailed: the inspection took more time or memory than it may, crashed, or has too long a reply.
            InspectionUnavailable: no child could be started.
        """
        kind = InspectPicture if field.startswith("img") else InspectVideo
        reply = await self._sound_reply(
            kind(path=path, field=field, limits=self._media, cpu_seconds_max=self._limits.cpu_seconds_max)
        )
        assert isinstance(reply, Accepted)
        return MediaFacts(
            duration_seconds=reply.duration_seconds,
            width=reply.width,
            height=reply.height,
            plays_in_browsers=reply.plays_in_browsers,
        )

    async def read_marks(self, path: Path, trust_anchors: str = "") -> Mapping[str, Any]:
        """The marks of origin in the file at ``path``, of any format, as ``provenance.marks.read_marks`` returns them.

        Raises:
            MediaRejected, InspectionFailed, InspectionUnavailable: as ``inspect``.
        """
        seconds = self._limits.cpu_seconds_max
        request = ReadMarks(path=path, field="file", trust_anchors=trust_anchors, cpu_seconds_max=seconds)
        reply = await self._sound_reply(request)
        assert isinstance(reply, Marks)
        return reply.marks

    async def _sound_reply(self, request: Request) -> Accepted | Marks:
        """The reply of a child. Raises MediaRejected, InspectionFailed, InspectionUnavailable."""
        field = request.field
        async with self._free:
            try:
                reply = await self._ask(request)
            except ChildEnded as error:
                if error.status != -signal.SIGKILL:
                    raise self._failure(field, error) from None
                # Nothing that a file does kills a process by this signal: the machine ran out of memory, or somebody
                # killed the child. The file gets a second chance.
                try:
                    reply = await self._ask(request)
                except ChildEnded as again:
                    raise self._failure(field, again) from None
        match reply:
            case Accepted() | Marks():
                return reply
            case Rejected():
                raise MediaRejected(reply.message, field=field)
            case OutOfMemory():
                megabytes = self._limits.memory_bytes / 1e6
                raise _failed(field, f"its inspection needs more than {megabytes:g} MB of memory")
            case Crashed():
                log.error("an inspection failed", field=field, trace=reply.trace)
                raise _failed(field, "it cannot be decoded")
            case Ready():
                raise AssertionError("a child is ready once")

    async def _ask(self, request: Request) -> Reply:
        """The reply of a child, which serves the next request if it is sound. Raises ChildEnded, InspectionFailed."""
        child = await self._take_child()
        sound = False
        try:
            async with asyncio.timeout(self._limits.seconds_max):
                reply = await child.ask(request)
            # Memory that a decoder could not allocate may have left it in any state.
            sound = isinstance(reply, Accepted | Marks | Rejected) and child.inspections < CHILD_INSPECTIONS_MAX
        except TimeoutError:
            seconds = self._limits.seconds_max
            log.warning("an inspection took too long", field=request.field, seconds=seconds)
            raise _failed(request.field, f"its inspection took longer than {seconds:g} s") from None
        except LineTooLong as error:
            log.warning("an inspection's reply was too long", field=request.field)
            raise _failed(request.field, "its metadata is too long") from error
        finally:
            if sound:
                self._idle.append(child)
            else:
                await child.end()
        return reply

    async def _take_child(self) -> InspectionChild:
        while self._idle:
            child = self._idle.pop()
            if not child.ended:
                return child
            await child.end()
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                return await InspectionChild.start(self._limits.memory_bytes)
        except (ChildEnded, OSError) as error:  # TimeoutError is an OSError
            log.error("no inspection child could be started", error=repr(error))
            raise InspectionUnavailable("The process that inspects media could not be started; try again.") from error

    def _failure(self, field: str, ended: ChildEnded) -> InspectionFailed:
        log.warning("an inspection child ended", field=field, reason=str(ended))
        if ended.status == -signal.SIGXCPU:
            seconds = self._limits.cpu_seconds_max
            return _failed(field, f"its inspection needs more than {seconds} s of processor time")
        return _failed(field, "it cannot be decoded")


def _failed(field: str, why: str) -> InspectionFailed:
    return InspectionFailed(f"{field}: {why}. {CONVERT}", field=field)
