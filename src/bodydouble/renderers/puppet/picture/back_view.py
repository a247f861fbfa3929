"""The character seen from behind: what the picture's front tells of the back."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.trunk import HIPS, SHOULDERS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.picture.cloth import with_texture
from bodydouble.renderers.puppet.picture.extension import skin_like, usual_cloth
from bodydouble.renderers.puppet.picture.regions import distance_to, filled, widened

Array = NDArray[np.float64]

ABOVE_SHOULDERS = 0.4
"""Decimetres above the shoulders' joints up to which a collar reaches."""
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

HEAD_REACH, FACE_MARGIN = 0.35, 0.06
"""Heights of the face around it in which hair is looked for, and by which its rim is left out."""
HAIR_ROWS = 0.7
"""Share of the face's height below which neck and beard are beside it rather than hair."""
SKIN_DARKER = 15.0
"""L* below the face's from which what has its hue is hair: brown and blond hair have the hue of skin."""
BALD_MAX = 0.15
"""Share of what is around a face that is no skin, up to which it is a rim and the head bald."""
NAPE, NAPE_SIGMA = 0.75, 0.04
"""Heights of the face from its top down to where short hair ends, and over which it thins out there."""
NECK_SHADE = 0.85
"""Light of a nape over the face's: it lies below the hair."""
HANGING_MIN = 0.5
"""Share of the rows beside the lower face that show hair at both sides, from which on it covers the neck."""


def back_of_head(colour: Floats, solid: Mask, face: Mask, skin: Array, scale: float) -> Floats:
    """``colour`` (h, w, 3) 0-255 with hair over face, ears and forehead, and a neck below short hair.

    ``solid`` (h, w) is the person, ``face`` (h, w) not empty, ``skin`` (3,) the face's colour, ``scale`` the px of a
    decimetre. Bald heads get the skin around the face.
    """
    rows = np.flatnonzero(face.any(1))
    top, height = int(rows.min()), int(np.ptp(rows)) + 1
    inner = widened(face, FACE_MARGIN * height)
    around = widened(face, HEAD_REACH * height) & solid & ~inner
    beside = around.copy()
    around[int(top + HAIR_ROWS * height) :] = False
    if not around.any():
        return colour
    hair = around & ~skin_like(colour, skin, around, SKIN_DARKER)
    if np.count_nonzero(hair) < BALD_MAX * np.count_nonzero(around):
        return filled(colour, around, inner)
    hair = usual_cloth(colour, hair, RARE)
    tone = np.median(colour[hair], axis=0).astype(np.float64)
    nape = int(top + NAPE * height)
    covered = inner | (around & ~_nearer(colour, tone, skin, around))
    result = with_texture(filled(colour, hair, covered), covered, hair, scale)
    if _hangs(_nearer(colour, tone, skin, beside), nape, top + height):
        return result
    ends = np.zeros(face.shape, np.float32)
    ends[nape:] = inner[nape:]
    ends = cv2.GaussianBlur(ends, (0, 0), NAPE_SIGMA * height)[..., None] * inner[..., None]
    return np.asarray(result + (np.float32(NECK_SHADE) * skin.astype(np.float32) - result) * ends, np.float32)


def _nearer(colour: Floats, tone: Array, other: Array, where: Mask) -> Mask:
    """(h, w) what of ``where`` is nearer to the RGB colour ``tone`` (3,) than to the ``other`` one."""
    result = np.zeros(where.shape, np.bool_)
    apart = [np.linalg.norm(colour[where] - np.float32(mean), axis=1) for mean in (tone, other)]
    result[where] = apart[0] < apart[1]
    return result


def _hangs(hair: Mask, start: int, stop: int) -> bool:
    """Whether ``hair`` (h, w) is at both sides in most rows from ``start`` to ``stop``."""
    centre = float(np.flatnonzero(hair.any(0)).mean()) if hair.any() else 0.0
    both = hair[start:stop, : int(centre)].any(1) & hair[start:stop, int(centre) :].any(1)
    return bool(np.mean(both) > HANGING_MIN) if stop > start else False


def closed_back(colour: Floats, opacity: Floats, fit: BodyFit, skin: Array) -> Floats:
    """``colour`` (h, w, 3) 0-255 with the trunk's middle as its sides: no open jacket, bow, print or neckline.

    ``opacity`` (h, w) 0-1 is the trunk's layer, ``skin`` (3,) the face's colour, which is no cloth; nor is hair.
    """
    joints, scale = fit.joints.points, fit.scale
    top = int(joints[SHOULDERS, 1].min() - ABOVE_SHOULDERS * scale)
    bottom = int(joints[HIPS, 1].max())
    rows = np.arange(len(opacity))[:, None]
    trunk = (opacity > 0.5) & (rows >= top) & (rows <= bottom)
    inside = distance_to(opacity <= 0.5)
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
