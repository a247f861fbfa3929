"""Whether a picture or a video shows a person that can be drawn or replaced.

The landmark networks answer for almost anything: they see bodies in cats, in headless torsos and in pictures that are
upside down. These checks refuse what cannot give a usable result, before a task is charged, and warn where the result
will have visible faults. The thresholds were measured on the nine development pictures, each upright, turned by 90,
180 and 270 degrees, and cut below the chin and at the eyes; on a cat; and on frames of people seen from behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Alpha, Points
from bodydouble.perception.geometry import distance
from bodydouble.perception.landmark_indices import BodyPoint, FacePoint
from bodydouble.perception.people import HEAD_POINTS
from bodydouble.perception.portrait import Portrait
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.trunk import shoulder_centre, spine_vector
from bodydouble.tasks.errors import InputRejected, NobodyFound

LYING_MIN = 60.0
"""Degrees of the trunk from upright. Upright pictures: at most 6; turned by 90 degrees: 73 to 92."""
HEAD_TURNED_MIN = 60.0
"""Degrees of the face's own axis from upright. A head leaned onto a shoulder reaches 45."""
FACELESS_SCORE_MIN = 0.95
"""Score of a body without a face. People from behind: 1.00; a cat: 0.83; misread pictures: 0.72 to 0.94."""
FACELESS_TILT_MAX = 45.0
"""Degrees. People from behind: at most 17; a cat and misread pictures: 44 to 58."""
FACELESS_HEAD_MIN = 0.28
"""Head above the shoulders over the trunk's length. People from behind: at least 0.39; headless: at most 0.26."""
HEAD_SHOWN, PERSON_MIN = 0.45, 0.5
"""What the mask (0-1, from ``PERSON_MIN`` on the person's) shows above the head's landmarks, over the trunk's length,
from which on a head is there that bows to the shoulders. Measured: 0.59 of a drawn girl who leans forward, at most 0.1
of twelve pictures whose upper edge cuts the head off, 0.34 of a telephone before a face."""
FRONTAL_MIN = 0.5
"""Shoulder width over trunk length, left shoulder at image right, from which a body faces the camera."""
HEAD_PIXELS_MIN = 24.0
"""Head height from which a human face that looks into the camera is found."""
HEAD_OF_TRUNK = 0.4
"""Head above the shoulders over trunk length of an adult, where no face gives the size."""
CUT_FOREHEAD_MIN = 0.05
"""Part of the face's height above the picture's edge from which the head counts as cut off."""
FACES_MIN = 0.05
"""Share of a shot's frames with a face from which it shows a person."""
HEAD_ABOVE_MIN, HEAD_RANGE_MAX, UNSURE_MAX = 0.2, 1.0, 0.1
"""Height of the head above the shoulders along the trunk, in trunk lengths: the median, and from the 10th to the 90th
percentile; and share of frames below ``FACELESS_SCORE_MIN``. Measured: people from behind or with hidden faces at least
0.33, at most 0.19, at most 0.05; hands and cups on a table at most -0.05, 0.5 to 6, and 0 to 0.43."""
OFTEN = 0.5
"""Share of the frames from which a video is judged by them."""


@dataclass(frozen=True, kw_only=True)
class Concern:
    """Something about an input that will show in the result."""

    code: str  # stable, e.g. head_cut_off
    message: str  # for people


def trunk_tilt(body: Points) -> float:
    """Degrees of the trunk from upright, 0-180; ``body`` is (33, 2 or more)."""
    shoulders = body[[BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER], :2].mean(0)
    up = shoulders - body[[BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP], :2].mean(0)
    return float(np.degrees(np.arctan2(abs(up[0]), -up[1])))


def face_tilt(face: NDArray[np.floating]) -> float:
    """Degrees of the face's own axis from upright, 0-180; ``face`` is (468 or more, 2 or more)."""
    up = face[FacePoint.FOREHEAD_TOP, :2] - face[FacePoint.CHIN, :2]
    return float(np.degrees(np.arctan2(abs(up[0]), -up[1])))


def check_portrait(portrait: Portrait) -> list[Concern]:
    """Warnings about flaws that a result made from this picture will show; empty if there are none.

    Raises:
        InputRejected: the person lies, is upside down, or has no head in the picture. The field is ``image``.
        NobodyFound: what was found is not a person.
    """
    track = portrait.track
    body, tilt = track.body[0].astype(np.float64), trunk_tilt(track.body[0])
    face = track.face[0].astype(np.float64) if track.face_found[0] else None
    turned = max(tilt, face_tilt(face) if face is not None else 0.0)
    if tilt > LYING_MIN or turned > HEAD_TURNED_MIN:
        raise InputRejected(
            f"image: the person is not upright (turned by about {turned:.0f}°). Turn the picture, or use one in which "
            "the person sits or stands.",
            field="image",
        )
    if face is None:
        return _check_faceless(portrait, body, tilt)
    eyes = face[[FacePoint.RIGHT_EYE_OUTER, FacePoint.LEFT_EYE_OUTER], 1]
    if eyes.max() < 0:
        raise InputRejected(
            "image: the upper edge cuts the head off below the eyes. Use a picture of the whole head.", field="image"
        )
    height = max(distance(face[FacePoint.FOREHEAD_TOP, :2], face[FacePoint.CHIN, :2]), 1.0)
    if -face[FacePoint.FOREHEAD_TOP, 1] > CUT_FOREHEAD_MIN * height:
        return [
            Concern(
                code="head_cut_off",
                message="The picture's upper edge cuts the head off; so will the result. Use a picture of the whole "
                "head.",
            )
        ]
    return []


def _check_faceless(portrait: Portrait, body: Points, tilt: float) -> list[Concern]:
    shoulders = body[[BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER], :2]
    hips = body[[BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP], :2]
    trunk = max(distance(shoulders.mean(0), hips.mean(0)), 1.0)
    if float(portrait.track.confidence[0]) < FACELESS_SCORE_MIN or tilt > FACELESS_TILT_MAX:
        raise NobodyFound(
            "image: no person was recognised in the picture. Use one that shows a person upright, with the head.",
            field="image",
        )
    head = body[HEAD_POINTS, :2].mean(0)
    low = distance(head, shoulders.mean(0)) < FACELESS_HEAD_MIN * trunk
    if low and _shown_above(portrait.agreed, head) < HEAD_SHOWN * trunk:
        raise InputRejected(
            "image: the person's head is not in the picture. Use one that shows the head.", field="image"
        )
    frontal = shoulders[0, 0] - shoulders[1, 0] > FRONTAL_MIN * trunk
    if frontal and HEAD_OF_TRUNK * trunk > HEAD_PIXELS_MIN:
        return [
            Concern(
                code="reference_not_human",
                message="The figure in the picture faces the camera, but has no human face: the face cannot move. If "
                "it is an animal or a thing, the result will be distorted.",
            )
        ]
    return []


def _shown_above(mask: Alpha, point: NDArray[np.floating]) -> float:
    """Pixels from the ``point`` (2,) px up to the highest one of the person of ``mask`` (h, w) in its column."""
    column = int(np.clip(round(float(point[0])), 0, mask.shape[1] - 1))
    rows = np.flatnonzero(mask[:, column] > PERSON_MIN)
    return float(point[1] - rows[0]) if len(rows) else 0.0


def people_only(track: PersonTrack) -> PersonTrack:
    """``track`` with nobody present in shots in which a thing, or hands without a head, were taken for a person."""
    present = track.present.copy()
    for shot in np.unique(track.shot[present]):
        here = present & (track.shot == shot)
        if not _is_person(track.body[here].astype(np.float64), track.confidence[here], track.face_found[here]):
            present[here] = False
    return replace(track, present=present)


def _is_person(bodies: Points, confidence: NDArray[np.floating], faces: NDArray[np.bool_]) -> bool:
    """Whether ``bodies`` (N, 33, 3) of one shot are a person's. ``confidence`` (N,) 0-1; ``faces`` (N,) are found."""
    if faces.mean() > FACES_MIN:
        return True
    tilted = float(np.median([trunk_tilt(body) for body in bodies])) > FACELESS_TILT_MAX
    if tilted and float(np.median(confidence)) < FACELESS_SCORE_MIN:
        return False
    shoulders, spine = shoulder_centre(bodies)[:, :2], spine_vector(bodies)[:, :2]
    above = ((bodies[:, HEAD_POINTS, :2].mean(1) - shoulders) * spine).sum(1) / np.maximum((spine**2).sum(1), 1.0)
    low, usual, high = np.percentile(above, [10, 50, 90])
    unsure = float((confidence < FACELESS_SCORE_MIN).mean()) > UNSURE_MAX or high - low > HEAD_RANGE_MAX
    return not unsure or float(usual) > HEAD_ABOVE_MIN


def check_track(track: PersonTrack) -> list[Concern]:
    """Warnings about flaws that a result made from this video will show; empty if there are none."""
    present = track.present
    if not present.any():
        return []
    bodies = track.body[present]
    tilts = np.array([trunk_tilt(body) for body in bodies])
    concerns: list[Concern] = []
    if _often(tilts > LYING_MIN):
        concerns.append(
            Concern(
                code="person_not_upright",
                message="The person in the video lies or is upside down in most frames; poses and clothes will be "
                "distorted. If the video is turned, turn it upright.",
            )
        )
    if _often(bodies[:, HEAD_POINTS, 1].mean(1) < 0):
        concerns.append(
            Concern(
                code="head_outside_frame",
                message="The person's head is outside the frame in most of the video; the character's will be too.",
            )
        )
    return concerns


def _often(flags: NDArray[np.bool_] | Sequence[bool]) -> bool:
    return bool(np.mean(flags) > OFTEN)
