"""Whom the search for people takes for the tracked person, and whom for others."""

from dataclasses import replace

import numpy as np

from bodydouble.perception.arrays import Box, Image, Points
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.people import Person
from bodydouble.perception.tracking import BodyTracker, PersonChoice
from seen_bodies import upright_body


class FindingTwice:
    """Stands in for the finder: it finds one person twice, and another one beside them."""

    def find(self, image: Image) -> list[Person]:
        boxes = [(100, 20, 200, 340), (101, 22, 203, 341), (180, 20, 300, 340)]
        return [
            Person(box=np.array(box, np.float64), score=0.9 - 0.1 * k, body=upright_body(float(box[0])))
            for k, box in enumerate(boxes)
        ]

    @property
    def body_net(self) -> "FindingTwice":
        """Measures nobody: a first search comes from ``find`` alone."""
        return self

    def run(self, image: Image, roi: Roi) -> BodyLandmarks:
        raise AssertionError(f"a body is measured in {roi}")

    def find_others(self, image: Image, known: Person) -> list[Box]:
        raise AssertionError(f"others than {known} are looked for")

    def find_near(self, image: Image, known: Person, place: Points) -> list[Person]:
        """Somebody at the left, and somebody before the legs."""
        boxes = [(0, 20, 60, 340), (130, 200, 260, 360)]
        return [Person(box=np.array(box, np.float64), score=0.9, body=upright_body(float(box[0]))) for box in boxes]


def test_a_person_who_is_found_twice_is_no_bystander_of_themselves() -> None:
    """Of three boxes, the one that nearly equals the chosen person's is left out; the neighbour's stays."""
    tracker = BodyTracker(FindingTwice(), PersonChoice())
    assert tracker.step(np.zeros((360, 640, 3), np.uint8)) is not None
    assert tracker.state.bystanders is not None
    assert tracker.state.others is not None
    assert tracker.state.bystanders[:, 0].tolist() == [180.0]
    assert len(tracker.state.others) == 1


def test_only_who_is_before_the_legs_is_added_to_the_bystanders() -> None:
    """Others whom that search finds are known from the search for all people; a second one finds nobody new."""
    tracker, image = BodyTracker(FindingTwice(), PersonChoice()), np.zeros((360, 640, 3), np.uint8)
    body = tracker.step(image)
    assert body is not None
    hidden = replace(body, points=upright_body(50).points)

    assert tracker.search_before_legs(image, hidden)
    assert tracker.state.bystanders is not None
    assert tracker.state.others is not None
    assert tracker.state.bystanders[:, 0].tolist() == [130.0, 180.0]
    assert tracker.state.others[0, 0] == upright_body(130).next_roi.x
    assert not tracker.search_before_legs(image, hidden)


class FindingOne(FindingTwice):
    """Stands in for the finder: it finds one person at ``x``, whom its body network loses at once."""

    x = 100.0

    def find(self, image: Image) -> list[Person]:
        box = np.array([self.x, 20, self.x + 100, 340])
        return [Person(box=box, score=0.9, body=upright_body(self.x))]

    def run(self, image: Image, roi: Roi) -> BodyLandmarks:
        return replace(upright_body(self.x), score=0.0)


GREY, BLUE, PINK = (120, 130, 140), (20, 40, 200), (250, 120, 150)


def _frame(scene: tuple[int, int, int], person: tuple[int, int, int], x: int = 100) -> Image:
    """A frame of one colour with a person of another one."""
    image = np.full((360, 640, 3), scene, np.uint8)
    image[20:340, x + 100 : x + 200] = person
    return image


def test_a_person_is_known_again_when_the_light_changes() -> None:
    """After a flash that colours the whole frame, who stands at the same place is the same person."""
    tracker = BodyTracker(FindingOne(), PersonChoice())
    assert tracker.step(_frame(PINK, (250, 60, 90))) is not None
    assert tracker.step(_frame(GREY, BLUE)) is not None


def test_somebody_in_other_clothes_is_somebody_else() -> None:
    """In unchanged light other clothes are another person; in changed light so is who stands elsewhere."""
    tracker = BodyTracker(FindingOne(), PersonChoice())
    assert tracker.step(_frame(GREY, BLUE)) is not None
    assert tracker.step(_frame(GREY, PINK)) is None

    finder = FindingOne()
    tracker = BodyTracker(finder, PersonChoice())
    assert tracker.step(_frame(PINK, (250, 60, 90))) is not None
    finder.x = 400.0
    assert tracker.step(_frame(GREY, BLUE, 400)) is None


class Standing(FindingOne):
    """Stands in for the finder: the person stays where they are, and is seen."""

    def run(self, image: Image, roi: Roi) -> BodyLandmarks:
        return upright_body(self.x)


def test_clothes_that_turn_are_only_doubted_where_somebody_else_is_near() -> None:
    """An open jacket looks otherwise from the front; only who reaches into the region can have captured it."""
    tracker = BodyTracker(Standing(), PersonChoice())
    assert tracker.step(_frame(GREY, BLUE)) is not None
    tracker.state.bystanders = np.array([[590.0, 166, 610, 218]])
    assert tracker.step(_frame(GREY, PINK)) is not None
    tracker.state.bystanders = np.array([[180.0, 20, 300, 340]])
    assert tracker.step(_frame(GREY, PINK)) is None


def test_somebody_far_smaller_is_not_the_person_who_was_just_lost() -> None:
    """In the same clothes at the edge of the picture; after a second the person may have come back from far away."""
    finder = FindingOne()
    tracker = BodyTracker(finder, PersonChoice())
    assert tracker.step(_frame(GREY, BLUE)) is not None
    assert tracker.state.last_roi is not None
    tracker.state.last_roi = replace(tracker.state.last_roi, size=5 * tracker.state.last_roi.size)
    assert tracker.step(_frame(GREY, BLUE)) is None
    tracker.state.lost_frames = 24
    assert tracker.step(_frame(GREY, BLUE)) is not None
