"""Black bars around the picture of a video: they stay, and show nothing of the scene."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask, Matte
from bodydouble.renderers.puppet.compositing.samples import SampleFrame

BLACK_MAX = 32
"""Level (0-255) that no channel of a bar exceeds: noise of the compression."""
PIXEL_STEP = 4
"""Every so many pixels of a row or column are looked at."""
SIDE_MAX = 0.35
"""Largest share of the frame that a bar takes: more is a dark picture."""
RINGING_PIXELS = 4
"""Width of the blend of bar and picture that compression makes."""
PERSON_LEVEL, PERSON_PIXELS_MAX = 127, 20
"""Matte level (0-255) from which a pixel is the person's, and how many of them a bar may have: nobody is in a bar."""
FLAT_LEVELS = 1.0
"""Standard deviation of levels (0-255) up to which a bar was drawn, and no dark place filmed: a matte that reaches into
it is wrong. Measured: 0.0 to 0.3 in the bars of five videos."""

Sides = tuple[int, int, int, int]
"""Rows at the top and at the bottom, columns at the left and at the right."""


def bars(image: Image) -> Sides:
    """The black sides of ``image`` (H, W, 3)."""
    rows, columns = image[:, ::PIXEL_STEP], image[::PIXEL_STEP].swapaxes(0, 1)
    return _black(rows), _black(rows[::-1]), _black(columns), _black(columns[::-1])


def _black(lines: NDArray[np.uint8]) -> int:
    """How many of the first ``lines`` (N, M, 3) are black. Mostly the first one is light, and ends the search."""
    count = next((k for k, line in enumerate(lines) if line.max() > BLACK_MAX), len(lines))
    return count if count < SIDE_MAX * len(lines) else 0


def inside(size: tuple[int, ...], sides: Sides, margin: int = 0) -> Mask:
    """(H, W) which pixels of a frame of ``size`` are no bar, nor within ``margin`` pixels of one."""
    height, width = size[:2]
    top, bottom, left, right = (side + margin * (side > 0) for side in sides)
    result = np.zeros((height, width), np.bool_)
    result[top : height - bottom, left : width - right] = True
    return result


def learn_bars(samples: list[SampleFrame]) -> Mask | None:
    """(H, W) the bars that all ``samples`` have, drawn ones or such that the person never reaches. None without any."""
    if not samples:
        return None
    sides = np.min([bars(sample.image) for sample in samples], axis=0).tolist()
    if not any(sides):
        return None
    found = ~inside(samples[0].matte.shape, (sides[0], sides[1], sides[2], sides[3]))
    if all(_people(sample.matte, found) <= PERSON_PIXELS_MAX for sample in samples):
        return found
    top, bottom, left, right = (max(0, side - RINGING_PIXELS) for side in sides)
    drawn = ~inside(found.shape, (top, bottom, left, right))
    return found if drawn.any() and all(sample.image[drawn].std() <= FLAT_LEVELS for sample in samples) else None


def _people(matte: Matte, where: Mask) -> int:
    return int(np.count_nonzero(matte[where] > PERSON_LEVEL))
