"""A handful of frames of the whole video, read once for all that is measured on samples."""

from dataclasses import dataclass

import numpy as np

from bodydouble.perception.footage import Footage, Image, Matte, Mattes
from bodydouble.perception.track import PersonTrack

LOOKS = 24
ONE_PASS_FRAMES_MAX = 600
"""Up to this many frames one pass over all is cheaper than two dozen seeks, each from a keyframe before."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One frame with the person in it."""

    index: int
    image: Image
    matte: Matte


def take_looks(footage: Footage, mattes: Mattes, track: PersonTrack, count: int = LOOKS) -> list[Look]:
    """At most ``count`` frames spread over those in which the person is present, in order."""
    seen = np.flatnonzero(track.present)
    if len(seen) == 0:
        return []
    chosen = np.unique(seen[np.linspace(0, len(seen) - 1, count).astype(int)]).tolist()
    if chosen[-1] - chosen[0] >= ONE_PASS_FRAMES_MAX:
        pairs = [(next(footage.read(i, i + 1)), next(mattes.read(i, i + 1))) for i in chosen]
        return [Look(index=i, image=image, matte=matte) for (i, image), (_, matte) in pairs]
    wanted = set(chosen)
    both = zip(footage.read(chosen[0], chosen[-1] + 1), mattes.read(chosen[0], chosen[-1] + 1), strict=True)
    return [Look(index=i, image=image, matte=matte) for (i, image), (_, matte) in both if i in wanted]
