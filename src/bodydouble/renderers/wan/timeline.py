"""Which frames the model is given for each segment, and which of its output frames are kept."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.protocol import Segment

LENGTH_MIN = 41
"""Frames. The model was trained on 77 (Wan-Video/Wan2.2 always generates 77). Half of them is a compromise between
that and the time for frames that nobody sees; chosen, not measured."""


@dataclass(frozen=True, kw_only=True)
class FrameRange:
    """The frames of one segment."""

    segment: Segment  # the frames that are kept
    carried: int  # frames of the segment before that are given again, before ``segment.start``
    length: int  # frames given to the model, 4n + 1; those after ``segment.stop`` go back again

    @property
    def first(self) -> int:
        """The first frame given to the model."""
        return self.segment.start - self.carried


def plan_frame_ranges(
    shots: NDArray[np.int32], length_max: int, carried: int, length_min: int = LENGTH_MIN
) -> list[FrameRange]:
    """Ranges of up to ``length_max`` frames; none spans a cut, and none is shorter than ``length_min``.

    Where little of a shot would be left for the last range, the last two share what is left evenly. A shot that is
    shorter than ``length_min`` is lengthened by its own frames, see ``mirrored_index``.

    Args:
        shots: (F,), grows by one at each cut.
        length_max: 4n + 1, greater than ``carried``.
        length_min: 4n + 1; a larger one than ``length_max`` counts as ``length_max``.
    """
    length_min = min(length_min, length_max)
    ranges: list[FrameRange] = []
    edges = [0, *(np.flatnonzero(np.diff(shots)) + 1).tolist(), len(shots)]
    for begin, end in pairwise(edges):
        start = begin
        while start < end:
            given = 0 if start == begin else carried
            stop = min(end, start - given + length_max)
            if 0 < end - stop < length_min - carried:  # the rest alone would be too short
                stop = start - given + _allowed_length((end - start + given + carried + 1) // 2)
            length = max(_allowed_length(stop - start + given), length_min)
            segment = Segment(index=len(ranges), start=start, stop=stop)
            ranges.append(FrameRange(segment=segment, carried=given, length=length))
            start = stop
    return ranges


def mirrored_index(i: int, count: int) -> int:
    """The frame of ``count`` frames that stands at place ``i``: there and back again, as ``inputs_padding`` of
    Wan-Video/Wan2.2 lengthens a video. The model is not trained on a still end."""
    if count == 1:
        return 0
    i %= 2 * count - 2
    return min(i, 2 * count - 2 - i)


def _allowed_length(frames: int) -> int:
    """The smallest 4n + 1 that holds ``frames``."""
    return -(-(frames - 1) // 4) * 4 + 1
