"""Plain walls: where the surroundings are so even that the background is known where no frame shows it."""

import cv2
import numpy as np

from bodydouble.perception.arrays import Floats, Image, Mask, Matte
from bodydouble.renderers.puppet.compositing.colours import Colours, colour_codes
from bodydouble.renderers.puppet.compositing.reduction import largest_channel, reduced
from bodydouble.renderers.puppet.compositing.seams import spread

TEXTURE_SIDE, PLAIN_STEPS = (9, 9), (1.0, 2.5)
"""Square, in pixels of a small picture, in which the steps between pixels are averaged; mean steps in levels (0-255)
up to which a place is plain, and from which it is not at all. Chosen by eye on the development clips."""
PLAIN_MIN = 0.5
"""Plainness (0-1) from which a wall surely goes on."""
WEIGHT_MIN = 1e-8
"""Least share of known pixels by which a mean is divided."""
STEP = 4
"""Pixels of the frame for one of the picture in which a wall is continued: grain is no texture there."""
UNLIKE_MIN = 8.0
"""Levels (0-255) of some channel by which a pixel differs from the continued wall if something is in front of it."""
SHARES = (1.0, 0.5, 0.25)
"""Shares of the thing in front that are tried in a blend; of less, its colour is anybody's guess."""
RANGE_MARGIN = 16
"""Levels by which the colour that a blend implies may be beyond 0-255: a level of ``Colours``."""


def plainness(small: Image, hole: Mask) -> Floats:
    """(h, w) 0-1 how far the surroundings of the ``hole`` (h, w) in ``small`` (h, w, 3) are plain, 0 outside it.

    The light of a plain wall changes from place to place: copies of far parts of it would meet in edges.
    """
    steps = np.zeros(hole.shape, np.uint8)
    for here, before in ((np.s_[1:, :], np.s_[:-1, :]), (np.s_[:, 1:], np.s_[:, :-1])):
        steps[here] = cv2.max(steps[here], largest_channel(cv2.absdiff(small[here], small[before])))
    beside = cv2.erode((~hole).view(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    texture = cv2.blur(steps * beside, TEXTURE_SIDE) / np.maximum(cv2.blur(beside, TEXTURE_SIDE), WEIGHT_MIN)
    texture = spread(np.asarray(texture[..., None], np.float32), beside)[..., 0]
    share = np.clip((PLAIN_STEPS[1] - texture) / (PLAIN_STEPS[1] - PLAIN_STEPS[0]), 0, 1)
    return np.asarray(share * hole, np.float32)


def plain_places(image: Image, hole: Mask) -> Mask:
    """(H, W) where in the ``hole`` (H, W) of ``image`` (H, W, 3) a plain wall goes on."""
    small = reduced(image, STEP)
    inside = reduced(hole.view(np.uint8) * np.uint8(255), STEP) > 0
    share = cv2.resize(plainness(small, inside), hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray((share > PLAIN_MIN) & hole, np.bool_)


def blends(image: Image, judged: Matte, own: Colours) -> Matte:
    """(h, w) 0 or 255: which ``judged`` pixels of ``image`` are a blend of a plain wall and one of the ``own`` colours.

    The wall is continued smoothly from what is not ``judged`` (h, w), 0 or 255. Hair that a matte misses is smoke in
    front of it.
    """
    small, inside = reduced(image, STEP), reduced(judged, STEP) > 0
    plain = plainness(small, inside) > PLAIN_MIN
    result = np.zeros(judged.shape, np.uint8)
    if not plain.any():
        return result
    bare = (~inside).astype(np.float32)
    wall = spread(np.asarray(small * bare[..., None], np.float32), bare)[plain]
    difference = small[plain] - wall
    found = np.zeros(len(wall), np.bool_)
    for share in SHARES:
        front = wall + difference / np.float32(share)
        possible = ((front > -RANGE_MARGIN) & (front < 255 + RANGE_MARGIN)).all(1)
        found |= possible & own.take(colour_codes(np.clip(front, 0, 255).astype(np.uint8)))
    found &= np.abs(difference).max(1) > UNLIKE_MIN
    flags = np.zeros(plain.shape, np.uint8)
    flags[plain] = found * np.uint8(255)
    height, width = plain.shape
    large = cv2.resize(flags, (STEP * width, STEP * height), interpolation=cv2.INTER_LINEAR)
    result[: STEP * height, : STEP * width] = cv2.threshold(large, 127, 255, cv2.THRESH_BINARY)[1]
    return np.asarray(cv2.min(result, judged), np.uint8)
