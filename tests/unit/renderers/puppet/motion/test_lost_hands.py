"""Hands that the hand network loses for a while."""

import numpy as np

from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from mannequin import joints, track_of

FOUND = slice(5, 15)


def _waving(shots: list[int] | None = None) -> PersonTrack:
    """Sixty frames of somebody who walks to the right; the left hand's landmarks are found in ten of them."""
    track = track_of([joints(centre=200.0 + i) for i in range(60)], shots=shots)
    track.hand_found[FOUND, 0] = True
    track.hands[FOUND, 0] = 0
    shape = np.random.default_rng(0).normal(0, 5, (21, 2))
    shape[0] = 0
    track.hands[FOUND, 0, :, :2] = track.body[FOUND, 15, None, :2] + shape
    return track


def test_a_lost_hand_stays_at_the_end_of_its_arm_for_a_while():
    """A hand that is lost a short time after it was seen is kept, where the wrist has gone; later it is not."""
    track = _waving()
    motion = build_motion(track, 25.0)

    assert (motion.hand_weight[:24, 0] == 1).all()
    assert np.allclose(motion.hands[22, 0, 0], track.body[22, 15, :2], atol=1)
    assert np.allclose(
        motion.hands[22, 0] - motion.hands[22, 0, 0], motion.hands[10, 0] - motion.hands[10, 0, 0], atol=1
    )
    assert (motion.hand_weight[40:, 0] == 0).all()


def test_a_hand_is_not_kept_where_the_wrist_is_hidden_or_after_a_cut():
    """Once the arm's end was hidden, and in another shot, nothing says where the hand is."""
    hidden, cut = _waving(), _waving([0] * 18 + [1] * 42)
    hidden.visibility[15:18, 15] = 0.3

    assert (build_motion(hidden, 25.0).hand_weight[15:, 0] == 0).all()
    assert (build_motion(cut, 25.0).hand_weight[18:, 0] == 0).all()
    assert (build_motion(cut, 25.0).hand_weight[:18, 0] == 1).all()
