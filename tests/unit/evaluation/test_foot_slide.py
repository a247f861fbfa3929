"""Resting feet."""

import numpy as np
import pytest

from bodydouble.evaluation.foot_slide import foot_slide
from mannequin import joints, track_of

SIZE = (640, 480)


def _clip(steps: np.ndarray):
    return track_of([joints(head=40) + [step, 0] for step in steps])


def test_feet_that_slide_while_the_actors_rest_are_measured_at_480p():
    """Two pixels a frame at 480P, whatever the size of the frame."""
    still, sliding = _clip(np.zeros(12)), _clip(np.arange(12) * 2.0)

    assert foot_slide(still, sliding, SIZE) == pytest.approx(2, abs=1e-4)
    assert foot_slide(still, sliding, (1280, 960)) == pytest.approx(1, abs=1e-4)
    assert foot_slide(still, still, SIZE) == 0


def test_a_walking_actor_says_nothing():
    """Where no foot rests, or none is seen, there is no value."""
    walking = _clip(np.arange(12) * 5.0)
    hidden = _clip(np.zeros(12))
    hidden.visibility[:] = 0

    assert foot_slide(walking, walking, SIZE) is None
    assert foot_slide(hidden, hidden, SIZE) is None


def test_a_cut_is_no_slide():
    """The jump from one shot to the next does not count."""
    jump = np.r_[np.zeros(8), np.full(8, 100.0)]
    actor, character = _clip(np.zeros(16)), _clip(jump)
    for track in (actor, character):
        track.shot[8:] = 1

    assert foot_slide(actor, character, SIZE) == 0


def test_a_foot_that_the_network_takes_for_the_other_one_has_not_slid():
    """Left and right change places in two frames: nothing moved."""
    actor, character = _clip(np.zeros(16)), _clip(np.zeros(16))
    for left in (27, 29, 31):
        character.body[6:8, left] = character.body[6:8, left + 1]

    assert foot_slide(actor, character, SIZE) == 0
