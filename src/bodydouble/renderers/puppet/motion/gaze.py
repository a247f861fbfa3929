"""Where eyes look: the place of the irises between the corners of their eyes."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.motion.expression import EYES, TINY

Array = NDArray[np.float64]

AHEAD = np.array([-0.04, -0.08])
"""Place of the irises that look straight ahead, mean of both eyes, in half eye widths to image right and down from the
middle between the corners. Median of 40 faces in videos and pictures."""
AHEAD_SPREAD = np.array([0.1, 0.12])
"""Deviation from that which belongs to a face or to the landmark network, and is no gaze. Measured: faces that look at
the camera are within it."""

STEADY_FRAMES, STEADY_SOFT = 5, np.array([0.25, 0.5, 0.25])
"""Frames whose median is a gaze: eyes leap and rest, landmarks tremble by a tenth of an eye. Weights of a frame and its
neighbours by which the leaps of the median are softened."""


def iris_places(faces: Array, scale: Array) -> Array:
    """(F, 2) place of the irises in normalised ``faces`` (F, 478, 3) of ``scale`` (F, 3) px, in half eye widths.

    It is the mean of both eyes, which move together: the landmarks of one are less sure, and may squint.
    """
    places = []
    for _, _, left, right, iris in EYES:
        middle = (faces[:, left, :2] + faces[:, right, :2]) / 2
        half = np.abs(faces[:, right, 0] - faces[:, left, 0])[:, None] / 2 * scale[:, :1]
        places.append((faces[:, iris, :2].mean(1) - middle) * scale[:, :2] / np.maximum(half, TINY))
    return np.mean(places, axis=0)


def gaze_of(places: Array) -> Array:
    """(F, 2) how far irises at ``places`` (F, 2) are from where the same eyes look straight ahead."""
    return places - np.clip(np.median(places, axis=0), AHEAD - AHEAD_SPREAD, AHEAD + AHEAD_SPREAD)


def steady(gaze: Array) -> Array:
    """(F, 2) the ``gaze`` (F, 2) of consecutive frames without the trembling of its landmarks; leaps stay."""
    reach = STEADY_FRAMES // 2
    padded = np.pad(gaze, [(reach, reach), (0, 0)], mode="edge")
    median = np.median(np.lib.stride_tricks.sliding_window_view(padded, STEADY_FRAMES, axis=0), axis=-1)
    beside = np.pad(median, [(1, 1), (0, 0)], mode="edge")
    return STEADY_SOFT[0] * beside[:-2] + STEADY_SOFT[1] * median + STEADY_SOFT[2] * beside[2:]
