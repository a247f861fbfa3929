"""What lies under elbows and knees: a limb that folds otherwise than in its picture would gape there."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Mask
from bodydouble.perception.body_template import BONES
from bodydouble.renderers.puppet.body.surface import Surface

Array = NDArray[np.float64]

JOINT_ALPHA, JOINT_SHARE = 200, 0.8
"""Alpha (0-255) from which a limb is whole, and the patch's width over the limb's where that is thinner."""
BESIDE, BESIDE_SHARE = 1.4, 0.45
"""Decimetres from the joint at which the limb is measured, and the share of a bone's length that this is at most:
nearer, its mesh bends. Chosen by eye on the development clips."""
ARM_HALF_MAX, LEG_HALF_MAX = 0.6, 1.0
"""Decimetres on either side of a limb's middle from which on that is no single limb: a forearm over an upper arm.
Chosen by eye on the development clips."""
PUFFED = 1.35
"""Factor on that limit for one of both sides of a joint: a puffed sleeve is wide on one, a folded arm on both."""
LENGTH_MIN = 1.0
"""Pixels: keeps directions of vanishing bones finite."""


@dataclass(frozen=True, kw_only=True)
class JointPatch:
    """What is under an elbow or knee: a bent strip along the limb's middle, in its colour."""

    points: Array  # (4, 3) px in the picture: the upper bone's place and where its line ends at the joint; the lower's
    weights: Array  # (4, len(BONES)) which bone moves each
    radius: float  # px in the picture: half of the strip's width
    reach: float  # px in the picture: half of the limb's width, the radius of its outer side where it bends
    colour: Bytes  # (4,) premultiplied
    in_front: bool  # under the limb's visible part too


def joint_patch(
    rgba: Bytes, front: Bytes | None, joints: Array, bones: tuple[str, str], surface: Surface, scale: float
) -> JointPatch | None:
    """What is under the middle one of three ``joints`` (3, 2) px of a limb's ``rgba`` (h, w, 4) on a ``surface``.

    ``front`` is the visible part, ``bones`` are those between the joints, ``scale`` is px for a decimetre. None where
    the limb is not whole on both sides of the joint.
    """
    whole = rgba[..., 3] > JOINT_ALPHA
    half_max = scale * (ARM_HALF_MAX if bones[0].startswith("upperarm") else LEG_HALF_MAX)
    halves = [_middle_and_half(whole, joints[1], joints[k], scale, PUFFED * half_max) for k in (0, 2)]
    if halves[0] is None or halves[1] is None or min(halves[0][1], halves[1][1]) > half_max:
        return None
    points = np.concatenate([halves[0][0], halves[1][0]])
    radius = JOINT_SHARE * min(halves[0][1], halves[1][1])
    weights = np.zeros((4, len(BONES)))
    weights[:2, BONES.index(bones[0])] = weights[2:, BONES.index(bones[1])] = 1
    strip = np.zeros(whole.shape, np.uint8)
    bend = (points[1] + points[3]) / 2
    cv2.polylines(strip, [np.round([points[0], bend, points[2]]).astype(np.int32)], False, 1, max(1, round(radius)))
    under = whole & (strip > 0)
    if not under.any():
        return None
    return JointPatch(
        points=np.c_[points, surface.at(points)[1]],
        weights=weights,
        radius=radius,
        reach=(halves[0][1] + halves[1][1]) / 2,
        colour=np.asarray(np.median(rgba[under], axis=0).round(), np.uint8),
        in_front=front is None or all(_opaque_at(front[..., 3] > JOINT_ALPHA, points[k]) for k in (0, 2)),
    )


def _middle_and_half(
    whole: Mask, joint: Array, end: Array, scale: float, half_max: float
) -> tuple[Array, float] | None:
    """(2, 2) the limb's middle beside ``joint`` towards ``end``, and that line's place at the joint; half its width.

    None where the limb is not ``whole`` (h, w) there, or half of it is wider than ``half_max`` px.
    """
    along = end - joint
    length = max(float(np.hypot(*along)), LENGTH_MIN)
    place = joint + along / length * min(BESIDE * scale, BESIDE_SHARE * length)
    normal = np.array([-along[1], along[0]]) / length
    reach = int(2 * half_max) + 1
    steps = np.arange(-reach, reach + 1)
    inside = np.array([_opaque_at(whole, place + step * normal) for step in steps])
    middle = int(np.argmin(np.where(inside, np.abs(steps), len(steps))))
    if not inside[middle]:
        return None
    gaps = np.flatnonzero(~inside)
    low = int(gaps[gaps < middle].max(initial=-1)) + 1
    high = int(gaps[gaps > middle].min(initial=len(steps))) - 1
    aside, half = (steps[low] + steps[high]) / 2 * normal, (high - low + 1) / 2
    return (np.stack([place + aside, joint + aside]), half) if half <= half_max else None


def _opaque_at(whole: Mask, point: Array) -> bool:
    x, y = np.round(point).astype(int)
    return bool(0 <= y < whole.shape[0] and 0 <= x < whole.shape[1] and whole[y, x])
