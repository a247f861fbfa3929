"""The order of a video's frames, from its packets alone: nothing is decoded."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.error
import numpy as np
from numpy.typing import NDArray

from bodydouble.media.container import open_container, picture_stream


@dataclass(frozen=True, kw_only=True)
class FrameIndex:
    """Presentation timestamps in presentation order, and where decoding can start."""

    pts: NDArray[np.int64]  # (F,) in time_base units, strictly growing
    keyframes: NDArray[np.int64]  # frame indices, sorted
    time_base: Fraction
    end: int  # pts at which the last frame stops being shown
    timed: bool  # False: the container only counts packets (AVI), so that frames are known by counting them
    hidden: int  # packets that an edit list or the codec keeps from being shown
    cut: bool  # a packet reaches beyond the end of the file

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


def build_index(path: Path, frames_max: int) -> FrameIndex:
    """Demux the video once.

    Raises:
        ValueError: no frames, or more than ``frames_max``.
    """
    keys: list[int] = []
    lengths: dict[int, int] = {}  # of each frame, by its pts; in decoding order
    newest = None
    cut, hidden = False, 0
    with open_container(path) as container:
        stream = picture_stream(container)
        if stream is None:
            raise ValueError("no frames")
        time_base = stream.time_base
        step = max(1, round(1 / (stream.average_rate or 25) / time_base))
        # AVI numbers packets in decoding order, which is not that of frames predicted from later ones.
        reordered = stream.codec_context.has_b_frames or stream.codec_context.codec.canonical_name in ("h264", "hevc")
        timed = not (container.format.name == "avi" and reordered)
        # MP4 measures packets from one decoding to the next: of the last frame, only the track's length tells the end.
        told = (stream.duration or 0) if container.format.name.startswith("mov") else 0
        is_hidden = _hidden_test(stream)
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                packet, cut = None, True
            if packet is None:
                break
            if packet.size == 0:
                continue
            if packet.is_discard or is_hidden(packet):
                hidden += 1
                continue
            at = packet.pts
            if at is None:
                timed = False
                at = packet.dts if packet.dts is not None else (0 if newest is None else newest + step)
            newest = at
            lengths[at] = packet.duration or step
            cut = cut or packet.is_corrupt
            if packet.is_keyframe:
                keys.append(at)
            if len(lengths) > frames_max:
                raise ValueError(f"more than {frames_max} frames")
    if not lengths:
        raise ValueError("no frames")
    order = sorted(lengths)
    end = order[-1] + lengths[order[-1]]
    if order[0] + told > order[-1]:
        end = order[0] + told
    position = {at: i for i, at in enumerate(order)}
    return FrameIndex(
        pts=np.array(order, np.int64),
        keyframes=np.array(sorted({position[k] for k in keys} | {0}), np.int64),
        time_base=time_base,
        end=end,
        timed=timed,
        hidden=hidden,
        cut=cut,
    )


def _hidden_test(stream: Any) -> Callable[[Any], bool]:
    """Whether a packet holds a frame that is only referred to: VP8 stores such frames as packets of their own."""
    if stream.codec_context.codec.canonical_name != "vp8":
        return lambda _: False
    return lambda packet: not bytes(packet)[0] >> 4 & 1  # show_frame, RFC 6386 section 9.1
