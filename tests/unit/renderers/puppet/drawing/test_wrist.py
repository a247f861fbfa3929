"""The made-up wrist between a sleeve and a kept hand."""

import numpy as np

from bodydouble.renderers.puppet.drawing.drawing import lay_over
from bodydouble.renderers.puppet.drawing.wrist import wrist_of

SKIN = np.array([200.0, 150.0, 120.0])
HAND = np.zeros((21, 2))
HAND[:, 0] = np.linspace(0, 40, 21)
HAND[9], HAND[5], HAND[17] = [20, 0], [20, -8], [20, 8]


def test_skin_goes_from_the_hand_under_the_sleeve():
    """Between hand and sleeve there is skin, also beyond where the sleeve begins; the sleeve stays as it is."""
    wrist = wrist_of(HAND, 1.0, np.array([150.0, 60.0]), np.array([50.0, 60.0]), SKIN, 1.0)
    assert wrist is not None
    arm = np.zeros((80, 120, 4), np.uint8)
    arm[10:70, :92] = 10, 20, 30, 255  # a sleeve that ends 18 px before the hand

    drawn = wrist.drawn((40, 20, 160, 100))
    assert drawn is not None
    canvas = np.zeros_like(arm)
    lay_over(canvas, *drawn)
    lay_over(canvas, (0, 0, 120, 80), arm)

    assert (canvas[40, 95:108] == [200, 150, 120, 255]).all()
    assert (canvas[40, :90] == [10, 20, 30, 255]).all()
    assert not canvas[60, 95:].any()  # beside the wrist


def test_fingers_that_point_at_the_camera_have_a_whole_wrist():
    """A palm's width tells the size where the hand shows no length."""
    short = HAND.copy()
    short[9] = [2, 0]
    wide, seen = (
        wrist_of(points, 1.0, np.array([150.0, 60.0]), np.array([50.0, 60.0]), SKIN, 1.0) for points in (short, HAND)
    )

    assert wide is not None
    assert seen is not None
    assert np.isclose(wide.radius, seen.radius)


def test_no_wrist_without_a_kept_hand():
    """The puppet's own hand, a hand that is not seen, and a forearm that points at the camera need none."""
    place, elbow = np.array([150.0, 60.0]), np.array([50.0, 60.0])

    assert wrist_of(HAND, 1.0, place, elbow, SKIN, 0.0) is None
    assert wrist_of(np.full((21, 2), np.nan), 1.0, place, elbow, SKIN, 1.0) is None
    assert wrist_of(HAND, 1.0, place, place, SKIN, 1.0) is None
