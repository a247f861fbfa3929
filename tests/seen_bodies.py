"""Bodies as the pose network sees them."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import BodyLandmarks

REGION_SIDE = 256
"""Pixels, side of the network's own mask."""


def seen_body(
    points: NDArray[np.float64], roi: Roi, *, visibility: float = 1.0, segmentation: NDArray[np.uint8] | None = None
) -> BodyLandmarks:
    """A flat body with landmarks ``points`` (33, 2) in the region ``roi``; an empty mask where none is given."""
    return BodyLandmarks(
        points=points,
        depth=np.zeros(33),
        visibility=np.full(33, visibility, np.float32),
        score=1.0,
        segmentation=np.zeros((REGION_SIDE, REGION_SIDE), np.uint8) if segmentation is None else segmentation,
        matrix=roi.matrix(REGION_SIDE),
        next_roi=roi,
    )


def upright_body(shift: float, segmentation: NDArray[np.uint8] | None = None) -> BodyLandmarks:
    """Somebody upright, moved ``shift`` pixels to the right; the other landmarks are at random places."""
    points = np.random.default_rng(2).uniform(100, 200, (33, 2))
    points[[11, 12, 23, 24]] = [[200, 100], [100, 100], [180, 250], [120, 250]]
    roi = Roi(x=150 + shift, y=150, size=REGION_SIDE)
    return seen_body(points + [shift, 0], roi, segmentation=segmentation)
