"""Hands of others in front of the person."""

import cv2
import numpy as np
import pytest

from bodydouble.perception.other_hands import OtherHandFinder
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.track import empty_track
from bodydouble.renderers.puppet.compositing.other_hands import OtherHands, rest_of_thing, told_apart
from bodydouble.renderers.puppet.compositing.samples import SampleFrame

SKIN, CUP, TROUSERS, ROAD = (215, 165, 140), (240, 240, 245), (20, 20, 25), (110, 110, 105)


def _hand() -> np.ndarray:
    """A hand of 20 px at (60, 80) that points to the right; its forearm comes from the left."""
    wrist = np.array([60.0, 80.0])
    hand = np.tile(wrist, (21, 1))
    for finger in range(5):
        for joint in range(4):
            hand[1 + 4 * finger + joint] = wrist + [20 + 5 * joint - 8 * (finger == 0), 4.5 * (finger - 2)]
    hand[9] = wrist + [20, 0]
    return hand


def _picture() -> tuple[np.ndarray, np.ndarray]:
    """The person's dark legs on a road, and before them a hand with a cup; and where hand, sleeve and cup are."""
    image, front = np.full((160, 160, 3), ROAD, np.uint8), np.zeros((160, 160), np.uint8)
    cv2.rectangle(image, (50, 10), (140, 150), TROUSERS, -1)
    for canvas, value in ((image, SKIN), (front, (255,))):
        cv2.line(canvas, (0, 80), (60, 80), value, 14)
        cv2.ellipse(canvas, (80, 80), (22, 12), 0, 0, 360, value, -1)
    for canvas, value in ((image, CUP), (front, (255,))):
        cv2.rectangle(canvas, (72, 54), (94, 72), value, -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.8), np.uint8), front > 0


def test_a_hand_from_the_edge_is_told_from_the_person_with_what_it_holds() -> None:
    """Hand, forearm and cup are found; of the person's legs behind them little is."""
    image, front = _picture()
    nothing = np.full((33, 2), np.nan)
    found = told_apart(image, _hand(), nothing, [])
    assert found[front].mean() > 0.9
    assert found[~front].sum() < 0.15 * front.sum()
    assert np.array_equal(found, told_apart(image, _hand(), nothing, []))


@pytest.mark.parametrize(("wide", "whole"), [(30, True), (70, False)])
def test_what_goes_on_from_a_held_thing_and_ends_is_held(wide: int, whole: bool) -> None:
    """A lid is completed, though sleeves behind it have its colour; what is as wide as a sleeve is none."""
    image = np.full((160, 160, 3), TROUSERS, np.uint8)
    cv2.ellipse(image, (83, 58), (wide // 2, 10), 0, 0, 360, CUP, -1)
    found = np.zeros((160, 160), np.uint8)
    found[52:75, 78:88] = 1
    grip, rise = np.array([83.0, 72.0]), np.array([83.0, 62.0])
    more = rest_of_thing(np.asarray(cv2.GaussianBlur(image, (0, 0), 0.8), np.uint8), found, grip, rise, [])
    assert more[58, 71] == more[58, 95] == whole
    assert not more[:45].any()
    own = np.array([[68.0, 50.0], [76.0, 50.0], [76.0, 66.0], [68.0, 66.0]])
    assert not rest_of_thing(image, found, grip, rise, [own])[52:64, 69:75].any()


def test_a_hand_is_looked_for_in_every_frame_if_most_samples_show_it(
    monkeypatch: pytest.MonkeyPatch, model_pack: ModelPack
) -> None:
    """One frame in which the network errs brings no search, and no mask."""
    samples = [SampleFrame(index=k, image=np.zeros((4, 4, 3), np.uint8), matte=np.zeros((4, 4))) for k in range(6)]
    hands = OtherHands(model_pack, empty_track(6))
    for shown, expected in (({0, 1, 2, 4}, True), ({3}, False)):
        monkeypatch.setattr(
            OtherHandFinder, "find", lambda self, index, image, s=shown: [_hand()] if index in s else []
        )
        assert hands.are_expected(samples) == expected
    assert hands.mask(0, samples[0].image) is None
    assert not hands.are_expected([])
