"""What is taken out of the picture."""

import numpy as np

from bodydouble.renderers.puppet.compositing.removal import (
    hair_left_over,
    matte_mask,
    removal_mask,
    unknown_mask,
)
from mannequin import joints


def test_wisps_of_a_faint_matte_are_background_and_blurred_hands_are_not() -> None:
    """Thin and far from the person: foliage that the matte let pass. In one thick piece, or near: the person."""
    matte = np.zeros((480, 640), np.uint8)
    matte[100:400, 200:300] = 255
    matte[200:260, 300:306] = 40  # a fringe of hair
    matte[300:303, 300:400] = 60  # a twig that touches the person
    matte[150:190, 330:370] = 60  # a blurred hand
    gone = matte_mask(matte)
    assert gone[200:260, 305].all()
    assert not gone[301, 330:400].any()
    assert gone[155:185, 335:365].all()


def test_legs_and_shoes_that_the_matte_misses_are_removed_and_never_learned() -> None:
    """Both masks cover the visible limbs' landmarks, the one for learning more widely; hidden limbs stay."""
    pose = joints(50.0, 250.0, 40.0)
    nothing = np.zeros((480, 500), np.uint8)
    seen = np.full(33, 0.9)
    gone, unknown = removal_mask(nothing, pose, seen), unknown_mask(nothing, pose, seen)
    for joint in (25, 26, 27, 28, 31, 32, 15, 16):
        x, y = np.round(pose[joint]).astype(int)
        assert gone[y, x] == 255
    assert np.count_nonzero(unknown) > 1.3 * np.count_nonzero(gone)
    assert (unknown[gone > 0] == 255).all()
    assert not removal_mask(nothing, pose, np.zeros(33)).any()
    assert not unknown_mask(nothing, np.full((33, 3), np.nan), seen).any()


def test_hair_that_the_matte_misses_is_found_by_the_plate() -> None:
    """A pigtail that touches the mask is hair; the same thing far from the head, or apart from the mask, is not."""
    pose = joints(50.0, 250.0, 40.0)
    plate = np.full((480, 500, 3), 150, np.uint8)
    gone = np.zeros((480, 500), np.uint8)
    gone[40:120, 230:270] = 255
    source = plate.copy()
    source[60:110, 270:285] = 30  # a pigtail
    source[60:110, 292:296] = 30  # a thing on the wall
    source[300:340, 270:285] = 30  # another, at the knees
    hair = hair_left_over(gone, source, plate, pose, (0, 0)) > 0
    assert hair[65:105, 272:283].all()
    assert not hair[60:110, 294:].any()
    assert not hair[250:].any()
