"""The order of a video's frames, from its packets alone: nothing is decoded."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

OPEN_OPTIONS = {"protocol_whitelist": "file", "enable_drefs": "0", "use_absolute_path": "0"}
"""A file may not make us open another file or address."""


@dataclass(frozen=True, kw_only=True)
class FrameIndex:
    """Presentation timestamps in presentation order, and where decoding can start."""

    pts: NDArray[np.int64]  # (F,) in time_base units, strictly growing
    keyframes: NDArray[np.int64]  # frame indices, sorted
    time_base: Fraction
    end: int  # pts at which the last frame stops being shown

    @property
    def frame_rate(self) -> Fraction:
        """Average frames a second."""
        if len(self.pts) < 2:
            return Fraction(25)
        seconds = (int(self.pts[-1]) - int(self.pts[0])) * self.time_base
        return ((len(self.pts) - 1) / seconds).limit_denominator(1001)

    @property
    def variable_rate(self) -> bool:
        """Whether neighbouring distances differ by more than rounding to the time base explains."""
        gaps = np.diff(self.pts)
        tolerance = max(1.0, 0.02 * float(np.median(gaps))) if len(gaps) else 1.0
        return bool(len(gaps) and gaps.max() - gaps.min() > tolerance + 1)


def open_container(path: Path) -> Any:
    """The file, opened for reading, with references to other files refused."""
    return av.open(str(path), options=OPEN_OPTIONS, metadata_errors="replace")


def build_index(path: Path, frames_max: int) -> FrameIndex:
    """Demux the first video stream once.

    Raises:
        ValueError: no frames, or more than ``frames_max``.
    """
    pts: list[int] = []
    keys: list[int] = []
    durations: list[int] = []
    with open_container(path) as container:
        stream = container.streams.video[0]
        time_base = stream.time_base
        step = max(1, round(1 / (stream.average_rate or 25) / time_base))
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:
                continue
            at = packet.pts
            if at is None:  # AVI and raw streams count frames only
                at = packet.dts if packet.dts is not None else (pts[-1] + step if pts else 0)
            pts.append(at)
            durations.append(packet.duration or step)
            if packet.is_keyframe:
                keys.append(at)
            if len(pts) > frames_max:
                raise ValueError(f"more than {frames_max} frames")
    if not pts:
        raise ValueError("no frames")
    order = sorted(set(pts))
    last = max(zip(pts, durations, strict=True))
    position = {at: i for i, at in enumerate(order)}
    return FrameIndex(
        pts=np.array(order, np.int64),
        keyframes=np.array(sorted({position[k] for k in keys} | {0}), np.int64),
        time_base=time_base,
        end=last[0] + last[1],
    )
