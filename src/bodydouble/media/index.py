"""The index of a video's frames, built from its packets without decoding."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.error
import numpy as np
from numpy.typing import NDArray

from bodydouble.media.container import open_container

FRAME_RATE_DEFAULT = 25
"""Frames/s, assumed where a video neither declares a rate nor has two frames to derive it from."""
FRAME_RATE_DENOMINATOR_MAX = 1001
"""The denominator of NTSC rates (30000/1001 frames/s), the largest in use."""
GAP_TOLERANCE = 0.02
"""Share of the median frame distance by which distances differ in a video of constant rate."""
ROUNDING_TICKS = 1
"""Ticks by which rounding to the time base changes the distance of two frames."""
VP8_SHOW_FRAME_BIT = 4
"""Position of show_frame in the first byte of a VP8 frame (RFC 6386 section 9.1)."""


@dataclass(frozen=True, kw_only=True)
class FrameIndex:
    """Presentation timestamps in presentation order, and the frames at which decoding can start."""

    pts: NDArray[np.int64]  # (F,) in ticks of time_base, strictly increasing
    keyframes: NDArray[np.int64]  # frame indices, sorted
    time_base: Fraction  # seconds a tick
    end: int  # pts at which the last frame ends
    timed: bool  # False: packets have no usable presentation timestamps; frames are identified by counting
    hidden: int  # packets that an edit list or the codec hides
    cut: bool  # a packet reaches beyond the end of the file

    @property
    def frame_rate(self) -> Fraction:
        """Average frames a second."""
        if len(self.pts) < 2:
            return Fraction(FRAME_RATE_DEFAULT)
        seconds = (int(self.pts[-1]) - int(self.pts[0])) * self.time_base
        return ((len(self.pts) - 1) / seconds).limit_denominator(FRAME_RATE_DENOMINATOR_MAX)

    @property
    def variable_rate(self) -> bool:
        """Whether frame distances differ by more than rounding to the time base explains."""
        gaps = np.diff(self.pts)
        tolerance = max(1.0, GAP_TOLERANCE * float(np.median(gaps))) if len(gaps) else 1.0
        return bool(len(gaps) and gaps.max() - gaps.min() > tolerance + ROUNDING_TICKS)


def build_index(path: Path, track: int, frames_max: int) -> FrameIndex:
    """The index of the stream with index ``track``, from one pass over its packets.

    Raises:
        ValueError: no frames, or more than ``frames_max``.
    """
    with open_container(path) as container:
        stream = container.streams[track]
        time_base = stream.time_base
        # MP4 stores decoding distances as durations. Only the track's length gives the end of the last frame.
        track_ticks = (stream.duration or 0) if container.format.name.startswith("mov") else 0
        scan = _scan_packets(container, stream, frames_max)
    if not scan.durations:
        raise ValueError("no frames")
    order = sorted(scan.durations)
    end = order[-1] + scan.durations[order[-1]]
    if order[0] + track_ticks > order[-1]:
        end = order[0] + track_ticks
    position = {at: i for i, at in enumerate(order)}
    return FrameIndex(
        pts=np.array(order, np.int64),
        keyframes=np.array(sorted({position[at] for at in scan.keyframes} | {0}), np.int64),
        time_base=time_base,
        end=end,
        timed=scan.timed,
        hidden=scan.hidden,
        cut=scan.cut,
    )


@dataclass(kw_only=True)
class _PacketScan:
    """Timestamps and flags of a stream's packets, in decoding order; times in ticks."""

    timed: bool
    durations: dict[int, int] = field(default_factory=dict[int, int])  # by pts
    keyframes: list[int] = field(default_factory=list[int])  # pts
    hidden: int = 0
    cut: bool = False

    def read(self, packets: Iterator[Any]) -> Iterator[Any]:
        """Yield packets to the end of the file, or up to a place that cannot be read, which sets ``cut``."""
        try:
            yield from packets
        except av.error.FFmpegError:
            self.cut = True


def _scan_packets(container: Any, stream: Any, frames_max: int) -> _PacketScan:
    """Demux the whole stream. Raises ValueError for more than ``frames_max`` frames."""
    scan = _PacketScan(timed=_has_presentation_times(container, stream))
    step = max(1, round(1 / (stream.average_rate or FRAME_RATE_DEFAULT) / stream.time_base))
    is_hidden = _hidden_test(stream)
    newest = None
    for packet in scan.read(container.demux(stream)):
        if packet.size == 0:
            continue
        if packet.is_discard or is_hidden(packet):
            scan.hidden += 1
            continue
        at = packet.pts
        if at is None:
            scan.timed = False
            at = packet.dts if packet.dts is not None else (0 if newest is None else newest + step)
        newest = at
        scan.durations[at] = packet.duration or step
        scan.cut = scan.cut or packet.is_corrupt
        if packet.is_keyframe:
            scan.keyframes.append(at)
        if len(scan.durations) > frames_max:
            raise ValueError(f"more than {frames_max} frames")
    return scan


def _has_presentation_times(container: Any, stream: Any) -> bool:
    """Whether packet timestamps give the presentation order. AVI numbers packets in decoding order."""
    reordered = stream.codec_context.has_b_frames or stream.codec_context.codec.canonical_name in ("h264", "hevc")
    return not (container.format.name == "avi" and reordered)


def _hidden_test(stream: Any) -> Callable[[Any], bool]:
    """A test for packets whose frame is only a reference and never shown. VP8 has separate packets for such frames."""
    if stream.codec_context.codec.canonical_name != "vp8":
        return lambda _: False
    return lambda packet: not bytes(packet)[0] >> VP8_SHOW_FRAME_BIT & 1
