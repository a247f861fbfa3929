"""Composite the generated person into the source frame. Pixels outside the mask are the source's own."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image

FEATHER_PIXELS = 8
"""Pixels inside the mask's edge that are blended. The mask reaches nine pixels beyond the person, so they are
background."""


def blend(source: Image, made: Image, mask: NDArray[np.uint8]) -> Image:
    """(H, W, 3): ``source`` where ``mask`` (H, W) is 0, ``made`` well inside the mask, a linear ramp between."""
    if not mask.any():
        return source
    inside = np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, 3), np.float32)
    alpha = np.clip(inside / FEATHER_PIXELS, 0, 1)[..., None]
    mixed = source + (made.astype(np.float32) - source) * alpha
    return np.where(mask[..., None] > 0, mixed.round(), source).astype(np.uint8)
