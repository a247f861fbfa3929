"""Detection of cuts between shots."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image

THUMBNAIL_SIZE = (64, 36)
"""Width and height, pixels: details that move within a shot disappear at this size."""
THUMBNAIL_BLUR = 1.5
"""Sigma, pixels of the thumbnail: small displacements between two frames do not count."""
HISTOGRAM_BINS = 8
"""For each of R, G and B."""
LEVELS = 256
"""Values of an 8-bit channel."""
CORRELATION_MAX = 0.5
"""Measured on the development clips: neighbours within a shot correlate above 0.8 even in fast pans, across cuts below
0.4."""
HISTOGRAM_DISTANCE_MIN = 0.25
"""Share of pixels whose colour has no counterpart in the other frame; measured on the development clips."""
STRUCTURE_MIN = 1e3
"""Product of the norms of two thumbnails (0-255) below which both are flat and their correlation is noise."""


@dataclass(frozen=True, kw_only=True)
class FrameSignature:
    """The values that cut detection compares: blurred thumbnail (36, 64, 3) and RGB histogram (8, 8, 8), sum 1."""

    thumbnail: NDArray[np.float32]
    histogram: NDArray[np.float32]


def frame_signature(image: Image) -> FrameSignature:
    """The signature of one frame."""
    width, height = THUMBNAIL_SIZE
    small = cv2.resize(image, (width * 2, height * 2), interpolation=cv2.INTER_LINEAR)
    histogram = cv2.calcHist([small], [0, 1, 2], None, [HISTOGRAM_BINS] * 3, [0, LEVELS, 0, LEVELS, 0, LEVELS])
    thumbnail = cv2.resize(small, THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
    return FrameSignature(
        thumbnail=np.asarray(cv2.GaussianBlur(thumbnail, (0, 0), THUMBNAIL_BLUR), np.float32),
        histogram=np.asarray(histogram / histogram.sum(), np.float32),
    )


def is_cut(before: FrameSignature, after: FrameSignature) -> bool:
    """Whether a cut separates two consecutive frames.

    Structure and colours must both change. A flash changes the brightness but not the structure, which is compared
    without its mean and contrast. A fast pan moves the structure but keeps the colours.
    """
    a, b = (x - x.mean((0, 1)) for x in (before.thumbnail, after.thumbnail))
    energy = float(np.sqrt((a**2).sum() * (b**2).sum()))
    correlation = float((a * b).sum()) / energy if energy > STRUCTURE_MIN else 0.0  # flat frames: colours decide
    colour_distance = 1 - float(np.minimum(before.histogram, after.histogram).sum())
    return correlation < CORRELATION_MAX and colour_distance > HISTOGRAM_DISTANCE_MIN
