"""Colours counted in a few levels a channel: what is usual somewhere, as a table that is looked up for each pixel."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image

Colours = NDArray[np.bool_]
"""(LEVELS ** 3,) which colours belong to something; index it with ``colour_codes``."""
Counts = NDArray[np.float32]

LEVELS = 16
"""Levels a colour channel is counted in."""
LEVEL_SHIFT = 4
"""Bits of an 8 bit channel that are dropped: 256 levels become ``LEVELS``."""


def colour_codes(image: Image) -> NDArray[np.int32]:
    """(...,) one number 0 to ``LEVELS ** 3`` for each pixel's colour, of (..., 3) RGB."""
    if image.size == 0:
        return np.zeros(image.shape[:-1], np.int32)
    channels = cv2.split(image if image.ndim == 3 else image.reshape(1, -1, 3))
    red, green, blue = (np.asarray(channel, np.uint8) for channel in channels)
    # Two channels in one byte: half of the time that whole numbers of 32 bits take.
    low = (green & np.uint8(LEVELS * (LEVELS - 1))) | (blue >> LEVEL_SHIFT)
    codes = ((red >> LEVEL_SHIFT).astype(np.int32) << (2 * LEVEL_SHIFT)) | low
    return codes.reshape(image.shape[:-1])


def counted(codes: NDArray[np.int32]) -> Counts:
    """(LEVELS ** 3,) how often each of ``codes`` (N,) is there.

    A colour's neighbours count too: light and compression move colours by a level.
    """
    spread = np.bincount(codes, minlength=LEVELS**3).reshape(LEVELS, LEVELS, LEVELS).astype(np.float32)
    for axis in range(3):
        spread = _with_beside(spread, axis)
    return spread.ravel()


def with_neighbours(colours: Colours) -> Colours:
    """``colours`` and those one level away in one channel."""
    cube = colours.reshape(LEVELS, LEVELS, LEVELS).astype(np.float32)
    wide = sum(_with_beside(cube, axis) for axis in range(3))
    return np.asarray(np.ravel(wide) > 0, np.bool_)


def _with_beside(counts: Counts, axis: int) -> Counts:
    """Each of ``counts`` plus those one before and one after it along ``axis``."""
    result = counts.copy()
    here, there = np.moveaxis(result, axis, 0), np.moveaxis(counts, axis, 0)
    here[1:] += there[:-1]
    here[:-1] += there[1:]
    return result
