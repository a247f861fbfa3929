"""Hands of others in front of the person."""

import numpy as np
import pytest

from bodydouble.perception.other_hands import OtherHandFinder
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.track import PersonTrack, empty_track


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
    hands = OtherHandFinder(model_pack, _track())
    ends = np.array([wrist, middle], np.float64)
    assert hands.is_apart(0, ends[0], ends[1], (480, 640)) == is_other


def test_a_hand_may_be_the_persons_own_while_a_wrist_is_out_of_sight(model_pack: ModelPack) -> None:
    """The body network guesses wrists that it does not see, or that the frame cuts off."""
    track, wrist, middle = _track(), np.array([60.0, 300.0]), np.array([110.0, 300.0])
    hands = OtherHandFinder(model_pack, track)
    assert hands.is_apart(0, wrist, middle, (480, 640))
    track.body[0, 15, 1] = 500
    assert not hands.is_apart(0, wrist, middle, (480, 640))
    track.body[0, 15, 1], track.visibility[0, 16] = 300, 0.3
    assert not hands.is_apart(0, wrist, middle, (480, 640))
