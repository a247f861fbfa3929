"""The outline of bent elbows and knees."""

import numpy as np

from bodydouble.renderers.puppet.bends import round_bend, strip_bend


def test_a_strip_bends_inside_the_corner_that_its_limb_has_in_the_picture() -> None:
    """The joint's landmark is at the outer corner of an elbow: the strip stays on the inner side."""
    upper, upper_end = np.array([-4.0, -20.0]), np.array([-4.0, 0.0])
    lower, lower_end = np.array([-20.0, -4.0]), np.array([0.0, -4.0])

    folded = strip_bend(upper, upper_end, lower, lower_end)
    straight = strip_bend(upper, upper_end, np.array([-4.0, 20.0]), np.array([-4.0, 0.0]))
    other_way = strip_bend(upper, upper_end, np.array([20.0, 4.0]), np.array([0.0, 4.0]))

    assert np.abs(folded - [-4, -4]).max() < 0.5
    assert np.abs(straight - [-4, 0]).max() < 0.5
    assert np.abs(other_way - [-2, 2]).max() < 0.5


MIDDLE = np.array([30.0, 30])


def _bent() -> np.ndarray:
    """The joint of an upper arm that hangs and a forearm to the right."""
    return np.array([[30.0, 10], [30, 30], [50, 30], [30, 30]])


def test_beyond_both_bones_a_bend_ends_round() -> None:
    """The wedge outside the elbow is cut to a circle; straight limbs stay, and so does what points at the camera."""
    found = round_bend(_bent(), MIDDLE, 8.0, 80, 80)

    assert found is not None
    (x0, y0, x1, y1), part = found
    kept = np.full((80, 80), 255, np.uint8)
    kept[y0:y1, x0:x1] = part[..., 0]
    assert kept[34, 26] == 255
    assert kept[40, 20] == 0
    assert kept[:26].min() == kept[:, 35:].min() == 255
    assert round_bend(np.array([[30.0, 10], [30, 30], [30, 50], [30, 30]]), MIDDLE, 8.0, 80, 80) is None
    short = round_bend(np.array([[30.0, 10], [30, 30], [32, 30], [30, 30]]), MIDDLE, 8.0, 80, 80)
    assert short is not None
    x0, y0 = short[0][:2]
    assert short[1][40 - y0, 20 - x0].min() == 255


def test_a_bone_without_any_length_cuts_nothing_off() -> None:
    """Both points of a bone that points straight at the camera are one: the round end is wider than the frame."""
    joint = _bent()
    joint[2] = joint[3]

    found = round_bend(joint, MIDDLE, 20.0, 80, 80)

    assert found is not None
    assert found[1].min() == 255
