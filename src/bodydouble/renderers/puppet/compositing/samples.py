"""Frames spread over the whole video, read once for everything that is measured on samples."""

from dataclasses import dataclass

import numpy as np

from bodydouble.perception.arrays import Image, Matte
from bodydouble.perception.footage import Footage, Mattes
from bodydouble.perception.track import PersonTrack

SAMPLES = 24
"""Number of sampled frames: enough to learn what is usual in a video, few enough to keep in memory."""
ONE_PASS_FRAMES_MAX = 600
"""Up to this many frames one pass over all is cheaper than two dozen seeks, each from a keyframe before."""
GRID = 2
"""Where there are enough frames, the samples are even ones: the shot's reader has kept them (``media/keeping.py``)."""


@dataclass(frozen=True, kw_only=True)
class SampleFrame:
    """One frame with the person in it."""

    index: int
    image: Image
    matte: Matte


def sample_frames(footage: Footage, mattes: Mattes, track: PersonTrack, count: int = SAMPLES) -> list[SampleFrame]:
    """At most ``count`` frames spread evenly over those in which the person is present, in order."""
    seen = np.flatnonzero(track.present)
    if len(seen) == 0:
        return []
    even = seen[seen % GRID == 0]
    grid = GRID if len(even) >= count else 1
    seen = even if grid == GRID else seen
    if seen[-1] - seen[0] >= ONE_PASS_FRAMES_MAX:
        chosen = np.unique(seen[np.linspace(0, len(seen) - 1, count).astype(int)]).tolist()
        pairs = [(next(footage.read(i, i + 1)), next(mattes.read(i, i + 1))) for i in chosen]
        return [SampleFrame(index=i, image=image, matte=matte) for (i, image), (_, matte) in pairs]
    start, stop = int(seen[0]), int(seen[-1]) + 1
    step = -(-len(seen) // count) * grid
    both = zip(footage.read(start, stop, step), mattes.read(start, stop, step), strict=True)
    return [SampleFrame(index=i, image=image, matte=matte) for (i, image), (_, matte) in both if track.present[i]]


def frames_between(samples: list[SampleFrame]) -> int:
    """The most frames from one of the ``samples`` to the next; 0 for a single one."""
    return int(np.diff([sample.index for sample in samples]).max(initial=0))
