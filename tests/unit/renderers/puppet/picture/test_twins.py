"""What an arm hides is as its twin shows it."""

import numpy as np

from bodydouble.renderers.puppet.picture.twins import as_the_twin, with_twin

SHAPE = (200, 300)
ARM = np.array([[60.0, 40], [60, 100], [90, 160]])
"""Shoulder, elbow and wrist, px."""
TWIN = np.array([[220.0, 40], [280, 40], [280, 100]])
"""Those of the other arm, which is raised to the side and bent down."""


def striped(joints, outwards):
    """(h, w, 3) a picture with a mark on the outer side of the upper arm's middle and one on the wrist."""
    image = np.full((*SHAPE, 3), 100, np.float32)
    middle = np.round((joints[0] + joints[1]) / 2 + 8 * np.array(outwards)).astype(int)
    wrist = np.round(joints[2]).astype(int)
    for (x, y), colour in ((middle, (200, 0, 0)), (wrist, (0, 200, 0))):
        image[y - 2 : y + 3, x - 2 : x + 3] = colour
    return image


def test_each_bone_is_laid_on_its_counterpart_in_a_mirror():
    """What is on the outer side of one arm is on the outer side of the other, at the same place along its bone."""
    laid = as_the_twin(striped(TWIN, (0, -1)), np.ones(SHAPE, np.bool_), ARM, TWIN, SHAPE)
    assert np.allclose(laid[70, 52, :3], (200, 0, 0), atol=2)
    assert np.allclose(laid[70, 68, :3], 100, atol=2)
    assert laid[159, 89, 1] > 150
    assert laid[70, 60, 3] == 1
    nowhere = as_the_twin(striped(TWIN, (0, -1)), np.zeros(SHAPE, np.bool_), ARM, TWIN, SHAPE)
    assert not nowhere[..., 3].any()


def test_only_a_twin_that_shows_far_more_is_believed():
    """An arm that shows a strip of its sleeve gets the twin's; one that shows half of it keeps its own colours."""
    twin = np.dstack([np.full((*SHAPE, 3), 50, np.float32), np.ones(SHAPE, np.float32)])
    colour = np.full((*SHAPE, 3), 48, np.float32)
    arm, forearm = np.zeros(SHAPE, np.bool_), np.zeros(SHAPE, np.bool_)
    arm[40:100, 40:80] = True
    taken: list[int] = []
    for width in (5, 25):
        known = arm.copy()
        known[:, 40 + width :] = False
        filled, mask = with_twin(colour, known, arm & ~known, forearm, twin)
        assert np.allclose(filled[mask], 48, atol=0.5)  # in the light of the arm
        taken.append(np.count_nonzero(mask))
    assert taken == [60 * 35, 0]


def test_a_narrow_strip_says_nothing_of_an_arms_light():
    """Beside a dress or hair it has their light: what is taken from the twin keeps its own."""
    twin = np.dstack([np.full((*SHAPE, 3), 100, np.float32), np.ones(SHAPE, np.float32)])
    colour = np.full((*SHAPE, 3), 80, np.float32)
    arm = np.zeros(SHAPE, np.bool_)
    arm[40:160, 40:80] = True
    known = arm.copy()
    known[:, 41:] = False
    filled, mask = with_twin(colour, known, arm & ~known, np.zeros(SHAPE, np.bool_), twin)
    assert np.allclose(filled[mask], 100, atol=0.5)
