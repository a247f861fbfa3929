"""Masks of a frame: the replaced person, the character, the background."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask, Matte

CERTAIN_MARGIN = 0.03
"""Share of the frame's height around the mattes that is never background: soft edges, hair, shadow at the seam."""
REACH_MARGIN = 0.09
"""Share of the frame's height around the mattes in which changed pixels are the character's, not damage: a hat, hair
or sleeve that the output's matte missed."""
CHANGED_MIN = 12.0
"""Smoothed difference (0-255) above which a pixel counts as changed."""
CHANGE_WINDOW = (5, 5)
"""Pixels that the difference is averaged over: a single pixel of coding noise is no change."""
GROWTH_SHRINK = 4
"""Factor by which masks are shrunk while they grow: precise enough for a margin."""
PRESENT_MIN = 4
"""Alpha (0-255) above which a pixel belongs to a person."""
CHANGED_MARGIN = 0.01
"""Share of the frame's height around changed pixels that is not background."""
CERTAIN_LEVEL = 204
"""Alpha (0-255) above which a pixel is the person without doubt."""
CORE_DIVISOR = 110
"""Frame height over the width of the rim that is not the core."""
NEIGHBOURHOOD_DIVISOR = 15
"""Frame height over the side of a neighbourhood: what is unchanged in a whole one is so by no chance."""


def neighbourhood(height: int) -> int:
    """Pixels, odd: the side of a neighbourhood in frames of this ``height``."""
    return max(3, height // NEIGHBOURHOOD_DIVISOR) | 1


def disc(radius: float) -> NDArray[np.uint8]:
    """A structuring element of at least 3 x 3."""
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def grown(mask: NDArray[np.uint8], radius: float) -> Mask:
    """``mask`` (zero or not) dilated by a disc; computed at a quarter of the size."""
    height, width = mask.shape
    small = cv2.resize(
        mask, (max(1, width // GROWTH_SHRINK), max(1, height // GROWTH_SHRINK)), interpolation=cv2.INTER_AREA
    )
    wide = cv2.dilate((small > 0).astype(np.uint8), disc(radius / GROWTH_SHRINK))
    return np.asarray(cv2.resize(wide, (width, height), interpolation=cv2.INTER_NEAREST) > 0, np.bool_)


def difference(source: Image, output: Image) -> NDArray[np.float32]:
    """(H, W) mean absolute difference of the channels, 0-255."""
    return np.asarray(cv2.absdiff(source, output).astype(np.float32).mean(-1), np.float32)


def background(source_matte: Matte, output_matte: Matte, changed: NDArray[np.float32]) -> Mask:
    """The pixels that must be the source's own. ``changed`` is what ``difference`` returned."""
    height = changed.shape[0]
    people = (np.maximum(source_matte, output_matte) > PRESENT_MIN).astype(np.uint8)
    if not people.any():
        return np.ones(changed.shape, np.bool_)
    reach = grown(people, REACH_MARGIN * height)
    moved = (cv2.boxFilter(changed, -1, CHANGE_WINDOW) > CHANGED_MIN) & reach
    taken = grown(people, CERTAIN_MARGIN * height) | grown(moved.astype(np.uint8), CHANGED_MARGIN * height)
    return np.asarray(~taken, np.bool_)


def core(matte: Matte) -> Mask:
    """Pixels that belong to the person without doubt."""
    certain = (matte > CERTAIN_LEVEL).astype(np.uint8)
    return np.asarray(cv2.erode(certain, disc(matte.shape[0] / CORE_DIVISOR)) > 0, np.bool_)
