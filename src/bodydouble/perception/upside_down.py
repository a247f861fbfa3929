"""Whether a video shows people upside down, for example because a phone stored a wrong orientation."""

import numpy as np

from bodydouble.perception.arrays import Image
from bodydouble.perception.detectors import Detector, PersonKeyPoint, face_detector, person_detector
from bodydouble.perception.footage import Footage
from bodydouble.perception.pack import ModelPack, missing_files
from bodydouble.perception.track import PersonTrack

UPSIDE_DOWN = (
    "The video shows people upside down, though its orientation tag is obeyed. The tag is probably wrong: turn the "
    "video in an editor."
)
"""The warning about such a video."""
FRAMES = 3
"""Frames looked at, spread over those that show the person."""
PERSON_SCORE_MIN = 0.65
"""Score from which a detected person's direction counts. Upright and turned development clips: 0.70 to 0.97."""
AXIS_SHARE_MIN = 0.8
"""Vertical share of the direction from the hips to the head; below, the person lies (0.8 is 53 degrees)."""


def is_upside_down(pack: ModelPack, footage: Footage, track: PersonTrack) -> bool:
    """Whether every frame that shows a direction shows heads below hips, or a face only after half a turn.

    The landmark networks cannot tell: they see an upright body in a person on their head. The detectors can.
    """
    present = np.flatnonzero(track.present)
    if not len(present) or missing_files(pack.folder):
        return False
    persons, faces = person_detector(pack), face_detector(pack)
    found = False
    for place in np.unique(np.linspace(0, len(present) - 1, FRAMES).astype(int)):
        index = int(present[place])
        _, image = next(footage.read(index, index + 1))
        vote = _is_frame_upside_down(image, persons, faces)
        if vote is False:
            return False
        found = found or vote is True
    return found


def _is_frame_upside_down(image: Image, persons: Detector, faces: Detector) -> bool | None:
    """None: the frame shows no direction."""
    upright, turned = (_best_score(faces, picture) for picture in (image, np.ascontiguousarray(image[::-1, ::-1])))
    if upright != turned:  # false faces in turned pictures score 0.50 to 0.65, true ones 0.68 to 0.93
        return turned > upright
    found = persons.detect(image)
    best = max(found, key=lambda detection: detection.score, default=None)
    if best is None or best.score < PERSON_SCORE_MIN:
        return None
    right, down = best.points[PersonKeyPoint.ABOVE_HEAD] - best.points[PersonKeyPoint.HIP_CENTRE]
    if abs(down) < AXIS_SHARE_MIN * np.hypot(right, down):
        return None
    return bool(down > 0)


def _best_score(detector: Detector, image: Image) -> float:
    return max((found.score for found in detector.detect(image)), default=0.0)
