"""The discs by which masks grow and shrink, as OpenCV draws them, and distances to masks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask

DISC_RIM = 0.35
"""Pixels by which they reach beyond their circle, about: a mask that grows by distances gets the same shape."""


def disc(radius: float, radius_min: int) -> NDArray[np.uint8]:
    """A round structuring element of ``radius`` pixels, rounded, and of ``radius_min`` at least."""
    side = 2 * max(radius_min, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def distance_to(mask: Mask) -> Floats:
    """(h, w) px to the nearest pixel of ``mask``; 0 inside."""
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3), np.float32)
