"""The discs by which masks grow and shrink, as OpenCV draws them."""

import cv2
import numpy as np
from numpy.typing import NDArray

DISC_RIM = 0.35
"""Pixels by which they reach beyond their circle, about: a mask that grows by distances gets the same shape."""


def disc(radius: float, radius_min: int) -> NDArray[np.uint8]:
    """A round structuring element of ``radius`` pixels, rounded, and of ``radius_min`` at least."""
    side = 2 * max(radius_min, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
