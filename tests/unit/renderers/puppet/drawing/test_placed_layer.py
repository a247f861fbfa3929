"""How limbs are drawn that fold otherwise than in their picture."""

from dataclasses import replace

import numpy as np
import pytest

from bodydouble.perception.arrays import Bytes, Mask, PixelBox
from bodydouble.perception.body_template import BONES
from bodydouble.renderers.puppet.body.surface import Surface
from bodydouble.renderers.puppet.drawing import placed_layer
from bodydouble.renderers.puppet.drawing.drawing import draw_strip, lay_over
from bodydouble.renderers.puppet.drawing.placed_layer import paint_order, place_layer
from bodydouble.renderers.puppet.picture.joint_patches import JointPatch, joint_patch
from bodydouble.renderers.puppet.picture.layer import Layer


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


def _drawn(pieces: list[tuple[PixelBox, Bytes]], side: int) -> Bytes:
    canvas = np.zeros((side, side, 4), np.uint8)
    for box, rgba in pieces:
        lay_over(canvas, box, rgba)
    return canvas


def test_a_strip_lies_along_its_line() -> None:
    """It covers its radius to either side and ends there; outside the frame there is none."""
    colour = np.array([200, 100, 50, 255], np.uint8)
    strip = draw_strip(np.array([[10.0, 4.0], [10.0, 10.0], [4.0, 10.0]]), 4.0, colour, 20, 20)

    assert strip is not None
    rgba = _drawn([strip], 20)
    assert rgba[10, 11].tolist() == [200, 100, 50, 255]
    assert rgba[6, 11].tolist() == [200, 100, 50, 255]
    assert not rgba[10, 18].any()
    assert draw_strip(np.array([[-50.0, 10.0], [-60.0, 10.0]]), 4.0, colour, 20, 20) is None


def test_the_edge_of_a_strip_keeps_its_colour_as_it_fades() -> None:
    """The puppet's edge is softened later: where a hard one ends, its colour is black."""
    strip = draw_strip(
        np.array([[15.0, 8.0], [15.0, 15.0], [15.0, 22.0]]), 5.0, np.array([200, 100, 50, 255], np.uint8), 30, 30
    )

    assert strip is not None
    rgba = _drawn([strip], 30)
    column = rgba[:, 15, 3].astype(float)
    rim = np.flatnonzero((column > 20) & (column < 255))
    assert len(rim) >= 4
    assert np.abs(rgba[rim, 15, 0] / column[rim] - 200 / 255).max() < 0.2


def _folding_limb(joint: JointPatch | None, beyond: Mask | None) -> Layer:
    """A limb of 60 x 20 pixels, of which the outer half is red, with a transparent rim of 4 pixels."""
    columns, rows = np.arange(0, 61, 10), np.array([0, 10, 20])
    vertices = np.array([[x, y, 0] for y in rows for x in columns], np.float64)
    number = np.arange(len(vertices)).reshape(len(rows), len(columns))
    quads = np.stack([number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]], -1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    rgba = np.zeros((20, 60, 4), np.uint8)
    rgba[4:16, :30] = (0, 0, 255, 255)
    rgba[4:16, 30:] = (255, 0, 0, 255)
    return Layer(
        vertices=vertices,
        weights=np.zeros((len(vertices), len(BONES))),
        triangles=triangles,
        opaque=np.zeros(len(triangles), np.bool_),
        rgba=rgba,
        front=None,
        joint=joint,
        beyond=vertices[triangles][..., 0].mean(1) > 30 if beyond is None else beyond,
    )


def test_a_limb_that_folds_over_itself_has_no_holes() -> None:
    """The transparent rim of a forearm hides nothing of the upper arm that it lies on."""
    layer = _folding_limb(None, None)
    points = layer.vertices.copy()
    outer = points[:, 0] > 30
    points[outer, 0] = 60 - points[outer, 0]  # folded back onto the upper arm, 6 pixels lower and nearer
    points[outer, 1] += 6
    points[outer, 2] -= 5

    placed = place_layer(layer, points + [10, 10, 0], 60, 60, joint=None, scale=1.0)

    assert placed is not None
    drawn = _drawn(placed.drawn(layer.rgba), 60)
    assert drawn[15:25, 15:35, 3].min() > 250
    assert drawn[22, 20].tolist() == [255, 0, 0, 255]
    assert drawn[17, 20].tolist() == [0, 0, 255, 255]


def test_a_forearm_behind_its_upper_arm_is_hidden() -> None:
    """The part that is farther from the camera is laid first."""
    layer = _folding_limb(None, None)
    points = layer.vertices.copy()
    outer = points[:, 0] > 30
    points[outer, 0] = 60 - points[outer, 0]
    points[outer, 2] += 5

    placed = place_layer(layer, points + [10, 10, 0], 60, 60, joint=None, scale=1.0)

    assert placed is not None
    assert _drawn(placed.drawn(layer.rgba), 60)[20, 20].tolist() == [0, 0, 255, 255]


def test_a_strip_is_not_cut_off_where_the_limb_ends() -> None:
    """A strip that is wider than the limb's own triangles keeps its width, before the limb too where that is whole."""
    colour = np.array([9, 9, 9, 255], np.uint8)
    patch = JointPatch(
        points=np.zeros((4, 3)),
        weights=np.zeros((4, len(BONES))),
        radius=14.0,
        reach=14.0,
        colour=colour,
        in_front=False,
    )
    layer = _folding_limb(patch, None)
    joint = np.array([[20.0, 30], [40, 30], [60, 30], [40, 30]])

    placed = place_layer(layer, layer.vertices + [10, 20, 0], 80, 80, joint=joint, scale=1.0)

    assert placed is not None
    drawn = _drawn(placed.drawn(layer.rgba), 80)
    assert drawn[30 - 12, 40].tolist() == colour.tolist()
    assert drawn[30 + 12, 40].tolist() == colour.tolist()
    layer_front = replace(layer, front=np.zeros_like(layer.rgba))
    placed = place_layer(layer_front, layer.vertices + [10, 20, 0], 80, 80, joint=joint, scale=1.0)
    assert placed is not None
    assert not _drawn(placed.drawn(placed.layer.front), 80).any()


def test_a_slanting_limb_is_drawn_in_tiles_as_it_is_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strips as wide as what they show draw the same bytes as its whole box does, and together are smaller."""
    layer = _folding_limb(None, None)
    points = layer.vertices @ np.array([[2.0, 2.0, 0], [-1.0, 1.0, 0], [0, 0, 1]]) + [30.3, 5.2, 0]

    def placed(pixels: int) -> tuple[Bytes, int]:
        monkeypatch.setattr(placed_layer, "TILE_PIXELS", pixels)
        result = place_layer(layer, points, 200, 200, joint=None, scale=1.0)
        assert result is not None
        pieces = result.drawn(layer.rgba)
        return _drawn(pieces, 200), sum(rgba.shape[0] * rgba.shape[1] for _, rgba in pieces)

    whole, tiled = placed(1 << 30), placed(1 << 10)

    assert np.array_equal(whole[0], tiled[0])
    assert tiled[1] < 0.8 * whole[1]


def test_a_limb_that_bends_has_a_round_joint() -> None:
    """Beyond both bones nothing is drawn farther from the joint than half of the width; a straight limb is whole."""
    colour = np.array([9, 9, 9, 255], np.uint8)
    patch = JointPatch(
        points=np.zeros((4, 3)), weights=np.zeros((4, len(BONES))), radius=2, reach=6.0, colour=colour, in_front=False
    )
    layer = _folding_limb(patch, None)
    points = layer.vertices + [10, 20, 0]
    bent, straight = (np.array([[20.0, 30], [40, 30], end, [40, 30]]) for end in ([40.0, 10], [60.0, 30]))

    def alpha(joint: np.ndarray) -> Bytes:
        placed = place_layer(layer, points, 80, 80, joint=joint, scale=1.0)
        assert placed is not None
        return _drawn(placed.drawn(layer.rgba), 80)[..., 3]

    assert alpha(straight)[33, 41:60].min() == 255
    assert alpha(bent)[33, 41:44].min() > 250
    assert not alpha(bent)[33, 49:52].any()
    assert alpha(bent)[27, 41:60].min() > 250  # beside the forearm, not beyond it
