"""Which frames the model is given for each segment, and which of its frames are kept."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.protocol import Segment


@dataclass(frozen=True, kw_only=True)
class Span:
    """One segment as the model sees it."""

    segment: Segment  # the frames that are kept
    carried: int  # frames of the segment before that are given again, before ``segment.start``
    length: int  # frames given to the model, 4n + 1; those behind ``segment.stop`` repeat the last one

    @property
    def first(self) -> int:
        """The first frame given to the model."""
        return self.segment.start - self.carried


def plan_spans(shots: NDArray[np.int32], length_max: int, carried: int) -> list[Span]:
    """Spans of ``length_max`` frames, the last one of each shot only as long as it must be; none spans a cut.

    ``shots`` (F,) grows by one at each cut. ``length_max`` is 4n + 1 and above ``carried``.
    """
    spans: list[Span] = []
    edges = [0, *(np.flatnonzero(np.diff(shots)) + 1).tolist(), len(shots)]
    for begin, end in pairwise(edges):
        start = begin
        while start < end:
            given = 0 if start == begin else carried
            stop = min(end, start - given + length_max)
            length = -(-(stop - start + given - 1) // 4) * 4 + 1
            spans.append(Span(segment=Segment(index=len(spans), start=start, stop=stop), carried=given, length=length))
            start = stop
    return spans
