"""How limbs are drawn that fold otherwise than in their picture."""

import numpy as np

from bodydouble.renderers.puppet.drawing.drawing import lay_under
from bodydouble.renderers.puppet.drawing.placed_layer import paint_order
from bodydouble.renderers.puppet.picture.joint_patches import joint_patch


def test_transparent_triangles_between_two_limbs_that_part_are_painted_first() -> None:
    """First stretched transparent ones, then others with a rim, then opaque ones: turned away, far, near."""
    opaque = np.array([True, True, False, False, True, True])
    area = np.array([1.0, -1.0, 1.0, 1.0, 1.0, 1.0])
    stretched = np.array([1.0, 1.0, 1.0, 5.0, 1.0, 1.0])
    depth = np.array([0.0, 0.0, 0.0, -9.0, 3.0, 0.0])

    order = paint_order(depth, area, opaque=opaque, stretched=stretched).tolist()

    assert order[:3] == [3, 2, 1]
    assert order.index(4) < order.index(0)  # the farther one first


def test_a_disc_under_a_joint_has_the_limbs_colour_and_stays_inside_it() -> None:
    """A limb of 12 pixels has a disc of its own colour under its joint; where it is not seen there is none."""
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[:, 14:26] = (200, 100, 50, 255)

    patch = joint_patch(rgba, None, np.array([20.0, 20.0]))

    assert patch is not None
    assert 3 <= patch.radius <= 6
    assert patch.colour.tolist() == [200, 100, 50, 255]
    assert joint_patch(rgba, None, np.array([5.0, 20.0])) is None
    assert joint_patch(rgba, np.zeros_like(rgba), np.array([20.0, 20.0])) is None
    assert joint_patch(rgba, None, np.array([20.0, 90.0])) is None


def test_what_is_laid_under_fills_holes_only() -> None:
    """A hole at the joint gets the disc's colour; what is drawn there stays."""
    rgba = np.zeros((20, 20, 4), np.uint8)
    rgba[:, :10] = (10, 20, 30, 255)

    lay_under(rgba, np.array([10.0, 10.0]), 4.0, np.array([200, 100, 50, 255], np.uint8))

    assert rgba[10, 12].tolist() == [200, 100, 50, 255]
    assert rgba[10, 8].tolist() == [10, 20, 30, 255]
    assert not rgba[10, 17].any()
    lay_under(rgba, np.array([-50.0, 10.0]), 4.0, np.array([1, 1, 1, 255], np.uint8))  # outside: nothing happens
