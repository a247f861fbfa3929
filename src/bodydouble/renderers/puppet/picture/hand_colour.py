"""Which hands the picture shows, and what colour they have: skin as the face's, or gloves and armour."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS, SIDES, Joints
from bodydouble.renderers.puppet.body.surface import both_limbs
from bodydouble.renderers.puppet.compositing.light import exact_lab, lab_of
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.layer import Layer

Array = NDArray[np.float64]

VISIBLE_MIN = 0.8
"""Visibility of wrist and knuckles from which a hand beside the body is seen; the hand network knows no gauntlets.
Measured: 0.82 to 0.99 of gloved hands and gauntlets, up to 0.84 of hands behind the back or in sleeves."""
ARM_SHARE = 0.3
"""Weight of an arm's bones above which a triangle of the body model is the arm's."""
HAND_MIN, SOLID_MIN, PIXELS_MIN = 200, 230, 40
"""Share of the hand and alpha (0-255) from which a pixel of an arm's layer tells its hand's colour, and how many have
to."""
HUE_NEAR, LIGHTNESS_NEAR = 16.0, 30.0
"""Distance from the face's skin in CIELAB's a and b, and in L*, within which a pixel of a hand is skin."""
SHADE_MAX = 5.0
"""L* by which the skin of hands differs from the face's at most."""
GLOVED_MAX = 0.15
"""Share of such pixels up to which hands are no skin, of all and of their ends alone. Measured: 0.06 of black gloves,
0.24 to 1 of bare hands, of which sleeves hide some; 0.1 of hands in flared sleeves, and 0.4 of these hands' ends."""
AREA_MIN = 0.6
"""Area of a hand over its squared length from which it tells its colour. Measured: 0.9 to 3.6 of hands, 0.2 of a piece
of a sleeve before a raised hand."""
FINGERTIPS = 0.2
"""Share of a hand's pixels that are its outer end."""


def hands_in_sight(anatomy: Anatomy, solid: Mask, fit: BodyFit, template: BodyTemplate) -> tuple[bool, bool]:
    """Whether the subject's left and right hand are seen: by the hand network, or beside trunk and legs.

    ``solid`` (h, w): the opaque pixels of the person.
    """
    arms = both_limbs(template, "arm", ARM_SHARE)
    body: Mask | None = None
    result: list[bool] = []
    for k, arm in enumerate(ARMS.values()):
        found = bool(np.isfinite(anatomy.hands[k]).all())
        points = [arm.joints[2], *arm.extremity]
        if not found and anatomy.visibility[points].min() >= VISIBLE_MIN:
            if body is None:
                body = fit.labels(template.triangles[~arms], solid.shape[:2]) > 0
            places = np.round(anatomy.body[points[1:], :2]).astype(int)
            x, y = np.clip(places, 0, [solid.shape[1] - 1, solid.shape[0] - 1]).T
            found = bool((solid[y, x] & ~body[y, x]).all())
        result.append(found)
    return result[0], result[1]


def hand_colours(layers: Mapping[str, Layer], seen: tuple[bool, bool], skin: Array, joints: Joints) -> Array:
    """(2, 3) 0-255 RGB of the left and the right hand: that of those that are ``seen``, else the face's ``skin`` (3,).

    Bare hands have the skin that they show, so that they go on from their forearms; a hidden one has the other's.
    Gloves cover fingertips. A wide sleeve that falls over a hand does not: its outer end, as ``joints`` of the layers
    tell it, decides with the rest.
    """
    parts = [np.zeros((0, 3), np.uint8)] * len(SIDES)
    ends = [np.zeros(0, np.bool_)] * len(SIDES)
    for k, (side, shown) in enumerate(zip(SIDES, seen, strict=True)):
        layer = layers.get(f"arm_{side}")
        if not shown or layer is None or layer.hand is None:
            continue
        rows, columns = np.nonzero((layer.hand > HAND_MIN) & (layer.rgba[..., 3] > SOLID_MIN))
        wrist, tip = joints.points[ARMS[side].joints[2], :2], joints.points[list(ARMS[side].tip), :2].mean(0)
        if len(rows) < max(AREA_MIN * float(((tip - wrist) ** 2).sum()), 1):
            continue
        along = np.stack([columns, rows], 1) @ (tip - wrist)
        parts[k] = layer.rgba[rows, columns, :3]
        ends[k] = along >= np.percentile(along, 100 * (1 - FINGERTIPS))
    pixels = np.concatenate(parts)
    if len(pixels) < PIXELS_MIN:
        return np.stack([skin, skin])
    lab = lab_of(pixels[None])[0]
    own = exact_lab(skin)
    near = np.hypot(lab[:, 1] - own[1], lab[:, 2] - own[2]) < HUE_NEAR
    near &= np.abs(lab[:, 0] - own[0]) < LIGHTNESS_NEAR
    gloved = max(near.mean(), near[np.concatenate(ends)].mean()) < GLOVED_MAX
    if gloved:
        return np.tile(np.median(pixels, axis=0).astype(np.float64), (2, 1))
    left = np.arange(len(pixels)) < len(parts[0])
    either = _skin_of_hands(lab[near], own) if np.count_nonzero(near) >= PIXELS_MIN else skin
    return np.stack(
        [
            _skin_of_hands(lab[chosen], own) if np.count_nonzero(chosen) >= PIXELS_MIN else either
            for chosen in (near & left, near & ~left)
        ]
    )


def _skin_of_hands(lab: Floats, face: Floats) -> Array:
    """(3,) 0-255 RGB of hands with pixels ``lab`` (N, 3) CIELAB; ``face`` (3,) is the face's.

    Hands in the shade of a body are not darker than the face elsewhere.
    """
    own = np.median(lab, axis=0)
    own[0] = np.clip(own[0], face[0] - SHADE_MAX, face[0] + SHADE_MAX)
    rgb = cv2.cvtColor(own.astype(np.float32)[None, None], cv2.COLOR_Lab2RGB)[0, 0]
    return np.asarray(np.clip(rgb, 0, 1) * 255, np.float64)
