"""Whether mouth and head of the output move as the actor's do."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.perception.track import PersonTrack

FRAMES_MIN = 8
"""Frames with both faces from which mouth and head are compared."""
YAW_SPREAD_MIN = 2.0
"""Degrees of standard deviation: a gain fitted to a head that does not turn is noise."""
LIPS = (FacePoint.UPPER_LIP_INNER, FacePoint.LOWER_LIP_INNER)
RIGID_LENGTH = (FacePoint.BETWEEN_BROWS, FacePoint.UNDER_NOSE)
"""Constant whatever the mouth does."""
RIGID_LENGTH_MIN = 1e-6
"""Pixels: keeps the opening finite where a face is a point."""
CHEEKS = (FacePoint.RIGHT_CHEEK, FacePoint.LEFT_CHEEK)
SPREAD_MIN = 1e-6
"""Standard deviation of a mouth that moves at all."""


def mouth_opening(track: PersonTrack) -> NDArray[np.float64]:
    """(F,) distance of the lips over a rigid length of the face; NaN where there is no face."""
    face = track.face.astype(np.float64)
    gap = np.linalg.norm(face[:, LIPS[0], :2] - face[:, LIPS[1], :2], axis=-1)
    length = np.linalg.norm(face[:, RIGID_LENGTH[0]] - face[:, RIGID_LENGTH[1]], axis=-1)
    return gap / np.maximum(length, RIGID_LENGTH_MIN)


def head_yaw(track: PersonTrack) -> NDArray[np.float64]:
    """(F,) degrees, positive towards image right; NaN where there is no face."""
    across = (track.face[:, CHEEKS[1]] - track.face[:, CHEEKS[0]]).astype(np.float64)
    return np.degrees(np.arctan2(across[:, 2], across[:, 0]))


def mouth_correlation(source: PersonTrack, output: PersonTrack) -> float | None:
    """Pearson's r of the two mouths' openings over the frames that show both."""
    a, b = mouth_opening(source), mouth_opening(output)
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < FRAMES_MIN or a[both].std() < SPREAD_MIN or b[both].std() < SPREAD_MIN:
        return None
    return float(np.corrcoef(a[both], b[both])[0, 1])


def yaw_gain(source: PersonTrack, output: PersonTrack) -> float | None:
    """Slope of the output's yaw over the source's; 1 is a head that turns as far as the actor's."""
    a, b = head_yaw(source), head_yaw(output)
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < FRAMES_MIN or a[both].std() < YAW_SPREAD_MIN:
        return None
    return float(np.polyfit(a[both], b[both], 1)[0])


def face_found(source: PersonTrack, output: PersonTrack) -> float | None:
    """Share of the frames with a face in the source in which the output has one too."""
    wanted = source.face_found
    return float(output.face_found[wanted].mean()) if wanted.any() else None
