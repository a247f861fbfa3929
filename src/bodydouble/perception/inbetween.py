"""Frames between two measured ones: where a body moves evenly its pose is the mean of its neighbours'.

The body network takes more than half of the time of all networks. It is run on every other frame; the frame between
is measured too unless its neighbours foretell it.
"""

import cv2
import numpy as np

from bodydouble.perception.geometry import Points
from bodydouble.perception.landmarks import POSE_SIDE, BodyLandmarks

# Nose, ears, shoulders, elbows, wrists, index fingers, hips, knees, ankles, toes.
TELLING = np.array([0, 7, 8, 11, 12, 13, 14, 15, 16, 19, 20, 23, 24, 25, 26, 27, 28, 31, 32])
SEEN_MIN = 0.3
UNEVEN_MAX = 0.25
"""Largest second difference, in body widths, over measured frames two apart. The mean of the neighbours of a frame
between is wrong by an eighth of it: 3 % of the body's width, less than the smoothing afterwards changes."""
STRIDE_MAX = 0.5
"""Largest move between measured frames in body widths: what is that fast blurs, and has to be looked at."""
VISIBILITY_CHANGE_MAX = 0.4


def body_width(points: Points) -> float:
    """Shoulder width in pixels, or its guess from the trunk's length where somebody stands sideways."""
    shoulders = float(np.hypot(*(points[11] - points[12])))
    trunk = float(np.hypot(*((points[11] + points[12] - points[23] - points[24]) / 2)))
    return max(shoulders, 0.6 * trunk, 8.0)


def is_even(earlier: BodyLandmarks, before: BodyLandmarks, after: BodyLandmarks) -> bool:
    """Whether three bodies measured two frames apart move so evenly that the frame before ``after`` is foretold."""
    seen = np.maximum(before.visibility, after.visibility)[TELLING] > SEEN_MIN
    a, b, c = (body.points[TELLING][seen] for body in (earlier, before, after))
    if not len(b):
        return False
    width = body_width(before.points)
    changed = np.abs(after.visibility - before.visibility)[TELLING].max()
    uneven = np.hypot(*(a - 2 * b + c).T).max()
    moved = np.hypot(*(c - b).T).max()
    return bool(uneven < UNEVEN_MAX * width and moved < STRIDE_MAX * width and changed < VISIBILITY_CHANGE_MAX)


def between(before: BodyLandmarks, after: BodyLandmarks) -> BodyLandmarks:
    """The body half way; the two segmentations are moved onto it and averaged."""
    half = (after.points - before.points)[[11, 12, 23, 24]].mean(0) / 2
    matrix, other = before.matrix.copy(), after.matrix.copy()
    matrix[:, 2] += half
    other[:, 2] -= half
    onto = _composed(np.asarray(cv2.invertAffineTransform(matrix), np.float64), other)
    moved = cv2.warpAffine(after.segmentation, onto, (POSE_SIDE, POSE_SIDE), flags=cv2.INTER_LINEAR)
    return BodyLandmarks(
        points=(before.points + after.points) / 2,
        depth=(before.depth + after.depth) / 2,
        visibility=np.asarray((before.visibility + after.visibility) / 2, np.float32),
        score=min(before.score, after.score),
        segmentation=np.asarray((before.segmentation + moved) / 2, np.float32),
        matrix=matrix,
        next_roi=before.next_roi,
    )


def _composed(outer: Points, inner: Points) -> Points:
    """(2, 3): ``inner`` first, then ``outer``."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])
