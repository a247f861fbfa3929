"""Lips of a picture with an open mouth, for a mouth that shuts.

The mesh presses what is between the lips together. Landmarks are a few pixels off, and what is left of teeth then shows
as a white line. An open mouth needs none of it: its inside is the actor's.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Image, Mask, Points
from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.renderers.puppet.motion.actor_lips import COLUMNS
from bodydouble.renderers.puppet.motion.expression import INNER_LIPS, MOUTH_CORNERS
from bodydouble.renderers.puppet.motion.head import Head
from bodydouble.renderers.puppet.painting import SUBPIXEL_BITS, fixed_point, hull_mask
from bodydouble.renderers.puppet.picture.regions import filled, softened, touching, widened

Array = NDArray[np.float64]

OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
"""Face mesh points around the lips, from the corner at image left along the lower lip and back."""
LIP_CORNERS = (0, 10)
"""Places of the mouth's corners in the lists of lips' points."""
UPPER_EDGE, LOWER_EDGE = 0, 17
"""Points of the lips' outer edges in the middle."""
OPEN_MIN = 0.04
"""Gap between the lips, over the mouth's width, from which a mouth is open. Chosen by eye, as what follows."""
GAP_MAX = 4.0
"""Gap over the thinner lip's height from which a smile has drawn the lips so thin that they cannot cover the mouth: it
keeps its teeth. Measured: 1.1 to 1.5 in pictures of people who speak or smile a little, 3.2 in a grin, whose lips still
do, 4.4 and 4.7 in drawn smiles, which would be grey slabs."""
UNSURE = 0.35
"""Share of the thinner lip's height by which landmarks of its edge are off."""
MISSED_MAX = 0.8
"""Share of the thinner lip's height by which teeth may lie beside the landmarks: of two rows they see one."""
TEETH_LIGHTER, TEETH_PALER = 6.0, 0.15
"""L* by which teeth are lighter than lips, and share of the lips' a by which theirs is smaller, at least. Measured: 10
to 30 and .2 to .8."""
SEAM_SHADE, SEAM_SIGMA = 0.45, 0.8
"""Brightness of the line in which lips meet over theirs, and standard deviation of its edge in pixels."""
SPREAD = (1, 1)
"""The lips' colours go on into the mouth at full size: it is small."""
APART = 0.004
"""Face widths between two points of the lips that lie below each other, at least."""
LIP_COLUMNS = COLUMNS[1:-1]
"""The lips without their corners."""
ROOM, LIPS_PIXELS_MIN = 4, 30
"""Pixels around the lips that are looked at, and pixels of lips without which their colour is not known."""


def lip_colour(image: Image, face: Points) -> Array | None:
    """(3,) median colour, 0-255, of the lips in ``image`` (h, w, 3 or 4), in which the face mesh lies at ``face``.

    ``face`` (478, 2) px. The colour is taken halfway between the lips' inner and outer edges; None where the picture's
    edge cuts off most of them.
    """
    middle = (face[list(OUTER_LIPS)] + face[list(INNER_LIPS)]) / 2
    at = np.round(np.delete(middle, LIP_CORNERS, axis=0)).astype(int)
    within = ((at >= 0) & (at < [image.shape[1], image.shape[0]])).all(1)
    if 2 * np.count_nonzero(within) < len(at):
        return None
    return np.median(image[at[within, 1], at[within, 0], :3], axis=0).astype(np.float64)


def with_ordered_lips(face: Array, head: Head) -> Array:
    """``face`` (478, 3) px with the points of its lips below each other, as lips are.

    Of shut lips the landmarks of the lower one may lie above those of the upper one. Triangles between them would join
    both lips, and as soon as these move the seam would have teeth like a saw.
    """
    down = head.rotation[:, 1]
    heights = face[LIP_COLUMNS] @ down
    least, inner = APART * head.width, heights.shape[1] // 2
    ordered = heights.copy()
    seam = heights[:, inner - 1 : inner + 1].mean(1)
    above, below = seam + least / 2, seam - least / 2
    for upper, lower in zip(range(inner - 1, -1, -1), range(inner, 2 * inner), strict=True):
        above = ordered[:, upper] = np.minimum(heights[:, upper], above - least)
        below = ordered[:, lower] = np.maximum(heights[:, lower], below + least)
    result = face.copy()
    result[LIP_COLUMNS] += (ordered - heights)[..., None] * down
    return result


def with_lips_alone(rgba: Bytes, face: Array) -> Bytes:
    """``rgba`` (h, w, 4) with lips instead of what an open mouth shows; the face mesh lies at ``face`` (478, 2) in it.

    Between the inner lips they are dark. A shut mouth and a wide smile are returned as they are.
    """
    upper, lower = face[FacePoint.UPPER_LIP_INNER], face[FacePoint.LOWER_LIP_INNER]
    wide = float(np.hypot(*(face[MOUTH_CORNERS[1]] - face[MOUTH_CORNERS[0]])))
    gap = float(np.hypot(*(lower - upper)))
    thin = min(float(np.hypot(*(face[UPPER_EDGE] - upper))), float(np.hypot(*(face[LOWER_EDGE] - lower))))
    if gap < OPEN_MIN * wide or gap > GAP_MAX * thin:
        return rgba
    low = np.maximum(np.floor(face[list(OUTER_LIPS)].min(0)).astype(int) - ROOM, 0)
    high = np.ceil(face[list(OUTER_LIPS)].max(0)).astype(int) + ROOM
    here = np.s_[low[1] : high[1], low[0] : high[0]]
    part = rgba[here]
    if min(part.shape[:2]) < 2 * ROOM:
        return rgba
    mouth = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(mouth, [fixed_point(face[list(INNER_LIPS)] - low)], 1, cv2.LINE_8, SUBPIXEL_BITS)
    inside = mouth > 0
    taken = widened(inside, max(UNSURE * thin, 1.0))
    around = hull_mask(face[list(OUTER_LIPS)] - low, part.shape) > 0
    if np.any(around & ~taken):
        missed = around & _unlike(part, around & ~taken) & widened(inside, MISSED_MAX * thin)
        taken |= widened(touching(missed, taken) & ~taken, 1.0)
    lips = around & ~taken
    if np.count_nonzero(lips) < LIPS_PIXELS_MIN:
        return rgba
    colour = filled(part[..., :3].astype(np.float32), lips, taken, SPREAD)
    colour *= 1 - (1 - SEAM_SHADE) * softened(inside, SEAM_SIGMA)[..., None]
    result = rgba.copy()
    share = softened(taken, SEAM_SIGMA)[..., None]
    result[here][..., :3] = np.clip(part[..., :3] * (1 - share) + colour * share + 0.5, 0, 255).astype(np.uint8)
    return result


def _unlike(part: Bytes, lips: Mask) -> Mask:
    """(h, w) what of ``part`` (h, w, 4) is lighter and less red than most of the ``lips`` (h, w), as teeth are."""
    lab = cv2.cvtColor(part[..., :3].astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    usual = np.median(lab[lips], axis=0)
    lighter, paler = lab[..., 0] - usual[0], usual[1] - lab[..., 1]
    return np.asarray((lighter > TEETH_LIGHTER) & (paler > TEETH_PALER * usual[1]), np.bool_)
