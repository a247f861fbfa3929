"""Which pixels of a frame belong to the person who was replaced, to the character, and to neither."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte

Region = NDArray[np.bool_]  # (H, W)

CERTAIN_MARGIN = 0.03
"""Share of the frame's height around the mattes that is never background: soft edges, hair, shadow at the seam."""
REACH_MARGIN = 0.09
"""Share of the frame's height around the mattes in which changed pixels are the character's, not damage: a hat, hair
or sleeve that the output's matte missed."""
CHANGED_MIN = 12.0  # 0-255, of the smoothed difference


def disc(radius: float) -> NDArray[np.uint8]:
    """A structuring element of at least 3 x 3."""
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def grown(mask: NDArray[np.uint8], radius: float) -> Region:
    """``mask`` (0 or not) dilated by a disc; computed at a quarter of the size, which a margin does not notice."""
    height, width = mask.shape
    small = cv2.resize(mask, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    wide = cv2.dilate((small > 0).astype(np.uint8), disc(radius / 4))
    return np.asarray(cv2.resize(wide, (width, height), interpolation=cv2.INTER_NEAREST) > 0, np.bool_)


def difference(source: Image, output: Image) -> NDArray[np.float32]:
    """(H, W) mean absolute difference of the channels, 0-255."""
    return np.asarray(cv2.absdiff(source, output).astype(np.float32).mean(-1), np.float32)


def background(source_matte: Matte, output_matte: Matte, changed: NDArray[np.float32]) -> Region:
    """The pixels that have to be the source's own. ``changed`` is what ``difference`` answers."""
    height = changed.shape[0]
    people = (np.maximum(source_matte, output_matte) > 4).astype(np.uint8)
    if not people.any():
        return np.ones(changed.shape, np.bool_)
    reach = grown(people, REACH_MARGIN * height)
    moved = (cv2.boxFilter(changed, -1, (5, 5)) > CHANGED_MIN) & reach
    taken = grown(people, CERTAIN_MARGIN * height) | grown(moved.astype(np.uint8), 0.01 * height)
    return np.asarray(~taken, np.bool_)


def core(matte: Matte) -> Region:
    """Pixels that are the person's without doubt."""
    return np.asarray(cv2.erode((matte > 204).astype(np.uint8), disc(matte.shape[0] / 110)) > 0, np.bool_)
