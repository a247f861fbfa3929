"""Frames between measured ones: where a body moves evenly its pose is foretold by its neighbours'.

The body network takes more than half of the time of all networks. It is run on every fourth or every other frame; a
frame between is measured too unless its neighbours foretell it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Points
from bodydouble.perception.landmarks import POSE_SIDE, BodyLandmarks

# Nose, ears, shoulders, elbows, wrists, index fingers, hips, knees, ankles, toes.
TELLING = np.array([0, 7, 8, 11, 12, 13, 14, 15, 16, 19, 20, 23, 24, 25, 26, 27, 28, 31, 32])
SEEN_MIN = 0.3
OUTSIDE_MAX = 0.02
"""How far beyond the picture's border, of its size, a point still counts: farther out the network only guesses."""
UNEVEN_MAX = 0.25
"""Largest second difference, in body widths, over measured frames equally far apart. A straight line between two of
them is wrong by an eighth of it: 3 % of the body's width, less than the smoothing afterwards changes."""
STRIDE_MAX = 0.5
"""Largest move between measured frames in body widths: what is that fast blurs, and has to be looked at."""
VISIBILITY_CHANGE_MAX = 0.4


def body_width(points: Points) -> float:
    """Shoulder width in pixels, or its guess from the trunk's length where somebody stands sideways."""
    shoulders = float(np.hypot(*(points[11] - points[12])))
    trunk = float(np.hypot(*((points[11] + points[12] - points[23] - points[24]) / 2)))
    return max(shoulders, 0.6 * trunk, 8.0)


def is_even(earlier: BodyLandmarks, before: BodyLandmarks, after: BodyLandmarks, size: tuple[int, int]) -> bool:
    """Whether three bodies equally far apart in time move so evenly that what lies before ``after`` is foretold.

    ``size`` is the picture's width and height.
    """
    inside = _inside(before.points[TELLING], size) | _inside(after.points[TELLING], size)
    seen = inside & (np.maximum(before.visibility, after.visibility)[TELLING] > SEEN_MIN)
    a, b, c = (body.points[TELLING][seen] for body in (earlier, before, after))
    if not len(b):
        return False
    width = body_width(before.points)
    changed = np.abs(after.visibility - before.visibility)[TELLING][inside].max()
    uneven = np.hypot(*(a - 2 * b + c).T).max()
    moved = np.hypot(*(c - b).T).max()
    return bool(uneven < UNEVEN_MAX * width and moved < STRIDE_MAX * width and changed < VISIBILITY_CHANGE_MAX)


def _inside(points: Points, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(N,) which points are in the picture or near it."""
    margin = OUTSIDE_MAX * np.array(size)
    return np.asarray(((points > -margin) & (points < size + margin)).all(1), np.bool_)


def between(before: BodyLandmarks, after: BodyLandmarks, share: float = 0.5) -> BodyLandmarks:
    """The body at ``share`` (0-1) of the way; the two segmentations are moved onto it and blended."""
    way = (after.points - before.points)[[11, 12, 23, 24]].mean(0)
    matrix, other = before.matrix.copy(), after.matrix.copy()
    matrix[:, 2] += way * share
    other[:, 2] -= way * (1 - share)
    onto = _composed(np.asarray(cv2.invertAffineTransform(matrix), np.float64), other)
    moved = cv2.warpAffine(after.segmentation, onto, (POSE_SIDE, POSE_SIDE), flags=cv2.INTER_LINEAR)
    return BodyLandmarks(
        points=before.points * (1 - share) + after.points * share,
        depth=before.depth * (1 - share) + after.depth * share,
        visibility=np.asarray(before.visibility * (1 - share) + after.visibility * share, np.float32),
        score=min(before.score, after.score),
        segmentation=np.asarray(cv2.addWeighted(before.segmentation, 1 - share, moved, share, 0), np.uint8),
        matrix=matrix,
        next_roi=before.next_roi,
    )


def _composed(outer: Points, inner: Points) -> Points:
    """(2, 3): ``inner`` first, then ``outer``."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])
