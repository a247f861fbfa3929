"""How limbs are drawn that fold otherwise than in their picture."""

import numpy as np

from bodydouble.perception.body_template import BONES
from bodydouble.renderers.puppet.body.surface import Surface
from bodydouble.renderers.puppet.drawing.drawing import lay_under
from bodydouble.renderers.puppet.drawing.placed_layer import paint_order, place_layer, strip_bend
from bodydouble.renderers.puppet.picture.joint_patches import JointPatch, joint_patch
from bodydouble.renderers.puppet.picture.layers import Layer


def test_transparent_triangles_between_two_limbs_that_part_are_painted_first() -> None:
    """First stretched transparent ones, then others with a rim, then opaque ones: turned away, far, near."""
    opaque = np.array([True, True, False, False, True, True])
    area = np.array([1.0, -1.0, 1.0, 1.0, 1.0, 1.0])
    stretched = np.array([1.0, 1.0, 1.0, 5.0, 1.0, 1.0])
    depth = np.array([0.0, 0.0, 0.0, -9.0, 3.0, 0.0])

    order = paint_order(depth, area, opaque=opaque, stretched=stretched).tolist()

    assert order[:3] == [3, 2, 1]
    assert order.index(4) < order.index(0)  # the farther one first


def _surface() -> Surface:
    weights = np.full((60, 60, len(BONES)), 1 / len(BONES), np.float32)
    return Surface(weights=weights, depth=np.zeros((60, 60), np.float32), inside=np.ones((60, 60), np.bool_), step=1)


def test_a_strip_under_a_joint_has_the_limbs_colour_and_lies_in_its_middle() -> None:
    """An arm of 12 pixels beside its bone has a strip of its own colour; where it is not seen there is none."""
    rgba = np.zeros((60, 60, 4), np.uint8)
    rgba[:, 14:26] = (200, 100, 50, 255)
    joints, bones = np.array([[23.0, 5.0], [23.0, 30.0], [23.0, 55.0]]), ("upperarm_l", "lowerarm_l")

    patch = joint_patch(rgba, None, joints, bones, _surface(), 10.0)

    assert patch is not None
    assert 4 <= patch.radius <= 6
    assert patch.colour.tolist() == [200, 100, 50, 255]
    assert np.abs(patch.points[:, 0] - 19.5).max() < 1
    assert patch.points[[1, 3], 1].tolist() == [30, 30]
    assert [BONES[k] for k in patch.weights.argmax(1)] == [*["upperarm_l"] * 2, *["lowerarm_l"] * 2]
    assert patch.in_front
    hidden = joint_patch(rgba, np.zeros_like(rgba), joints, bones, _surface(), 10.0)
    assert hidden is not None
    assert not hidden.in_front
    assert joint_patch(rgba, None, joints + [25, 0], bones, _surface(), 10.0) is None
    assert joint_patch(rgba, None, joints + [0, 90], bones, _surface(), 10.0) is None


def test_two_limbs_before_each_other_have_no_strip() -> None:
    """What is wider than an arm is a forearm over an upper arm: nobody knows where either ends."""
    rgba = np.zeros((60, 60, 4), np.uint8)
    rgba[:, 10:30] = (200, 100, 50, 255)
    joints = np.array([[20.0, 5.0], [20.0, 30.0], [20.0, 55.0]])

    assert joint_patch(rgba, None, joints, ("upperarm_l", "lowerarm_l"), _surface(), 10.0) is None


def test_what_is_laid_under_fills_holes_only() -> None:
    """A hole at the joint gets the strip's colour; what is drawn there stays."""
    rgba = np.zeros((20, 20, 4), np.uint8)
    rgba[:, :10] = (10, 20, 30, 255)

    colour = np.array([200, 100, 50, 255], np.uint8)
    lay_under(rgba, np.array([[10.0, 4.0], [10.0, 10.0], [4.0, 10.0]]), 4.0, colour)

    assert rgba[10, 11].tolist() == [200, 100, 50, 255]
    assert rgba[6, 11].tolist() == [200, 100, 50, 255]
    assert rgba[10, 8].tolist() == [10, 20, 30, 255]
    assert not rgba[10, 18].any()
    lay_under(rgba, np.array([[-50.0, 10.0], [-60.0, 10.0]]), 4.0, colour)  # outside: nothing happens


def test_the_edge_of_what_is_laid_under_keeps_its_colour_as_it_fades() -> None:
    """The puppet's edge is softened later: where a hard one ends, its colour is black."""
    rgba = np.zeros((30, 30, 4), np.uint8)

    lay_under(rgba, np.array([[8.0, 15.0], [15.0, 15.0], [22.0, 15.0]]), 5.0, np.array([200, 200, 200, 255], np.uint8))

    column = rgba[:, 15, 3].astype(int)
    rim = np.flatnonzero((column > 2) & (column < 253))
    assert len(rim) >= 6
    assert np.abs(rgba[rim, 15, 0] / column[rim] - 200 / 255).max() < 0.2


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


def test_the_box_of_a_limb_holds_the_strip_under_its_joint() -> None:
    """A strip that is wider than the limb's own triangles would be cut off straight."""
    vertices = np.array([[10.0, 5, 0], [14, 5, 0], [10, 25, 0], [14, 25, 0]])
    rgba = np.full((30, 30, 4), 255, np.uint8)
    patch = JointPatch(
        points=np.zeros((4, 3)), weights=np.zeros((4, len(BONES))), radius=6.0, colour=rgba[0, 0], in_front=True
    )
    layer = Layer(
        vertices=vertices,
        weights=np.zeros((4, len(BONES))),
        triangles=np.array([[0, 1, 2], [1, 3, 2]]),
        opaque=np.ones(2, np.bool_),
        rgba=rgba,
        front=None,
        joint=patch,
    )
    joint = np.array([[12.0, 8.0], [12, 15], [12, 22], [12, 15]])

    placed = place_layer(layer, vertices, 60, 60, joint=joint, scale=1.0)

    assert placed is not None
    x0, y0, x1, y1 = placed.box
    assert x0 <= 12 - 6
    assert x1 >= 12 + 6
    assert (y1 - y0, x1 - x0) == placed.source.shape[:2]
