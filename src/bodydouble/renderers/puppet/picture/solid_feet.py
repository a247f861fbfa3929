"""Feet of a picture, whole: mattes mix pale shoes with a pale floor, and shoes with their shadows."""

from dataclasses import replace

import cv2
import numpy as np

from bodydouble.perception.arrays import Floats, Image, Mask
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import LEGS, SIDES
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.regions import closed, softened, touching

REACH = 0.65
"""Decimetres about the line from heel to ankle and toe that may be a foot's. Chosen by eye on whole bodies."""
GAP = 0.22
"""Decimetres: gaps in a foot up to this width are filled: a pale toe before a pale floor. By eye, like the rim."""
FOOT, CORE, RIM_SIGMA = 0.5, 0.9, 0.8
"""Alpha from which on a pixel is a foot's, and from which its colour is the picture's; pixels over which its rim is
soft."""
PAD = 16
"""Pixels of nothing about a foot, so that closing does not take its box's border for something."""
SEEN_MIN = 0.3
"""Visibility from which on a landmark of a foot is believed."""
MISSING_MAX = 0.5
"""Share of what is shown of a foot up to which more may be filled: else the matte or the landmarks are wrong."""


def with_solid_feet(cutout: Cutout, image: Image, anatomy: Anatomy, fit: BodyFit) -> Cutout:
    """``cutout`` with feet of ``image`` (h, w, 3) that are opaque, and without the shadows beside them.

    Feet that are not seen stay as they are.
    """
    alpha, colour = cutout.alpha.copy(), cutout.colour.copy()
    changed = False
    for side in SIDES:
        chain = LEGS[side]
        joints = [chain.joints[2], *chain.extremity]
        if f"leg_{side}" in fit.joints.made_up or anatomy.visibility[joints].min() < SEEN_MIN:
            continue
        ankle, heel, toe = fit.joints.points[joints, :2]
        low, high = (f([ankle, heel, toe], axis=0) for f in (np.min, np.max))
        x0, y0 = np.floor(np.maximum(low - 2 * REACH * fit.scale, 0)).astype(int).tolist()
        x1, y1 = np.ceil(high + 2 * REACH * fit.scale).astype(int).tolist()
        here = np.s_[y0:y1, x0:x1]
        if alpha[here].size == 0 or high[1] >= len(alpha):
            continue  # the lower edge cuts it off
        own, other = (_from_foot(fit, name, (x0, y0), alpha[here].shape) for name in (side, "lr".replace(side, "")))
        below = np.arange(y0, y0 + len(own))[:, None] >= ankle[1]  # what is above is a leg's
        near = (own < 2 * REACH * fit.scale) & (own <= other) & below  # closed as one, feet would have floor between
        zone = near & (own < REACH * fit.scale)
        made = _solid(alpha[here], zone, GAP * fit.scale)
        if made is not None:
            alpha[here][near & ~zone & (alpha[here] < FOOT)] = 0
            inside = zone & (made > np.maximum(alpha[here], CORE))  # a rim's colour is half the floor's
            colour[here][inside] = image[here][inside]
            alpha[here] = np.where(zone, made, alpha[here])
            changed = True
    return replace(cutout, alpha=alpha, colour=colour) if changed else cutout


def _from_foot(fit: BodyFit, side: str, corner: tuple[int, int], shape: tuple[int, ...]) -> Floats:
    """(h, w) px from the line through heel, ankle and toe of ``side``, in a picture's part at ``corner`` (x, y)."""
    heel, toe = LEGS[side].extremity
    line = fit.joints.points[[heel, LEGS[side].joints[2], toe], :2] - corner
    drawn = np.ones(shape[:2], np.uint8)
    cv2.polylines(drawn, [np.round(line).astype(np.int32)], False, 0, 1)
    if drawn.all():
        return np.full(shape[:2], np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(drawn, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _solid(alpha: Floats, zone: Mask, gap: float) -> Floats | None:
    """(h, w) the ``alpha`` of a foot in its ``zone`` (h, w), solid; None where that would be another shape.

    What is no wider than two ``gap`` (px) is filled.
    """
    shown = alpha > FOOT
    above = shown & ~zone
    foot = touching(closed(np.pad(shown & zone, PAD), gap)[PAD:-PAD, PAD:-PAD] & zone, above)
    more = np.count_nonzero(foot & ~shown)
    if not foot.any() or more > MISSING_MAX * np.count_nonzero(shown & zone):
        return None
    return softened(foot | above, RIM_SIGMA)
