"""The result type of perception: one person tracked through a driving video.

All coordinates are pixels of the *working frame* (the source after rotation, sample aspect and scaling to the
requested resolution), x to the right, y down, the first pixel's centre at (0, 0). Depth z is in the same unit,
growing away from the camera, 0 at the body's or face's own centre.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

BODY_POINTS = 33  # ``BodyPoint``
FACE_POINTS = 478  # ``FacePoint``: 468 mesh points, 5 of the iris at image left (subject's right), 5 of the other
HAND_POINTS = 21  # ``HandPoint``
EYE_POINTS = 16  # contour of one eye: corner, 7 below, corner, 7 above, in the iris model's order
WHOLE_BODY_POINTS = 133  # COCO-WholeBody: 17 body, 6 feet, 68 face, 21 for each hand
BYSTANDERS_MAX = 6  # other people in one frame whose boxes are kept
NEIGHBOURS_MAX = 3  # other people near the person whose bodies are followed


@dataclass(frozen=True, kw_only=True)
class PersonTrack:
    """Landmarks of one person over ``F`` consecutive frames.

    Values are NaN where the person, the face or a hand was not seen; ``present``, ``face_found`` and ``hand_found``
    say so. Hand 0 is the subject's left hand, hand 1 the right one. In a smoothed track, a hand that was lost for a
    short time has landmarks but is not found.
    """

    shot: NDArray[np.int32]  # (F,) grows by one at each cut
    present: NDArray[np.bool_]  # (F,)
    confidence: NDArray[np.float32]  # (F,) 0-1
    box: NDArray[np.float32]  # (F, 4) x0, y0, x1, y1 of the person
    body: NDArray[np.float32]  # (F, 33, 3) x, y, z
    visibility: NDArray[np.float32]  # (F, 33) 0-1
    face: NDArray[np.float32]  # (F, 478, 3)
    face_found: NDArray[np.bool_]  # (F,)
    eyes: NDArray[np.float32]  # (F, 2, 16, 2) contour of the eye at image left, then image right
    hands: NDArray[np.float32]  # (F, 2, 21, 3)
    hand_found: NDArray[np.bool_]  # (F, 2)
    bystanders: NDArray[np.float32]  # (F, 6, 4) boxes of other people, NaN where there is none
    neighbours: NDArray[np.float32]  # (F, 3, 5) boxes of those near the person, lengths of their trunks; else NaN
    whole_body: NDArray[np.float32]  # (F, 133, 3) x, y, confidence 0-1; NaN where no whole-body network ran

    def __len__(self) -> int:
        return len(self.shot)

    def window(self, start: int, stop: int) -> "PersonTrack":
        """The frames from ``start`` up to and without ``stop``, as views."""
        return PersonTrack(**{f.name: getattr(self, f.name)[start:stop] for f in fields(self)})


def concatenate(tracks: list[PersonTrack]) -> PersonTrack:
    """Consecutive windows as one track."""
    names = [f.name for f in fields(PersonTrack)]
    return PersonTrack(**{n: np.concatenate([getattr(t, n) for t in tracks]) for n in names})


def empty_track(frames: int) -> PersonTrack:
    """``frames`` frames without a person."""

    def nan(*shape: int) -> NDArray[np.float32]:
        return np.full((frames, *shape), np.nan, np.float32)

    return PersonTrack(
        shot=np.zeros(frames, np.int32),
        present=np.zeros(frames, np.bool_),
        confidence=np.zeros(frames, np.float32),
        box=nan(4),
        body=nan(BODY_POINTS, 3),
        visibility=np.zeros((frames, BODY_POINTS), np.float32),
        face=nan(FACE_POINTS, 3),
        face_found=np.zeros(frames, np.bool_),
        eyes=nan(2, EYE_POINTS, 2),
        hands=nan(2, HAND_POINTS, 3),
        hand_found=np.zeros((frames, 2), np.bool_),
        bystanders=nan(BYSTANDERS_MAX, 4),
        neighbours=nan(NEIGHBOURS_MAX, 5),
        whole_body=nan(WHOLE_BODY_POINTS, 3),
    )


@dataclass(frozen=True, kw_only=True)
class PersonChoice:
    """Which person to replace: a point in the first frame that shows people, or a rank by size (0 is the largest)."""

    point: tuple[float, float] | None = None  # 0-1 of width and height
    rank: int = 0
