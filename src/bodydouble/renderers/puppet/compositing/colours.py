"""Colours counted in a few levels a channel: what is usual somewhere, as a table that is looked up for each pixel."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte

Colours = NDArray[np.bool_]
"""(LEVELS ** 3,) which colours belong to something; index it with ``colour_codes``."""
Counts = NDArray[np.float32]

LEVELS = 16
"""Levels a colour channel is counted in."""


def _codes_of_packed() -> NDArray[np.int32]:
    """(65536,) the code of each number into which OpenCV packs 5, 6 and 5 bits; of each channel four are kept."""
    packed = np.arange(1 << 16, dtype=np.int32)
    return ((packed >> 4) & 0xF00) | ((packed >> 3) & 0xF0) | ((packed >> 1) & 0xF)


CODES_OF_PACKED = _codes_of_packed()


def _looked_up(image: Image, table: NDArray[Any]) -> NDArray[Any]:
    """(...,) the entry of ``table`` (65536,) at each pixel's packed colour, of (..., 3) RGB."""
    if image.size == 0:
        return np.zeros(image.shape[:-1], table.dtype)
    pixels = image if image.ndim == 3 else image.reshape(1, -1, 3)
    packed = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR565), np.uint8).view(np.uint16)[..., 0]
    return np.asarray(cv2.LUT(packed, table[None]), table.dtype).reshape(image.shape[:-1])


def colour_codes(image: Image) -> NDArray[np.int32]:
    """(...,) one number 0 to ``LEVELS ** 3`` for each pixel's colour, of (..., 3) RGB."""
    return _looked_up(image, CODES_OF_PACKED)


def coloured(image: Image, colours: Colours) -> Matte:
    """(h, w) 0 or 255: where ``image`` (h, w, 3) has one of the ``colours``, in an eighth of ``take``'s time."""
    return _looked_up(image, (colours * np.uint8(255)).take(CODES_OF_PACKED))


def counted(codes: NDArray[np.int32]) -> Counts:
    """(LEVELS ** 3,) how often each of ``codes`` (N,) is there.

    A colour's neighbours count too: light and compression move colours by a level.
    """
    return _spread(np.bincount(codes, minlength=LEVELS**3).reshape(LEVELS, LEVELS, LEVELS).astype(np.float32))


def counted_within(image: Image, mask: Matte) -> Counts:
    """``counted`` of the pixels of ``image`` (h, w, 3) where ``mask`` (h, w) is not 0."""
    bounds = [0, LEVELS * LEVELS] * 3
    return _spread(np.asarray(cv2.calcHist([image], [0, 1, 2], mask, [LEVELS] * 3, bounds), np.float32))


def _spread(counts: Counts) -> Counts:
    """(LEVELS ** 3,) of counts in three axes."""
    for axis in range(3):
        counts = _with_beside(counts, axis)
    return counts.ravel()


def with_neighbours(colours: Colours) -> Colours:
    """``colours`` and those one level away in one channel."""
    cube = colours.reshape(LEVELS, LEVELS, LEVELS).astype(np.float32)
    wide = sum(_with_beside(cube, axis) for axis in range(3))
    return np.asarray(np.ravel(wide) > 0, np.bool_)


def _with_beside(counts: Counts, axis: int) -> Counts:
    """Each of ``counts`` plus those one before and one after it along ``axis``."""
    result = counts.copy()
    here, there = result.swapaxes(0, axis), counts.swapaxes(0, axis)
    here[1:] += there[:-1]
    here[:-1] += there[1:]
    return result
