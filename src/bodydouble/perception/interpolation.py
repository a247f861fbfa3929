"""Bodies between measured frames: where a body moves evenly, its pose is interpolated.

The body network takes more than half of the time of all networks. It runs on every fourth or every other frame; a
frame between is measured too, unless its neighbours move so evenly that interpolation gives the same pose.

Limits that name no reason or clips have no recorded source. They are kept because tracks depend on them.
"""

import cv2
import numpy as np

from bodydouble.perception.arrays import Affine, Mask, Points
from bodydouble.perception.geometry import distance
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.landmarks import POSE_SIDE, BodyLandmarks

COMPARED_POINTS = np.array([
    BodyPoint.NOSE, BodyPoint.LEFT_EAR, BodyPoint.RIGHT_EAR, BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER,
    BodyPoint.LEFT_ELBOW, BodyPoint.RIGHT_ELBOW, BodyPoint.LEFT_WRIST, BodyPoint.RIGHT_WRIST, BodyPoint.LEFT_INDEX,
    BodyPoint.RIGHT_INDEX, BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP, BodyPoint.LEFT_KNEE, BodyPoint.RIGHT_KNEE,
    BodyPoint.LEFT_ANKLE, BodyPoint.RIGHT_ANKLE, BodyPoint.LEFT_TOE, BodyPoint.RIGHT_TOE,
])  # fmt: skip
SHOULDERS = (BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER)
HIPS = (BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP)
TRUNK_CORNERS = [*SHOULDERS, *HIPS]
TRUNK_OUTLINE = [TRUNK_CORNERS[0], TRUNK_CORNERS[1], TRUNK_CORNERS[3], TRUNK_CORNERS[2]]
"""The corners one after the other around the trunk."""
SEEN_MIN = 0.3
"""Visibility below which a landmark is a guess."""
UNEVEN_MAX = 0.25
"""Largest second difference, in body widths, over measured frames equally far apart. A straight line between two of
them is wrong by an eighth of it: 3 % of the body's width, less than the smoothing afterwards changes."""
STRIDE_MAX = 0.5
"""Largest move between measured frames, in body widths: faster motion blurs and has to be measured."""
VISIBILITY_CHANGE_MAX = 0.4
"""Largest change of a landmark's visibility (0-1) between two frames that are interpolated. Chosen on the development
clips: the visibility of an arm that disappears changes by more."""
BRIDGED_FRAMES_MAX = 24
"""Longest gap in frames, about a second, in which the body is interpolated. After a longer one, the person may have
left the frame meanwhile."""
BRIDGED_MOVE_MAX, BRIDGED_SIZE_MIN = 1.0, 0.6
"""Body widths that the shoulders may move meanwhile, and the smaller over the larger width at least. Chosen by eye on
somebody behind a passer-by."""
WIDTH_OF_TRUNK = 0.6
"""Shoulder width over trunk length of an adult seen from the front, rounded down."""
BODY_WIDTH_MIN = 8.0
"""Pixels: smallest width of a body, whose shares are used as lengths."""


def body_width(points: Points) -> float:
    """Shoulder width in pixels, or its estimate from the trunk's length for a person seen from the side.

    ``points`` is (33, 2).
    """
    (left, right), (left_hip, right_hip) = points[list(SHOULDERS)], points[list(HIPS)]
    trunk = float(np.hypot(*((left + right - left_hip - right_hip) / 2)))
    return max(distance(left, right), WIDTH_OF_TRUNK * trunk, BODY_WIDTH_MIN)


def is_motion_even(earlier: BodyLandmarks, before: BodyLandmarks, after: BodyLandmarks, size: tuple[int, int]) -> bool:
    """Whether three bodies equally far apart in time move so evenly that those before ``after`` can be interpolated.

    ``size`` is the picture's width and height.
    """
    inside = _inside(before.points[COMPARED_POINTS], size) | _inside(after.points[COMPARED_POINTS], size)
    seen = inside & (np.maximum(before.visibility, after.visibility)[COMPARED_POINTS] > SEEN_MIN)
    a, b, c = (body.points[COMPARED_POINTS][seen] for body in (earlier, before, after))
    if not len(b):
        return False
    width = body_width(before.points)
    changed = np.abs(after.visibility - before.visibility)[COMPARED_POINTS][inside].max()
    uneven = np.hypot(*(a - 2 * b + c).T).max()
    moved = np.hypot(*(c - b).T).max()
    return bool(uneven < UNEVEN_MAX * width and moved < STRIDE_MAX * width and changed < VISIBILITY_CHANGE_MAX)


def _inside(points: Points, size: tuple[int, int]) -> Mask:
    """(N,) which points are in the picture: beyond its border the network only guesses, each time something else."""
    return np.asarray(((points >= 0) & (points < size)).all(1), np.bool_)


def interpolate_body(before: BodyLandmarks, after: BodyLandmarks, share: float = 0.5) -> BodyLandmarks:
    """The body at ``share`` (0-1) of the way; both segmentations are moved onto it and blended."""
    way = (after.points - before.points)[TRUNK_CORNERS].mean(0)
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


def bridged(before: BodyLandmarks, after: BodyLandmarks, frames: int) -> list[BodyLandmarks]:
    """The bodies in ``frames`` frames between two in which somebody was seen; none if it is not the same place.

    Who is lost for a moment, and found again where they were, was hidden there, or a network missed them.
    """
    if frames > BRIDGED_FRAMES_MAX:
        return []
    widths = body_width(before.points), body_width(after.points)
    moved = distance(before.points[list(SHOULDERS)].mean(0), after.points[list(SHOULDERS)].mean(0))
    if moved > BRIDGED_MOVE_MAX * max(widths) or min(widths) < BRIDGED_SIZE_MIN * max(widths):
        return []
    return [interpolate_body(before, after, (k + 1) / (frames + 1)) for k in range(frames)]


def _composed(outer: Affine, inner: Affine) -> Affine:
    """The map that applies ``inner`` first, then ``outer``."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])
