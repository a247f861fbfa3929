"""Tracking the face of one body."""

from bodydouble.perception import ModelPack
from bodydouble.perception.face_and_hands import FACE_SEARCH_SCALES, FaceHandsTracker
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
