"""Face and hands of the tracked body, frame by frame.

``HAND_SCORE_MIN`` is the threshold of MediaPipe's graph ``hand_landmark_cpu``. Thresholds that name no clip or network
have no recorded source. They are kept because tracks, and so the bytes of results, depend on them.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.detectors import PalmKeyPoint, face_detector, palm_detector
from bodydouble.perception.geometry import Roi, distance
from bodydouble.perception.landmark_indices import BodyPoint, HandPoint, WholeBodyPoint
from bodydouble.perception.landmarks import (
    BodyLandmarks,
    FaceLandmarks,
    FaceNet,
    HandLandmarks,
    HandNet,
    detection_face_roi,
    face_roi,
    hand_roi,
    palm_roi,
)
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.people import HEAD_POINTS
from bodydouble.perception.track import HAND_POINTS
from bodydouble.perception.tracking import head_region, near_head, torso_length

FACE_SCORE_MIN = 0.5
"""Score 0-1 of the face mesh from which there is a face."""
FACE_SEARCH_EVERY_FRAMES = 2
"""While the face is lost: the detector rarely finds what it missed in the frame before."""
FACE_SEARCH_SCALES = (1.0, 1.3, 1.7)
"""Sides of the searched squares over the head's region: the detector misses clear faces at one scale and finds them
at another (a picture at 1.3 to 1.7, a blurred frame of the juggler from 1.3 on)."""
HAND_SCORE_MIN = 0.5
"""Score 0-1 of the hand network from which there is a hand."""
PALM_SEARCH_EVERY_FRAMES = 3
"""While a hand is lost: the palm detector costs more than the landmarks."""
LONG_LOST_FRAMES, LONG_LOST_SEARCH_EVERY_FRAMES = 12, 3
"""A hand that is lost for so many frames is looked for in every third frame only: most are outside the picture, and
one that comes back is seen 0.08 s later at 25 frames a second. The palm detector then runs half as often."""
WRIST_SEEN_MIN = 0.3
"""Visibility of the wrist below which no hand is searched for."""
# Lengths in units of the forearm, which is about as long as the shoulders are wide.
ARM_OF_TORSO, ARM_MIN = 0.6, 16.0
"""Smallest forearm length: over torso length, for a person seen from the side, and in pixels."""
WRIST_REACH_MAX = 0.8
"""Distance of the hand's wrist from the body's up to which the hand belongs to the body."""
PALM_REACH_MAX = 0.7
"""Distance of a detected palm's wrist from the body's up to which the palm belongs to the body."""
SAME_HAND_MAX = 0.15
"""Distance of two hands' middles below which both regions show one hand."""
FOREARM_SEEN_MIN, BACKWARDS = 0.5, -0.3
"""Length of a forearm on screen from which it tells a hand's direction; and the cosine of the angle between both below
which no wrist bends. Measured on nine clips: -0.03 or more for 1,170 hands, -0.65 or less for five hands, all of them
wrong."""
HAND_SIZE_MIN = 0.75
"""Smallest region of the hand: fingers that point at the camera give none."""
HAND_BEYOND_WRIST = 0.7
"""Middle of the hand on the way from the wrist to the finger roots."""
HAND_OF_PALM = 2.8
"""Region of the hand over the distance from wrist to finger roots."""
PALM_SEARCH_SCALE = 2.0
"""Region of the palm search over that of the hand."""


class _ArmPoints(NamedTuple):
    elbow: BodyPoint
    wrist: BodyPoint
    pinky_root: BodyPoint
    index_root: BodyPoint


ARMS = (
    _ArmPoints(BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST, BodyPoint.LEFT_PINKY, BodyPoint.LEFT_INDEX),
    _ArmPoints(BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST, BodyPoint.RIGHT_PINKY, BodyPoint.RIGHT_INDEX),
)
WHOLE_BODY_HANDS = (WholeBodyPoint.LEFT_HAND, WholeBodyPoint.RIGHT_HAND)


@dataclass(kw_only=True)
class FaceHandsState:
    """The tracker's state from one frame to the next."""

    face: Roi | None = None
    hands: list[Roi | None] = field(default_factory=lambda: [None, None])
    face_lost: int = 0
    hands_lost: list[int] = field(default_factory=lambda: [0, 0])


class FaceHandsTracker:
    """Tracks face and hands of one body. Not thread-safe."""

    def __init__(self, pack: ModelPack) -> None:
        self._faces, self._palms = face_detector(pack), palm_detector(pack)
        self._face, self._hand = FaceNet(pack), HandNet(pack)
        self.state = FaceHandsState()

    def reset(self) -> None:
        """Forget the regions: after a cut, or where the body was lost."""
        self.state = FaceHandsState()

    def face(self, image: Image, body: BodyLandmarks) -> FaceLandmarks | None:
        """The face of ``body``, or None where it is turned away, hidden or too small."""
        state = self.state
        if state.face is None:
            if state.face_lost % FACE_SEARCH_EVERY_FRAMES:
                state.face_lost += 1
                return None
            face = self._search_face(image, body)
        else:
            face = self._measure_face(image, body, state.face)
        if face is None:
            state.face, state.face_lost = None, state.face_lost + 1
            return None
        state.face, state.face_lost = face_roi(face.points), 0
        return face

    def face_in_picture(self, image: Image, body: BodyLandmarks) -> FaceLandmarks | None:
        """The face of ``body`` in a still picture, which no frame before or after makes surer."""
        face = self.face(image, body)
        return None if face is None else self._face.averaged(image, face)

    def _measure_face(self, image: Image, body: BodyLandmarks, roi: Roi) -> FaceLandmarks | None:
        if not roi.inside(image.shape[1], image.shape[0]):
            return None
        face = self._face.run(image, roi)
        return face if face.score >= FACE_SCORE_MIN and near_head(face.points, body) else None

    def _search_face(self, image: Image, body: BodyLandmarks) -> FaceLandmarks | None:
        """The first face that the mesh confirms. After a loss every scale is tried, later one in each search."""
        searches = self.state.face_lost // FACE_SEARCH_EVERY_FRAMES
        scales = FACE_SEARCH_SCALES if searches == 0 else (FACE_SEARCH_SCALES[searches % len(FACE_SEARCH_SCALES)],)
        region, head = head_region(body), body.points[HEAD_POINTS].mean(0)
        for scale in scales:
            found = self._faces.detect(image, replace(region, size=region.size * scale))
            if found:
                nearest = min(found, key=lambda d: distance(d.box.mean(0), head) / d.score)
                face = self._measure_face(image, body, detection_face_roi(nearest))
                if face is not None:
                    return face
        return None

    def hands(self, image: Image, body: BodyLandmarks) -> list[HandLandmarks | None]:
        """The subject's left and right hand, None where not seen."""
        if body.whole_body is not None:
            return [_measured_hand(body.whole_body[start : start + HAND_POINTS]) for start in WHOLE_BODY_HANDS]
        points = body.points
        shoulders = distance(points[BodyPoint.LEFT_SHOULDER], points[BodyPoint.RIGHT_SHOULDER])
        arm = max(shoulders, ARM_OF_TORSO * torso_length(points), ARM_MIN)
        result = [self._hand_of(image, body, k, arm) for k in range(2)]
        left, right = result
        if left and right and distance(left.points.mean(0), right.points.mean(0)) < SAME_HAND_MAX * arm:
            # Both regions moved onto one hand: it belongs to the nearer wrist.
            apart = [
                distance(hand.points[HandPoint.WRIST], points[side.wrist])
                for hand, side in zip((left, right), ARMS, strict=True)
            ]
            far = int(apart[0] < apart[1])
            result[far], self.state.hands[far] = None, None
        return result

    def _hand_of(self, image: Image, body: BodyLandmarks, k: int, arm: float) -> HandLandmarks | None:
        state, known = self.state, self.state.hands[k]
        hand = None if known is None else self._measure_hand(image, body, k, arm, known)
        if hand is None:
            # A hand that has just left its region is looked for at once: it is fast, not hidden.
            roi = self._hand_region(image, body, k, arm)
            hand = None if roi is None else self._measure_hand(image, body, k, arm, roi)
        if hand is None:
            state.hands[k], state.hands_lost[k] = None, state.hands_lost[k] + 1
        else:
            state.hands[k], state.hands_lost[k] = hand_roi(hand.points), 0
        return hand

    def _measure_hand(self, image: Image, body: BodyLandmarks, k: int, arm: float, roi: Roi) -> HandLandmarks | None:
        if not roi.inside(image.shape[1], image.shape[0]):
            return None
        hand = self._hand.run(image, roi)
        away = distance(hand.points[HandPoint.WRIST], body.points[ARMS[k].wrist])
        if hand.score < HAND_SCORE_MIN or away > WRIST_REACH_MAX * arm or _points_backwards(hand, body, k, arm):
            return None
        return hand

    def _hand_region(self, image: Image, body: BodyLandmarks, k: int, arm: float) -> Roi | None:
        """Where the landmarks of the body say that hand ``k`` is; None where it is hidden or outside the picture."""
        side = ARMS[k]
        lost = self.state.hands_lost[k]
        if body.visibility[side.wrist] < WRIST_SEEN_MIN or not _hand_search_is_due(lost):
            return None
        wrist, fingers = body.points[side.wrist], body.points[[side.pinky_root, side.index_root]].mean(0)
        centre = wrist + (fingers - wrist) * HAND_BEYOND_WRIST
        if not (_is_inside(image, wrist) or _is_inside(image, centre)):
            return None
        size = max(distance(wrist, fingers) * HAND_OF_PALM, HAND_SIZE_MIN * arm)
        if lost % (PALM_SEARCH_EVERY_FRAMES * (1 if lost < LONG_LOST_FRAMES else 2)) == 0:
            region = Roi(x=float(centre[0]), y=float(centre[1]), size=PALM_SEARCH_SCALE * size)
            palms = self._palms.detect(image, region)
            near = [p for p in palms if distance(p.points[PalmKeyPoint.WRIST], wrist) < PALM_REACH_MAX * arm]
            if near:
                return palm_roi(max(near, key=lambda p: p.score))
        return _hand_estimate(centre, fingers - wrist, size)


def _points_backwards(hand: HandLandmarks, body: BodyLandmarks, k: int, arm: float) -> bool:
    """Whether ``hand`` lies along its own forearm, towards the elbow: its landmarks are on the arm."""
    forearm = body.points[ARMS[k].wrist, :2] - body.points[ARMS[k].elbow, :2]
    way = hand.points.mean(0) - hand.points[HandPoint.WRIST]
    length = float(np.hypot(*forearm))
    if length < FOREARM_SEEN_MIN * arm:
        return False
    return float(way @ forearm) < BACKWARDS * length * float(np.hypot(*way))


def _hand_search_is_due(lost_frames: int) -> bool:
    """Whether a hand that has not been seen for ``lost_frames`` frames is looked for in the next one."""
    return lost_frames < LONG_LOST_FRAMES or lost_frames % LONG_LOST_SEARCH_EVERY_FRAMES == 0


def _is_inside(image: Image, point: Points) -> bool:
    """Whether ``point`` (2,) is in the picture. Of 53 hands with wrist and middle outside, none was ever found."""
    return bool((point >= 0).all() and point[0] < image.shape[1] and point[1] < image.shape[0])


def _measured_hand(points: Points) -> HandLandmarks | None:
    """The hand of (21, 3) x, y, confidence, where most of it is sure."""
    score = float(np.median(points[:, 2]))
    if score < HAND_SCORE_MIN:
        return None
    return HandLandmarks(points=points[:, :2], depth=np.zeros(len(points)), score=score)


def _hand_estimate(centre: Points, direction: Points, size: float) -> Roi:
    """The hand's square from the body's landmarks alone."""
    angle = float(np.arctan2(direction[0], -direction[1]))
    return Roi(x=float(centre[0]), y=float(centre[1]), size=size, angle=angle)
