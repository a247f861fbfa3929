"""Which frame shows a hand best."""

import numpy as np
import pytest

from bodydouble.media.keeping import KEPT_STEP
from bodydouble.renderers.puppet.motion import hand_sources as hand_sources_module
from bodydouble.renderers.puppet.motion.hand_sources import GRID, hand_axis, hand_sources, hand_transform

RATE = 25.0
SIZE = (200, 200)


def _hand() -> np.ndarray:
    """(21, 2) an open hand that points down, with its wrist at (100, 100)."""
    roots = np.array([[-10.0, 8], [-8, 24], [-2, 25], [4, 24], [9, 22]])
    fingers = [root * share for root in roots for share in (1.0, 1.3, 1.6, 1.9)]
    return np.array([[0.0, 0.0], *fingers]) + 100


def _sources(hands: np.ndarray, measured: np.ndarray, shot: list[int] | None = None) -> list[int]:
    """The left hand's sources."""
    both = np.stack([hands, hands], 1)
    shots = np.array(shot or [0] * len(hands), np.int32)
    found = np.stack([measured, measured], 1)
    return hand_sources(both, found, np.ones_like(found), shots, RATE, SIZE)[:, 0].tolist()


def test_a_measured_hand_is_its_own_source_and_a_lost_one_has_the_nearest():
    """Frames without a measurement take the nearest frame that the reader has kept."""
    measured = np.ones(40, np.bool_)
    measured[11:15] = False

    sources = _sources(np.stack([_hand()] * 40), measured)

    assert sources[:10] == list(range(10))
    assert sources[11:15] == [8, 8, 16, 16]
    assert sources[16:] == list(range(16, 40))


def test_only_frames_that_the_reader_keeps_are_sources_for_others():
    """Any other frame would be decoded once more."""
    assert GRID % KEPT_STEP == 0


def test_in_a_long_shot_with_few_gaps_each_gap_has_a_source():
    """The number of frames that are sources is bounded by what is needed, not by the shot's length."""
    measured = np.ones(4000, np.bool_)
    measured[1003:1006] = measured[3003:3006] = False

    sources = _sources(np.stack([_hand()] * 4000), measured)

    assert sources[1003:1006] == [1000, 1000, 1008]
    assert sources[3003:3006] == [3000, 3000, 3008]


def test_a_shot_that_needs_many_sources_has_a_bounded_number(monkeypatch: pytest.MonkeyPatch):
    """Their hands are kept in memory: where there would be too many, fewer frames are sources."""
    monkeypatch.setattr(hand_sources_module, "SOURCES_MAX", 5)
    measured = np.arange(200) % 8 == 0

    sources = _sources(np.stack([_hand()] * 200), measured)

    others = {source for i, source in enumerate(sources) if source not in (-1, i)}
    assert 0 < len(others) <= 5


def test_a_hand_has_no_source_in_another_shot_or_far_away():
    """Nothing is carried across a cut, nor for longer than a hand keeps its shape."""
    measured = np.zeros(60, np.bool_)
    measured[:10] = True
    hands = np.stack([_hand()] * 60)

    assert _sources(hands, measured)[-1] == -1
    assert _sources(hands, measured)[14] == 8
    assert _sources(hands, measured, [0] * 12 + [1] * 48)[12:] == [-1] * 48


def test_a_hand_that_the_frame_cuts_off_or_that_shrinks_is_taken_from_a_frame_that_shows_it_whole():
    """Such frames are sources only where no other is near."""
    hands = np.stack([_hand()] * 20)
    cut, small = hands.copy(), hands.copy()
    cut[10, :, 1] += 60
    small[10] = 100 + 0.5 * (small[10] - 100)

    for changed in (cut, small):
        assert _sources(changed, np.ones(20, np.bool_))[9:12] == [9, 8, 11]
    everywhere = hands + [0.0, 60.0]
    assert _sources(everywhere, np.ones(20, np.bool_)) == list(range(20))


def test_a_hand_that_points_at_the_camera_is_as_long_as_its_palm_is_wide():
    """Its axis points to where most of the hand is, whatever the short way from wrist to knuckles says."""
    hand = _hand()
    short = hand.copy()
    short[:, 1] = 100 + 0.1 * (hand[:, 1] - 100)

    assert np.allclose(hand_axis(hand), hand[9] - hand[0])
    assert np.hypot(*hand_axis(short)) > 20
    assert np.isfinite(hand_axis(np.full((21, 2), 5.0))).all()


def test_a_hand_is_moved_to_the_wrist_and_turned():
    """It keeps its size."""
    hand = _hand()
    turned = (hand - 100)[:, ::-1] * [1.0, -1.0] * 1.2 + [50.0, 60.0]

    matrix = hand_transform(hand, turned)

    moved = hand @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(moved[0], [50, 60])
    assert np.allclose(moved - moved[0], (turned - turned[0]) / 1.2)
