"""The choice of the video track among all tracks of a file."""

from pathlib import Path
from typing import Any

from av.stream import Disposition

from bodydouble.media.container import open_container

COVERS = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Dispositions of video tracks that hold pictures about the file, not the film."""


def choose_video(container: Any, path: Path) -> Any | None:
    """The video stream of ``container``, opened from ``path``, to process; or None.

    Cover pictures are never chosen. Of the others, in this order: more than one frame, a known codec, the default
    track, the largest frame, the first.
    """
    candidates = [s for s in container.streams.video if not s.disposition & COVERS]
    if len(candidates) < 2:
        return next(iter(candidates), None)
    moving = _moving(path, candidates)

    def rank(stream: Any) -> tuple[bool, bool, bool, int, int]:
        context = stream.codec_context
        known = context is not None and context.codec is not None
        area = context.width * context.height if known else 0
        return (stream.index in moving, known, bool(stream.disposition & Disposition.default), area, -stream.index)

    return max(candidates, key=rank)


def _moving(path: Path, candidates: list[Any]) -> set[int]:
    """Indices of the streams with more than one frame. Reads packets where the container states no count."""
    moving = {s.index for s in candidates if s.frames > 1}
    unknown = {s.index: 0 for s in candidates if s.frames == 0}
    if not unknown:
        return moving
    with open_container(path) as container:  # one of its own: reading moves the position
        for packet in container.demux([container.streams[index] for index in unknown]):
            if packet.size:
                unknown[packet.stream.index] += 1
                if min(unknown.values()) > 1:
                    break
    return moving | {index for index, frames in unknown.items() if frames > 1}
