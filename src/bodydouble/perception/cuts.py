"""Where one shot ends and the next begins."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image

THUMB = (64, 36)
# Measured on the development clips: neighbours inside a shot correlate above 0.8 even in fast pans, cuts below 0.4.
CORRELATION_MAX, HISTOGRAM_MIN = 0.5, 0.25


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a frame looks like from far away: normalised thumbnail (36, 64, 3) and colour histogram (8, 8, 8)."""

    thumb: NDArray[np.float32]
    histogram: NDArray[np.float32]


def look_at(image: Image) -> Look:
    """The look of one RGB frame."""
    small = cv2.resize(image, (THUMB[0] * 2, THUMB[1] * 2), interpolation=cv2.INTER_LINEAR)
    histogram = cv2.calcHist([small], [0, 1, 2], None, [8, 8, 8], [0, 256, 0, 256, 0, 256])
    thumb = cv2.GaussianBlur(cv2.resize(small, THUMB, interpolation=cv2.INTER_AREA).astype(np.float32), (0, 0), 1.5)
    return Look(thumb=np.asarray(thumb, np.float32), histogram=np.asarray(histogram / histogram.sum(), np.float32))


def is_cut(before: Look, after: Look) -> bool:
    """Whether a cut lies between two neighbouring frames.

    Structure and colours must both change: a flash changes the brightness but not the structure (which is compared
    after removing mean and contrast), a fast pan moves the structure but keeps the colours.
    """
    a, b = (x - x.mean((0, 1)) for x in (before.thumb, after.thumb))
    energy = float(np.sqrt((a**2).sum() * (b**2).sum()))
    # Two flat frames of different colour have no structure to compare: their colours decide.
    correlation = float((a * b).sum()) / energy if energy > 1e3 else 0.0
    colours = 1 - float(np.minimum(before.histogram, after.histogram).sum())
    return correlation < CORRELATION_MAX and colours > HISTOGRAM_MIN
