"""Frames spread over the whole video, read once for everything that is measured on samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte
from bodydouble.perception.footage import Footage, Mattes
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.kept_frames import KEPT_STEP

SAMPLES = 24
"""Number of sampled frames: enough to learn what is usual in a video, few enough to keep in memory."""
ONE_PASS_FRAMES_MAX = 600
"""Up to this many frames one pass over all is cheaper than two dozen seeks, each from a keyframe before."""


@dataclass(frozen=True, kw_only=True)
class SampleFrame:
    """One frame with the person in it."""

    index: int
    image: Image
    matte: Matte


def sample_frames(footage: Footage, mattes: Mattes, track: PersonTrack, count: int = SAMPLES) -> list[SampleFrame]:
    """At most ``count`` frames spread evenly over those in which the person is present, in order.

    Where there are enough frames, those are chosen that ``KeptFrames`` kept of a shot that was read from its start.
    """
    seen = np.flatnonzero(track.present)
    if len(seen) == 0:
        return []
    kept = seen[_place_in_shot(track)[seen] % KEPT_STEP == 0]
    if len(kept) >= count:
        seen = kept
    if seen[-1] - seen[0] >= ONE_PASS_FRAMES_MAX:
        chosen = np.unique(seen[np.linspace(0, len(seen) - 1, count).astype(int)]).tolist()
        pairs = [(next(footage.read(i, i + 1)), next(mattes.read(i, i + 1))) for i in chosen]
        return [SampleFrame(index=i, image=image, matte=matte) for (i, image), (_, matte) in pairs]
    start, stop = int(seen[0]), int(seen[-1]) + 1
    step = -(-len(seen) // count) * (KEPT_STEP if len(kept) >= count else 1)
    both = zip(footage.read(start, stop, step), mattes.read(start, stop, step), strict=True)
    return [SampleFrame(index=i, image=image, matte=matte) for (i, image), (_, matte) in both if track.present[i]]


def _place_in_shot(track: PersonTrack) -> NDArray[np.int64]:
    """(F,) the frames before each one in its shot."""
    index = np.arange(len(track))
    begins = np.r_[True, np.diff(track.shot) != 0]
    return index - np.maximum.accumulate(np.where(begins, index, 0))
