"""The character's picture as the pose network sees it from several regions: its own error is known then, and averaged.

One look at a picture is off by up to 7 % in a bone's length, several looks agree within 3 % (development pictures).
"""

import numpy as np

from bodydouble.evaluation.pose_agreement import DRIVING, SCORE_MIN, region_around
from bodydouble.perception import ModelPack, PersonTrack
from bodydouble.perception.arrays import Image
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import BodyNet
from bodydouble.perception.track import concatenate

SIZES = (0.9, 1.0, 1.15)
"""Sides of the regions over the one that the network proposes."""
ANGLES = (-0.14, 0.0, 0.14)
"""Radians by which the regions are turned: 8 degrees, as people lean in videos."""


def reference_views(pack: ModelPack, image: Image, track: PersonTrack) -> PersonTrack:
    """``track``, of one frame, with one row for each region in which the network sees the person in ``image``.

    The rows differ in body landmarks and visibility only. ``track`` itself where no region shows a body.
    """
    net = BodyNet(pack, DRIVING)
    proposed = net.run(image, region_around(track.body[0, :, :2])).next_roi
    rows: list[PersonTrack] = []
    for size in SIZES:
        for angle in ANGLES:
            region = Roi(x=proposed.x, y=proposed.y, size=proposed.size * size, angle=proposed.angle + angle)
            seen = net.run(image, region) if region.inside(image.shape[1], image.shape[0]) else None
            if seen is None or seen.score < SCORE_MIN:
                continue
            row = concatenate([track])
            row.body[0] = np.c_[seen.points, seen.depth]
            row.visibility[0] = seen.visibility
            rows.append(row)
    return concatenate(rows) if rows else track
