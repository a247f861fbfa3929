"""The outline of bent elbows and knees, in the picture and in frames."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, PixelBox
from bodydouble.renderers.puppet.painting import LINE_END_MAX, SUBPIXEL_BITS, fixed_point

Array = NDArray[np.float64]

EDGE_MIN = 1e-6
"""Pixels: keeps lengths that are divided by from 0."""
PARALLEL = 0.1
"""Weight of the middle between two lines' ends, over that of the lines, where they meet: parallel ones do not."""
CORNER_REACH, CORNER_SOFT, CORNER_MIN = 1.5, 0.8, 1.0
"""Half widths of a limb beyond its joint in which what is outside the bend is removed; the standard deviation in pixels
of the round edge; and the pixels by which a square corner exceeds a round one at least."""


def strip_bend(upper: Array, upper_end: Array, lower: Array, lower_end: Array) -> Array:
    """(2,) where the strip under a joint bends; the arguments, (2,) each, are the points of a ``JointPatch`` in order.

    Halfway between the lines' ends, or where the lines meet if that is farther inside: the landmark of a bent elbow is
    at its outer corner, which a strip around it would exceed.
    """
    half = (upper_end + lower_end) / 2
    inwards = (upper + lower) / 2 - half
    matrix, offset = PARALLEL * np.eye(2), np.zeros(2)
    for start, end in ((upper, upper_end), (lower, lower_end)):
        way = end - start
        normal = np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), EDGE_MIN)
        matrix += np.outer(normal, normal)
        offset += normal * (normal @ (end - half))
    inside = inwards @ np.linalg.solve(matrix, offset) / max(float(inwards @ inwards), EDGE_MIN)
    return half + float(np.clip(inside, 0, 1)) * inwards


def round_bend(
    joint: Array, middle: Array, radius: float, height: int, width: int, far: float = CORNER_REACH
) -> tuple[PixelBox, Bytes] | None:
    """A box of a frame, and (h, w, 4) 0-255 how much of a limb is drawn in it, so that its elbow or knee is round.

    A mesh that bends otherwise than in its picture has a corner there, and cloth that hangs below a bent arm sticks out
    of it. Beyond the ends of both bones a limb reaches no farther than ``radius`` px, half of its width, from the
    ``middle`` (2,) of its bend. ``joint`` (4, 2) px are the points of a ``JointPatch`` in order, the frame has
    ``height`` x ``width`` pixels. A bone that points at the camera has no end on screen: the radius grows. ``far``: how
    far beyond the joint the limb is cut, in half widths. None where all of it is drawn.
    """
    (ax, ay), (bx, by) = (joint[1] - joint[0]).tolist(), (joint[3] - joint[2]).tolist()
    lengths = max(math.hypot(ax, ay), EDGE_MIN), max(math.hypot(bx, by), EDGE_MIN)
    ax, ay, bx, by = ax / lengths[0], ay / lengths[0], bx / lengths[1], by / lengths[1]
    radius = min(radius * max(1.0, radius / min(lengths)), LINE_END_MAX)
    cosine = math.hypot(ax + bx, ay + by) / 2
    if radius * (1 / max(math.sqrt(max(1 - cosine * cosine, 0.0)), EDGE_MIN) - 1) < CORNER_MIN:
        return None
    x, y = middle.tolist()
    reach = far * radius
    out_x, out_y = x + reach * (ax + bx), y + reach * (ay + by)
    x0, x1 = max(0, math.floor(min(x, out_x) - radius)), min(width, math.ceil(max(x, out_x) + radius) + 1)
    y0, y1 = max(0, math.floor(min(y, out_y) - radius)), min(height, math.ceil(max(y, out_y) + radius) + 1)
    if x1 <= x0 or y1 <= y0:
        return None
    # What is beyond both ends is a wedge between the lines across them.
    turn = math.copysign(1.0, ax * by - ay * bx)
    edges = [[0, 0], [-turn * ay, turn * ax], [(ax + bx) / 2 / cosine, (ay + by) / 2 / cosine], [turn * by, -turn * bx]]
    corner = [x - x0, y - y0]
    kept = np.full((y1 - y0, x1 - x0), 255, np.uint8)
    wedge = fixed_point(4 * reach * np.array(edges) + corner)
    cv2.fillConvexPoly(kept, wedge, 0, cv2.LINE_AA, SUBPIXEL_BITS)
    place, size = [round(value * (1 << SUBPIXEL_BITS)) for value in corner], round(radius * (1 << SUBPIXEL_BITS))
    cv2.circle(kept, place, size, 255, -1, cv2.LINE_AA, SUBPIXEL_BITS)
    soft = cv2.GaussianBlur(kept, (0, 0), CORNER_SOFT)
    return (x0, y0, x1, y1), np.asarray(cv2.merge([soft] * 4), np.uint8)
