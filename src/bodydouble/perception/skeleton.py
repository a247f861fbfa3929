"""The skeleton picture, drawn as Wan-Animate saw it when it was trained.

Source of every number here: ``human_visualization.py`` of Wan-Video/Wan2.2, ``draw_aapose_new`` with stick width
"v2": OpenPose's 18 body points and a toe a foot, limbs as ellipses at 0.6 of the limb's colour, points as discs over
them, then the hands' bones as lines; no face points.
"""

import colorsys
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.perception.landmark_indices import CocoPoint, WholeBodyPoint
from bodydouble.perception.whole_body import LEFT_HAND, RIGHT_HAND, WholeBody

CONFIDENCE_MIN = 0.5
"""Confidence (0-1) from which a point is drawn."""
LIMB_BRIGHTNESS = 0.6
"""Brightness (0-1) of a drawn limb, as a factor of its colour."""
STICK_DIVISOR = 200
"""The picture's shorter side over the stick width (upstream's "v2")."""

# OpenPose's points, each the mean of two points of COCO-WholeBody: the neck lies between the shoulders, a toe between
# the big and the small one.
JOINTS = (
    (CocoPoint.NOSE, CocoPoint.NOSE),
    (CocoPoint.LEFT_SHOULDER, CocoPoint.RIGHT_SHOULDER),
    (CocoPoint.RIGHT_SHOULDER, CocoPoint.RIGHT_SHOULDER),
    (CocoPoint.RIGHT_ELBOW, CocoPoint.RIGHT_ELBOW),
    (CocoPoint.RIGHT_WRIST, CocoPoint.RIGHT_WRIST),
    (CocoPoint.LEFT_SHOULDER, CocoPoint.LEFT_SHOULDER),
    (CocoPoint.LEFT_ELBOW, CocoPoint.LEFT_ELBOW),
    (CocoPoint.LEFT_WRIST, CocoPoint.LEFT_WRIST),
    (CocoPoint.RIGHT_HIP, CocoPoint.RIGHT_HIP),
    (CocoPoint.RIGHT_KNEE, CocoPoint.RIGHT_KNEE),
    (CocoPoint.RIGHT_ANKLE, CocoPoint.RIGHT_ANKLE),
    (CocoPoint.LEFT_HIP, CocoPoint.LEFT_HIP),
    (CocoPoint.LEFT_KNEE, CocoPoint.LEFT_KNEE),
    (CocoPoint.LEFT_ANKLE, CocoPoint.LEFT_ANKLE),
    (CocoPoint.RIGHT_EYE, CocoPoint.RIGHT_EYE),
    (CocoPoint.LEFT_EYE, CocoPoint.LEFT_EYE),
    (CocoPoint.RIGHT_EAR, CocoPoint.RIGHT_EAR),
    (CocoPoint.LEFT_EAR, CocoPoint.LEFT_EAR),
    (WholeBodyPoint.LEFT_BIG_TOE, WholeBodyPoint.LEFT_SMALL_TOE),
    (WholeBodyPoint.RIGHT_BIG_TOE, WholeBodyPoint.RIGHT_SMALL_TOE),
)
# Pairs of rows of ``JOINTS``.
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17), (13, 18), (10, 19),
)  # fmt: skip
# RGB; limb k and joint k share colour k, although they have nothing to do with each other.
COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255),
    (255, 0, 170), (255, 0, 85), (200, 200, 0), (100, 100, 0),
)  # fmt: skip
BONES = tuple((0 if k % 4 == 0 else k, k + 1) for k in range(20))  # of a hand: five fingers of four
BONE_COLOURS = tuple(tuple(255 * c for c in colorsys.hsv_to_rgb(k / len(BONES), 1, 1)) for k in range(len(BONES)))
KNUCKLE_COLOUR = (0, 0, 255)
REACH_MAX = 20_000
"""Pixels from the origin; beyond them OpenCV's fixed-point coordinates overflow."""


def stick_width(width: int, height: int) -> int:
    """Half the width of a limb and the radius of a joint, in pixels."""
    return max(int(min(width, height) / STICK_DIVISOR) - 1, 1)


def draw_skeleton(body: WholeBody, width: int, height: int) -> Image:
    """(height, width, 3) RGB uint8, black where nothing is; ``body`` is in pixels of that picture."""
    canvas = np.zeros((height, width, 3), np.uint8)
    stick = stick_width(width, height)
    points = np.clip(body.points, -REACH_MAX, REACH_MAX)
    first, second = np.array(JOINTS).T
    joints = (points[first] + points[second]) / 2
    sure = (body.confidence[first] + body.confidence[second]) / 2 >= CONFIDENCE_MIN
    for (a, b), colour in zip(LIMBS, COLOURS, strict=False):
        if sure[a] and sure[b]:
            _draw_limb(canvas, joints[a], joints[b], stick, colour)
    for joint, known, colour in zip(joints, sure, COLOURS, strict=True):
        if known:
            cv2.circle(canvas, (int(joint[0]), int(joint[1])), stick, colour, thickness=-1)
    for hand in (LEFT_HAND, RIGHT_HAND):
        _draw_hand(canvas, points[hand], body.confidence[hand] >= CONFIDENCE_MIN, max(stick // 2, 1))
    return canvas


def _draw_limb(
    canvas: Image, a: NDArray[np.float64], b: NDArray[np.float64], stick: int, colour: tuple[int, int, int]
) -> None:
    middle, along = (a + b) / 2, a - b
    half, angle = int(np.hypot(*along) / 2), int(math.degrees(math.atan2(along[1], along[0])))
    outline = cv2.ellipse2Poly((int(middle[0]), int(middle[1])), (half, stick), angle, 0, 360, 1)
    cv2.fillConvexPoly(canvas, np.asarray(outline, np.int32), [int(c * LIMB_BRIGHTNESS) for c in colour])


def _draw_hand(canvas: Image, points: NDArray[np.float64], sure: NDArray[np.bool_], stick: int) -> None:
    """Points in the frame's first row or column count as unknown, as upstream's do."""
    whole = points.astype(int)
    known = sure & (whole > 0).all(1)
    for (a, b), colour in zip(BONES, BONE_COLOURS, strict=True):
        if known[a] and known[b]:
            cv2.line(canvas, whole[a].tolist(), whole[b].tolist(), colour, thickness=stick)
    for point in whole[known]:
        cv2.circle(canvas, point.tolist(), stick, KNUCKLE_COLOUR, thickness=-1)
