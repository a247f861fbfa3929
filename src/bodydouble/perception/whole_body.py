"""One person in one frame as the 133 points of COCO-WholeBody, whichever networks saw them.

Order (Jin et al., "Whole-Body Human Pose Estimation in the Wild", ECCV 2020): 0-16 body, 17-22 feet (big toe, small
toe, heel; left, then right), 23-90 face (the 68 points of iBUG 300-W), 91-111 left hand, 112-132 right hand. Left is
the subject's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import BodyPoint, CocoPoint, WholeBodyPoint
from bodydouble.perception.track import WHOLE_BODY_POINTS, PersonTrack

FACE = slice(23, 91)
LEFT_HAND, RIGHT_HAND = slice(91, 112), slice(112, 133)
BEYOND_FRAME = 0.4
"""Not enough to be drawn, enough for a neck between a shoulder that is seen and one that is cut off."""
WRISTS = (CocoPoint.LEFT_WRIST, CocoPoint.RIGHT_WRIST)  # a hand starts where its arm ends

# The toes of a foot are one point of BlazePose.
BODY_FROM_BLAZEPOSE = {
    CocoPoint.NOSE: BodyPoint.NOSE,
    CocoPoint.LEFT_EYE: BodyPoint.LEFT_EYE,
    CocoPoint.RIGHT_EYE: BodyPoint.RIGHT_EYE,
    CocoPoint.LEFT_EAR: BodyPoint.LEFT_EAR,
    CocoPoint.RIGHT_EAR: BodyPoint.RIGHT_EAR,
    CocoPoint.LEFT_SHOULDER: BodyPoint.LEFT_SHOULDER,
    CocoPoint.RIGHT_SHOULDER: BodyPoint.RIGHT_SHOULDER,
    CocoPoint.LEFT_ELBOW: BodyPoint.LEFT_ELBOW,
    CocoPoint.RIGHT_ELBOW: BodyPoint.RIGHT_ELBOW,
    CocoPoint.LEFT_WRIST: BodyPoint.LEFT_WRIST,
    CocoPoint.RIGHT_WRIST: BodyPoint.RIGHT_WRIST,
    CocoPoint.LEFT_HIP: BodyPoint.LEFT_HIP,
    CocoPoint.RIGHT_HIP: BodyPoint.RIGHT_HIP,
    CocoPoint.LEFT_KNEE: BodyPoint.LEFT_KNEE,
    CocoPoint.RIGHT_KNEE: BodyPoint.RIGHT_KNEE,
    CocoPoint.LEFT_ANKLE: BodyPoint.LEFT_ANKLE,
    CocoPoint.RIGHT_ANKLE: BodyPoint.RIGHT_ANKLE,
    WholeBodyPoint.LEFT_BIG_TOE: BodyPoint.LEFT_TOE,
    WholeBodyPoint.LEFT_SMALL_TOE: BodyPoint.LEFT_TOE,
    WholeBodyPoint.LEFT_HEEL: BodyPoint.LEFT_HEEL,
    WholeBodyPoint.RIGHT_BIG_TOE: BodyPoint.RIGHT_TOE,
    WholeBodyPoint.RIGHT_SMALL_TOE: BodyPoint.RIGHT_TOE,
    WholeBodyPoint.RIGHT_HEEL: BodyPoint.RIGHT_HEEL,
}
# The points of MediaPipe's face mesh that lie where the 68 points of iBUG 300-W do, in their order.
FACE_FROM_MESH = np.array([
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,  # jaw, image left to right
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows
    168, 197, 5, 4, 75, 97, 2, 326, 305,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # lips, outside
    78, 82, 13, 312, 308, 317, 14, 87,  # lips, inside
])  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class WholeBody:
    """``points`` (133, 2) in pixels; ``confidence`` (133,) 0-1, 0 (and the point anything) where nothing is known."""

    points: NDArray[np.float64]
    confidence: NDArray[np.float32]


def whole_body(track: PersonTrack, i: int, size: tuple[int, int]) -> WholeBody:
    """Frame ``i`` of ``track``: as a whole-body network measured it, else put together from body, face and hands.

    ``size`` is the frame's width and height. Face and hands that were found have the confidence 1: their networks'
    scores decided already. What BlazePose guesses beyond the frame counts for less, as whole-body networks have it.
    """
    measured = track.whole_body[i]
    if not np.isnan(measured).all():
        confidence = np.nan_to_num(measured[:, 2])
        return WholeBody(points=np.nan_to_num(measured[:, :2]).astype(np.float64), confidence=confidence)
    points = np.zeros((WHOLE_BODY_POINTS, 2))
    confidence = np.zeros(WHOLE_BODY_POINTS, np.float32)
    if track.present[i]:
        to, source = list(BODY_FROM_BLAZEPOSE), list(BODY_FROM_BLAZEPOSE.values())
        points[to], confidence[to] = track.body[i, source, :2], track.visibility[i, source]
    if track.face_found[i]:
        points[FACE], confidence[FACE] = track.face[i, FACE_FROM_MESH, :2], 1
    for k, hand in enumerate((LEFT_HAND, RIGHT_HAND)):
        if np.isfinite(track.hands[i, k, :, :2]).all():
            points[hand], confidence[hand] = track.hands[i, k, :, :2], 1
            wrist = WRISTS[k]
            points[wrist], confidence[wrist] = points[hand][0], 1
    confidence[~((points >= 0) & (points < size)).all(1)] *= BEYOND_FRAME
    return WholeBody(points=points, confidence=confidence)
