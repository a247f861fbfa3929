"""The pixels of a picture that are head, hair or neck, and never a limb."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Alpha, Mask, MaskImage
from bodydouble.perception.landmark_indices import BodyPoint, FacePoint
from bodydouble.perception.trunk import HIPS
from bodydouble.renderers.puppet.motion.head import MESH_POINTS
from bodydouble.renderers.puppet.painting import hull_mask
from bodydouble.renderers.puppet.picture.anatomy import Anatomy

Array = NDArray[np.float64]

OPAQUE_MIN = 0.25
"""Alpha (0-1) from which pixels are connected with each other."""
LEAN_MAX = 0.5
"""Radians by which the neck of a standing trunk leans to its side at most: chins of snouts, and those of large heads
that lie on the shoulders, lean farther. Chosen by eye on drawn animals."""
NECK_HALF_WIDTH = 0.38
"""Face widths from the neck's axis to its side: a neck is about three quarters as wide as a face."""
FREE_OF_SHOULDERS = 0.45
"""Share of the way from the shoulders' landmarks up to the chin from which on no relaxed shoulder is seen any more."""
FACE_CORE = 0.3
"""Face widths about the middle of a face that are surely face."""
ARM_HALF_WIDTH = 0.2
"""Half width of a raised arm in anatomy units (shoulder widths): an upper arm with its sleeve."""
HAND_THINNER = 3
"""A raised arm's thickness over that of its hand's outline, for fingers. Chosen by eye on the development clips."""
ARMS = (
    (BodyPoint.LEFT_SHOULDER, BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST),
    (BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST),
)


def face_only(anatomy: Anatomy, shape: tuple[int, ...]) -> Mask:
    """(h, w) the hull of the face mesh; empty where no face is seen."""
    if anatomy.face is None:
        return np.zeros(shape[:2], bool)
    return hull_mask(anatomy.face[:MESH_POINTS, :2], shape) > 0


def face_and_neck(anatomy: Anatomy, shape: tuple[int, ...]) -> Mask:
    """The face and the neck below it: never part of an arm."""
    zone = np.zeros(shape[:2], np.uint8)
    if anatomy.face is not None:
        cv2.fillConvexPoly(zone, cv2.convexHull(np.round(anatomy.face[:MESH_POINTS, :2]).astype(np.int32)), 1)
        chin = anatomy.face[FacePoint.CHIN, :2]
        thick = max(2, int(0.5 * anatomy.head.width))
        cv2.line(zone, np.round(chin).astype(int).tolist(), np.round(anatomy.shoulders).astype(int).tolist(), 1, thick)
    return zone > 0


def head_region(anatomy: Anatomy, alpha: Alpha) -> MaskImage:
    """(h, w) 0 or 1: what is connected with the face above the shoulders, and the neck; without raised arms."""
    height, width = alpha.shape
    head = anatomy.head
    chin = anatomy.chin
    length = max(float(np.hypot(*(chin - anatomy.shoulders))), 1.0)
    up = _up_the_neck(anatomy)
    xs, ys = np.arange(width) - anatomy.shoulders[0], np.arange(height)[:, None] - anatomy.shoulders[1]
    above = xs * up[0] + ys * up[1]
    beside = np.abs(xs * -up[1] + ys * up[0])
    zone = (above > FREE_OF_SHOULDERS * length) | ((above > 0) & (beside < NECK_HALF_WIDTH * head.width))
    candidate = (zone & (alpha > OPAQUE_MIN)).astype(np.uint8)
    candidate[_raised_arms(anatomy, alpha.shape) > 0] = 0
    x, y = np.clip(np.round(head.centre), 0, [width - 1, height - 1]).astype(int)
    cv2.circle(
        candidate, (int(x), int(y)), max(1, int(FACE_CORE * head.width)), 1, -1
    )  # a hand before the face parts nothing
    _, labels = cv2.connectedComponents(candidate)
    return (labels == labels[y, x]).astype(np.uint8)


def _up_the_neck(anatomy: Anatomy) -> Array:
    """(2,) of length 1: the direction from the shoulders to the chin, or the trunk's where a low chin tells nothing."""
    neck, trunk = anatomy.chin - anatomy.shoulders, anatomy.shoulders - anatomy.body[HIPS, :2].mean(0)
    lean, upright = (float(np.arctan2(way[0], -way[1])) for way in (neck, trunk))
    if neck[1] >= 0:
        lean = 0.0
    elif abs(upright) < LEAN_MAX:
        lean = float(np.clip(lean, upright - LEAN_MAX, upright + LEAN_MAX))
    return np.array([np.sin(lean), -np.cos(lean)])


def _raised_arms(anatomy: Anatomy, shape: tuple[int, ...]) -> MaskImage:
    """(h, w) 0 or 1: arms whose elbow or wrist is above the shoulders, with their hands."""
    mask = np.zeros(shape[:2], np.uint8)
    points = anatomy.body[:, :2]
    thick = max(1, round(2 * ARM_HALF_WIDTH * anatomy.unit))
    for side, joints in enumerate(ARMS):
        if points[list(joints[1:]), 1].min() > anatomy.shoulders[1]:
            continue
        cv2.polylines(mask, [np.round(points[list(joints)]).astype(np.int32)], False, 1, thick)
        hand = anatomy.hands[side]
        if np.isfinite(hand).all():
            hull = cv2.convexHull(np.round(hand).astype(np.int32))
            cv2.fillConvexPoly(mask, hull, 1)
            cv2.polylines(mask, [hull], True, 1, max(1, thick // HAND_THINNER))
    return mask
