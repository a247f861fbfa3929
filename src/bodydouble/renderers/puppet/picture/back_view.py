"""The character's trunk seen from behind: what the picture's front tells of the back."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.trunk import HIPS, SHOULDERS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.picture.extension import skin_like, usual_cloth
from bodydouble.renderers.puppet.picture.regions import filled

Array = NDArray[np.float64]

ABOVE_SHOULDERS = 0.4
"""Decimetres above the shoulders' joints up to which a collar reaches."""
COLLAR = (0.35, 0.8)
"""Decimetres by which it is higher behind the neck, and half the width of that."""
SIDES = (0.1, 0.6)
"""Decimetres inside the trunk's outline between which its sides show the cloth of the back too."""
NECKLINE = 1.2
"""Decimetres below the collar in which skin is no cloth; farther down pale cloth may look like skin."""
RARE = 0.2
"""Share of the sides below which a colour is an arm's or a strap's."""
SIDE_PIXELS_MIN = 40
"""Pixels of the sides without which nothing is known of the back, and of the head without which nothing is of hair."""
HAIR_MAX = 0.5
"""Share of the sides from which on what looks like hair is cloth of the same colour."""


def closed_back(colour: Floats, opacity: Floats, fit: BodyFit, skin: Array, locks: Mask) -> Floats:
    """``colour`` (h, w, 3) 0-255 with the trunk's middle as its sides: no open jacket, bow, print or neckline.

    ``opacity`` (h, w) 0-1 is the trunk's layer, ``skin`` (3,) the face's colour, which is no cloth; nor is hair.
    ``locks`` (h, w) hang beside the body and stay.
    """
    joints, scale = fit.joints.points, fit.scale
    top = int(joints[SHOULDERS, 1].min() - ABOVE_SHOULDERS * scale)
    bottom = int(joints[HIPS, 1].max())
    rows = np.arange(len(opacity))[:, None]
    beside = (np.arange(opacity.shape[1]) - joints[SHOULDERS, 0].mean()) / (COLLAR[1] * scale)
    collar = COLLAR[0] * scale * np.exp(-(beside**2))
    trunk = (opacity > 0.5) & ~locks & (rows >= top - collar) & (rows <= bottom)
    inside = distance_to((opacity <= 0.5) | locks)
    sides = trunk & (inside > SIDES[0] * scale) & (inside <= SIDES[1] * scale)
    sides &= ~skin_like(colour, skin, sides & (rows <= top + NECKLINE * scale))
    sides = _without_hair(colour, sides, (opacity > 0.5) & (rows < top), skin)
    if np.count_nonzero(sides) < SIDE_PIXELS_MIN:
        return colour
    sides = usual_cloth(colour, sides, RARE)
    return filled(colour, sides, trunk & (inside > SIDES[0] * scale))


def _without_hair(colour: Floats, sides: Mask, head: Mask, skin: Array) -> Mask:
    """``sides`` (h, w) less long hair that hangs beside the trunk: what is coloured as most of the ``head`` (h, w).

    ``skin`` (3,) 0-255 is no hair.
    """
    hair = head & ~skin_like(colour, skin, head)
    if np.count_nonzero(hair) < SIDE_PIXELS_MIN:
        return sides
    hanging = skin_like(colour, np.median(colour[hair], axis=0).astype(np.float64), sides)
    return sides if np.count_nonzero(hanging) > HAIR_MAX * np.count_nonzero(sides) else sides & ~hanging
