"""Tracking the face and the hands of one body."""

import numpy as np
import pytest

from bodydouble.perception import ModelPack
from bodydouble.perception.face_and_hands import FACE_SEARCH_SCALES, LONG_LOST_FRAMES, FaceHandsTracker
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.landmarks import HandLandmarks
from bodydouble.perception.people import PeopleFinder
from bodydouble.perception.tracking import head_region
from material import astronaut


class PickyDetector:
    """Finds faces in regions of one size only, as the real detector does with some faces."""

    def __init__(self, detector, size: float) -> None:
        self._detector, self._size = detector, size
        self.searched = 0

    def detect(self, image, roi):
        self.searched += 1
        return self._detector.detect(image, roi) if abs(roi.size - self._size) < 1 else []


def _tracker(pack: ModelPack, body, scale: float) -> tuple[FaceHandsTracker, PickyDetector]:
    tracker = FaceHandsTracker(pack)
    detector = PickyDetector(tracker._faces, head_region(body).size * scale)
    tracker._faces = detector  # type: ignore[assignment]
    return tracker, detector


def test_a_face_is_found_at_any_of_the_scales(model_pack: ModelPack):
    """A face that the detector misses in the head's own region is found in a wider one, in the first frame."""
    image = astronaut()
    (person,) = PeopleFinder(model_pack).find(image)

    for scale in FACE_SEARCH_SCALES:
        tracker, _ = _tracker(model_pack, person.body, scale)
        assert tracker.face(image, person.body) is not None


def test_a_lost_face_is_searched_at_one_scale_at_a_time(model_pack: ModelPack):
    """After the first frame every search costs one run of the detector, and the right scale comes round."""
    image = astronaut()
    (person,) = PeopleFinder(model_pack).find(image)
    tracker, detector = _tracker(model_pack, person.body, FACE_SEARCH_SCALES[-1])
    tracker.state.face_lost = 2

    found = [tracker.face(image, person.body) is not None for _ in range(3)]

    assert found == [False, False, True]
    assert detector.searched == 2


class HandWhereItIs:
    """Sees a hand in regions about the wrist alone."""

    def __init__(self, wrist) -> None:
        self._wrist = wrist

    def run(self, image, roi: Roi) -> HandLandmarks:
        near = np.hypot(roi.x - self._wrist[0], roi.y - self._wrist[1]) < 100
        points = np.tile(self._wrist, (21, 1)) + np.arange(21)[:, None]
        return HandLandmarks(points=points, depth=np.zeros(21), score=0.9 if near else 0.1)


def test_a_hand_that_left_its_region_is_found_in_the_same_frame(model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch):
    """A fast hand is not where the last frame had it, but the body says where it is."""
    image = astronaut()
    (person,) = PeopleFinder(model_pack).find(image)
    wrist = person.body.points[15].copy()
    person.body.visibility[[15, 16]] = 1, 0
    tracker = FaceHandsTracker(model_pack)
    monkeypatch.setattr(tracker, "_hand", HandWhereItIs(wrist))
    tracker.state.hands[0] = Roi(x=float(wrist[0]) + 300, y=float(wrist[1]), size=50.0)

    left, right = tracker.hands(image, person.body)

    assert left is not None
    assert right is None
    assert tracker.state.hands_lost == [0, 1]


class CountedHands:
    """A hand network that sees no hand, and notes in which frame it was asked."""

    def __init__(self) -> None:
        self.frame = 0
        self.asked: list[int] = []

    def run(self, image, roi) -> HandLandmarks:
        self.asked.append(self.frame)
        return HandLandmarks(points=np.zeros((21, 2)), depth=np.zeros(21), score=0.0)


def test_a_hand_that_stays_lost_is_looked_for_in_every_third_frame(
    model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch
):
    """At first every frame is searched; after half a second two of three are spared."""
    image = astronaut()
    (person,) = PeopleFinder(model_pack).find(image)
    tracker, network = FaceHandsTracker(model_pack), CountedHands()
    monkeypatch.setattr(tracker, "_hand", network)
    person.body.visibility[[BodyPoint.LEFT_WRIST, BodyPoint.RIGHT_WRIST]] = (1.0, 0.0)

    for network.frame in range(LONG_LOST_FRAMES + 9):
        tracker.hands(image, person.body)

    assert network.asked == [*range(LONG_LOST_FRAMES), *range(LONG_LOST_FRAMES, LONG_LOST_FRAMES + 9, 3)]


def test_a_hand_below_the_picture_is_not_looked_for(model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch):
    """Where wrist and fingers are outside, no network runs; with the fingers inside it does."""
    image = astronaut()
    (person,) = PeopleFinder(model_pack).find(image)
    tracker, network = FaceHandsTracker(model_pack), CountedHands()
    monkeypatch.setattr(tracker, "_hand", network)
    person.body.visibility[[BodyPoint.LEFT_WRIST, BodyPoint.RIGHT_WRIST]] = (1.0, 0.0)
    height, roots = len(image), [BodyPoint.LEFT_PINKY, BodyPoint.LEFT_INDEX]
    person.body.points[BodyPoint.LEFT_WRIST] = 200, height + 20

    for network.frame, fingers in enumerate((height + 40, height - 40)):
        person.body.points[roots] = (190, fingers), (210, fingers)
        tracker.hands(image, person.body)

    assert network.asked == [1]


class HandAlong:
    """Sees a hand of 100 pixels at the wrist, which points along ``way``."""

    def __init__(self, wrist, way) -> None:
        self._points = wrist + np.linspace(0, 100, 21)[:, None] * way / np.hypot(*way)

    def run(self, image, roi: Roi) -> HandLandmarks:
        return HandLandmarks(points=self._points, depth=np.zeros(21), score=0.9)


def test_a_hand_that_points_back_at_its_elbow_is_none(model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch):
    """Landmarks that lie along the forearm are not believed, unless the forearm points at the camera."""
    image = astronaut()
    (person,) = PeopleFinder(model_pack).find(image)
    person.body.visibility[[15, 16]] = 1, 0
    wrist, elbow = person.body.points[[15, 13]]
    elbow[:] = wrist + [0, 200]

    def found(way: list[float]) -> bool:
        tracker = FaceHandsTracker(model_pack)
        monkeypatch.setattr(tracker, "_hand", HandAlong(wrist, np.array(way)))
        return tracker.hands(image, person.body)[0] is not None

    person.body.points[13] = elbow
    assert found([0, -1])
    assert found([1, 0])
    assert not found([0.3, 1])
    person.body.points[13] = wrist + [0, 10]
    assert found([0.3, 1])
