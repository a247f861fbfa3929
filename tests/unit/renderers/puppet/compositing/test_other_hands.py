"""Hands of others in front of the person."""

import cv2
import numpy as np
import pytest

from bodydouble.perception.pack import ModelPack
from bodydouble.perception.track import PersonTrack, empty_track
from bodydouble.renderers.puppet.compositing.other_hands import OtherHands, told_apart
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


def _track() -> PersonTrack:
    track = empty_track(6)
    track.present[:] = True
    track.body[:], track.visibility[:] = 300, 0.9
    return track


@pytest.mark.parametrize(
    ("wrist", "middle", "is_other"),
    [((60, 300), (110, 300), True), ((250, 300), (300, 300), False), ((280, 300), (330, 300), False)],
)
def test_another_hand_is_away_from_the_wrists_and_comes_from_the_edge(
    model_pack: ModelPack, wrist: tuple[int, int], middle: tuple[int, int], is_other: bool
) -> None:
    """Neither a hand in the middle of the frame is another's, nor one at the person's own wrist."""
    hands = OtherHands(model_pack, _track())
    ends = np.array([wrist, middle], np.float64)
    assert hands._is_apart(0, ends[0], ends[1], (480, 640)) == is_other


def test_a_hand_may_be_the_persons_own_while_a_wrist_is_out_of_sight(model_pack: ModelPack) -> None:
    """The body network guesses wrists that it does not see, or that the frame cuts off."""
    track, wrist, middle = _track(), np.array([60.0, 300.0]), np.array([110.0, 300.0])
    hands = OtherHands(model_pack, track)
    assert hands._is_apart(0, wrist, middle, (480, 640))
    track.body[0, 15, 1] = 500
    assert not hands._is_apart(0, wrist, middle, (480, 640))
    track.body[0, 15, 1], track.visibility[0, 16] = 300, 0.3
    assert not hands._is_apart(0, wrist, middle, (480, 640))


def test_a_hand_is_looked_for_in_every_frame_if_most_samples_show_it(
    monkeypatch: pytest.MonkeyPatch, model_pack: ModelPack
) -> None:
    """One frame in which the network errs brings no search, and no mask."""
    samples = [SampleFrame(index=k, image=np.zeros((4, 4, 3), np.uint8), matte=np.zeros((4, 4))) for k in range(6)]
    hands = OtherHands(model_pack, _track())
    for shown, expected in (({0, 1, 2, 4}, True), ({3}, False)):
        monkeypatch.setattr(OtherHands, "_hands", lambda self, index, image, s=shown: [_hand()] if index in s else [])
        assert hands.are_expected(samples) == expected
    assert hands.mask(0, samples[0].image) is None
    assert not hands.are_expected([])
