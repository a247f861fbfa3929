"""Other people near the tracked one."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

import material
from bodydouble.perception import ModelPack
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.landmarks import BodyLandmarks, HandLandmarks
from bodydouble.perception.matte import MatteMaker
from bodydouble.perception.people import HEAD_POINTS, PeopleFinder
from bodydouble.perception.person_landmarks import PersonLandmarks
from bodydouble.perception.rivals import NOBODY, RivalTracker, claimed_by, head_size, regions_of, without_arms


def side_by_side(apart: int = 280) -> np.ndarray:
    """The same woman twice: her left copy lies before the right one, ``apart`` pixels to its left."""
    image = material.astronaut()
    result = np.full((512, 512 + apart, 3), 200, np.uint8)
    result[:, apart:] = image
    result[:, :448] = image[:, :448]
    return result


@pytest.fixture(scope="module")
def couple(model_pack: ModelPack) -> tuple[np.ndarray, BodyLandmarks, BodyLandmarks]:
    """A picture of two people, and both bodies, left one first."""
    image = side_by_side()
    people = sorted(PeopleFinder(model_pack).find(image), key=lambda person: person.box[0])
    assert len(people) == 2
    return image, people[0].body, people[1].body


def test_what_both_segmentations_hold_belongs_to_the_nearer_skeleton(couple) -> None:
    """Of a picture that two bodies claim altogether, each gets its own side."""
    image, left, right = couple
    everything = np.full(image.shape[:2], 255, np.uint8)
    cv2.circle(everything, left.points[0].astype(int).tolist(), 90, 0, -1)  # else it holds both people

    claimed = claimed_by([(right, everything)], left, (0.0, 0.0), 1.0)

    for body, level in ((left, 0), (right, 255)):
        x, y = body.points[[BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER]].mean(0).astype(int)
        assert claimed[y, x] == level


def test_a_segmentation_that_holds_the_own_head_claims_nothing(couple) -> None:
    """Where the network took both people for one, nobody is told apart."""
    image, left, right = couple
    everything = np.full(image.shape[:2], 255, np.uint8)
    assert not claimed_by([(right, everything)], left, (0.0, 0.0), 1.0).any()


def test_two_who_embrace_stay_two(couple, model_pack: ModelPack) -> None:
    """Their heads touch, and a segmentation holds both; their trunks are apart, as those of one person are not."""
    image, left, right = couple
    everything = np.full(image.shape[:2], 255, np.uint8)
    points = right.points.copy()
    points[HEAD_POINTS] += left.points[HEAD_POINTS].mean(0) + [head_size(left) / 2, 0] - points[HEAD_POINTS].mean(0)
    near = replace(right, points=points)
    claimed = claimed_by([(near, everything)], left, (0.0, 0.0), 1.0)
    x, y = right.points[[BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER]].mean(0).astype(int)
    assert claimed[y, x] == 255
    moved = replace(left, points=left.points + [head_size(left) / 2, 0])
    assert not claimed_by([(moved, everything)], left, (0.0, 0.0), 1.0).any()


def test_an_arm_that_another_reaches_out_is_theirs(couple) -> None:
    """A hand that both bodies end in belongs to the arm that is better seen, and not to a guessed one."""
    image, left, right = couple
    shoulder = left.points[BodyPoint.LEFT_SHOULDER]
    wrist, hanging, reaching = shoulder + [50, 50], shoulder + [0, 130], shoulder + [140, 50]

    def with_arm(body: BodyLandmarks, names: tuple[BodyPoint, BodyPoint], elbow: np.ndarray, seen: float):
        points = body.points.copy()
        points[list(names)] = elbow, wrist
        return replace(body, points=points, visibility=np.full(33, seen, np.float32))

    other = with_arm(right, (BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST), reaching, 0.7)
    arm = np.zeros(image.shape[:2], np.uint8)
    cv2.line(arm, reaching.astype(int).tolist(), wrist.astype(int).tolist(), 255, 16)
    theirs = [
        claimed_by(
            [(other, arm)],
            with_arm(left, (BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST), hanging, seen),
            (0.0, 0.0),
            1.0,
        )
        for seen in (0.4, 1.0)
    ]
    x, y = np.round(wrist).astype(int)
    assert theirs[0][y, x] > 127
    assert theirs[1][y, x] < 127


def test_who_is_near_is_followed_and_nobody_else(couple, model_pack: ModelPack) -> None:
    """A body is told in every frame from its region on; without regions no network runs."""
    image, left, right = couple
    tracker = RivalTracker(model_pack)
    assert tracker.follow(image, left, NOBODY) == []

    for _ in range(5):
        (other,) = tracker.follow(image, left, regions_of([right]))
        assert np.hypot(*(other.points[0] - right.points[0])) < 20
    assert RivalTracker(model_pack).follow(image, right, regions_of([right])) == []


def test_rivals_are_the_same_after_a_restart(couple, model_pack: ModelPack) -> None:
    """A tracker that continues from a saved state gives the bodies of one that was never interrupted."""
    image, left, right = couple
    tracker, resumed = RivalTracker(model_pack), RivalTracker(model_pack)
    for _ in range(3):
        tracker.follow(image, left, regions_of([right]))
    tracker.restore(tracker.state)
    resumed.restore(tracker.state)
    pairs = [[t.follow(image, left, regions_of([right]))[0] for t in (tracker, resumed)] for _ in range(4)]
    assert all(np.array_equal(a.points, b.points) for a, b in pairs)


def test_a_matte_leaves_the_neighbour_out(couple, model_pack: ModelPack) -> None:
    """A pose segmentation that holds two people gives a matte of one when the other is known."""
    image, left, right = couple
    both = replace(left, segmentation=np.full_like(left.segmentation, 255))
    x, y = right.points[0].astype(int)
    levels: list[int] = []
    for others in (NOBODY, regions_of([right])):
        made = MatteMaker(model_pack).make(image, PersonLandmarks(body=both), others)
        levels.append(int(made.spread(image.shape[1], image.shape[0])[y, x]))
    assert levels[0] > 200
    assert levels[1] < 50


def test_arms_of_others_are_no_arms_of_the_person(couple) -> None:
    """Without an arm that is another's, elbow and hand are hidden, and the other arm is as it was."""
    _, left, _ = couple
    hand = HandLandmarks(points=np.zeros((21, 2)), depth=np.zeros(21), score=1.0)
    seen = PersonLandmarks(body=replace(left, visibility=np.ones(33, np.float32)), hands=(hand, hand))

    person = without_arms(seen, np.array([True, False]))

    assert person.hands == (None, hand)
    assert person.body.visibility[BodyPoint.LEFT_WRIST] == 0
    assert person.body.visibility[BodyPoint.RIGHT_WRIST] == person.body.visibility[BodyPoint.LEFT_SHOULDER] == 1
