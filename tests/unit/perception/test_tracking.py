"""Whom the search for people takes for the tracked person, and whom for others."""

import numpy as np

from bodydouble.perception.arrays import Box, Image
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


def test_a_person_who_is_found_twice_is_no_bystander_of_themselves() -> None:
    """Of three boxes, the one that nearly equals the chosen person's is left out; the neighbour's stays."""
    tracker = BodyTracker(FindingTwice(), PersonChoice())
    assert tracker.step(np.zeros((360, 640, 3), np.uint8)) is not None
    assert tracker.state.bystanders is not None
    assert tracker.state.others is not None
    assert tracker.state.bystanders[:, 0].tolist() == [180.0]
    assert len(tracker.state.others) == 1
