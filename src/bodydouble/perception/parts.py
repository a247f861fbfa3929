"""Face and hands of the followed body, frame by frame."""

from dataclasses import dataclass, field

import numpy as np

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.detectors import face_detector, palm_detector
from bodydouble.perception.geometry import Roi
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
from bodydouble.perception.track import HAND_POINTS
from bodydouble.perception.tracking import head_region, near_head

FACE_SCORE_MIN = 0.5
HAND_SCORE_MIN, HAND_SCORE_SURE = 0.5, 0.8
PALM_EVERY_FRAMES = 3
"""While a hand is lost; the palm detector costs more than the landmarks."""

# Body points of (wrist, little finger, index finger, elbow) for the subject's left and right.
HANDS_OF_WHOLE_BODY = (91, 112)  # where left and right begin among the 133 points
ARMS = ((15, 17, 19, 13), (16, 18, 20, 14))


@dataclass(kw_only=True)
class PartsState:
    """What is carried from frame to frame."""

    face: Roi | None = None
    hands: list[Roi | None] = field(default_factory=lambda: [None, None])
    face_lost: int = 0
    hands_lost: list[int] = field(default_factory=lambda: [0, 0])


class PartsTracker:
    """Follows face and hands; not safe to call from two threads at once."""

    def __init__(self, pack: ModelPack) -> None:
        self._faces, self._palms = face_detector(pack), palm_detector(pack)
        self._face, self._hand = FaceNet(pack), HandNet(pack)
        self.state = PartsState()

    def reset(self) -> None:
        """A cut, or the body was lost."""
        self.state = PartsState()

    def face(self, image: Image, body: BodyLandmarks) -> FaceLandmarks | None:
        """The face of ``body``, or None where it is turned away, hidden or too small."""
        state = self.state
        if state.face is None:
            if state.face_lost % 2:  # every other frame: the detector rarely finds what it did not find just now
                state.face_lost += 1
                return None
            found = self._faces.detect(image, head_region(body))
            if found:
                head = body.points[[0, 2, 5, 7, 8]].mean(0)
                state.face = detection_face_roi(
                    min(found, key=lambda d: float(np.hypot(*(d.box.mean(0) - head))) / d.score)
                )
        if state.face is None or not state.face.inside(image.shape[1], image.shape[0]):
            state.face, state.face_lost = None, state.face_lost + 1
            return None
        face = self._face.run(image, state.face)
        if face.score < FACE_SCORE_MIN or not near_head(face.points, body):
            state.face, state.face_lost = None, state.face_lost + 1
            return None
        state.face, state.face_lost = face_roi(face.points), 0
        return face

    def hands(self, image: Image, body: BodyLandmarks) -> list[HandLandmarks | None]:
        """The subject's left and right hand, None where not seen."""
        if body.whole_body is not None:
            return [_measured_hand(body.whole_body[start : start + HAND_POINTS]) for start in HANDS_OF_WHOLE_BODY]
        shoulders = float(np.hypot(*(body.points[11] - body.points[12])))
        torso = float(np.hypot(*((body.points[11] + body.points[12] - body.points[23] - body.points[24]) / 2)))
        arm = max(shoulders, 0.6 * torso, 16.0)
        result = [self._hand_of(image, body, k, arm) for k in range(2)]
        left, right = result
        if left and right and np.hypot(*(left.points.mean(0) - right.points.mean(0))) < 0.15 * arm:
            # Both regions slid onto one hand: it belongs to the nearer wrist.
            far = int(np.hypot(*(left.points[0] - body.points[15])) < np.hypot(*(right.points[0] - body.points[16])))
            result[far], self.state.hands[far] = None, None
        return result

    def _hand_of(self, image: Image, body: BodyLandmarks, k: int, arm: float) -> HandLandmarks | None:
        wrist = body.points[ARMS[k][0]]
        best: HandLandmarks | None = None
        for roi in self._hand_candidates(image, body, k, arm):
            if not roi.inside(image.shape[1], image.shape[0]):
                continue
            hand = self._hand.run(image, roi)
            if best is None or hand.score > best.score:
                best = hand
            if hand.score > HAND_SCORE_SURE:
                break
        state = self.state
        if best is None or best.score < HAND_SCORE_MIN or np.hypot(*(best.points[0] - wrist)) > 0.8 * arm:
            state.hands[k] = None
            state.hands_lost[k] += 1
            return None
        state.hands[k], state.hands_lost[k] = hand_roi(best.points), 0
        return best

    def _hand_candidates(self, image: Image, body: BodyLandmarks, k: int, arm: float) -> list[Roi]:
        state = self.state
        known = state.hands[k]
        if known is not None:
            return [known]
        wrist_index, little, index, _ = ARMS[k]
        if body.visibility[wrist_index] < 0.3:
            return []
        wrist, fingers = body.points[wrist_index], body.points[[little, index]].mean(0)
        centre = wrist + (fingers - wrist) * 0.7
        size = max(float(np.hypot(*(wrist - fingers))) * 2.8, 0.75 * arm)
        candidates: list[Roi] = []
        if state.hands_lost[k] % PALM_EVERY_FRAMES == 0:
            palms = self._palms.detect(image, Roi(x=float(centre[0]), y=float(centre[1]), size=2 * size))
            near = [p for p in palms if np.hypot(*(p.points[0] - wrist)) < 0.7 * arm]
            if near:
                candidates.append(palm_roi(max(near, key=lambda p: p.score)))
        if not candidates:
            candidates.append(_hand_guess(centre, fingers - wrist, size))
        return candidates


def _measured_hand(points: Points) -> HandLandmarks | None:
    """The hand of (21, 3) x, y, confidence, where most of it is sure."""
    score = float(np.median(points[:, 2]))
    if score < HAND_SCORE_MIN:
        return None
    return HandLandmarks(points=points[:, :2], depth=np.zeros(len(points)), score=score)


def _hand_guess(centre: Points, direction: Points, size: float) -> Roi:
    angle = float(np.arctan2(direction[0], -direction[1]))
    return Roi(x=float(centre[0]), y=float(centre[1]), size=size, angle=angle)
