"""Rigid pieces of limbs."""

import numpy as np
import pytest

from bodydouble.renderers.puppet.picture.limbs import (
    ALONG_MIN,
    bone_map,
    draw_piece,
    in_colour_of,
    invented_hand,
    invented_piece,
    make_piece,
    mapped,
    mirrored,
    turn_map,
)

CLOTH = np.full((8, 8, 3), 90, np.float32)


def test_a_bone_lies_where_it_is_wanted():
    """Both ends of the bone go to the wanted joints, whatever direction and length."""
    piece = invented_piece(CLOTH, 40, 16, 12)
    a, b = np.array([30.0, 70.0]), np.array([85.0, 40.0])
    matrix = bone_map(piece, a, b, 1.3)
    assert np.allclose(mapped(matrix, piece.a), a)
    assert np.allclose(mapped(matrix, piece.b), b)


@pytest.mark.parametrize("length", [3.0, 25.0, 60.0])
def test_a_foreshortened_limb_keeps_its_width(length):
    """Across the bone the scale does not depend on the bone's length on screen."""
    piece = invented_piece(CLOTH, 40, 16, 12)
    matrix = bone_map(piece, np.zeros(2), np.array([0.0, length]), 1.5)
    across = mapped(matrix, piece.a + [8.0, 0.0]) - mapped(matrix, piece.a)
    assert np.isclose(np.hypot(*across), 12.0)
    along = mapped(matrix, piece.b) - mapped(matrix, piece.a)
    assert np.hypot(*along) >= ALONG_MIN * 1.5 * 40 - 1e-6


def test_a_turned_piece_points_where_it_should():
    """A similarity: wrist in its place, fingers in the direction, no stretch."""
    piece = invented_hand(np.array([220.0, 180.0, 150.0]), 30)
    matrix = turn_map(piece, np.array([50.0, 60.0]), np.array([3.0, 0.0]), 2.0)
    tip = mapped(matrix, piece.b) - mapped(matrix, piece.a)
    assert np.allclose(mapped(matrix, piece.a), [50, 60])
    assert np.allclose(tip / np.hypot(*tip), [1, 0])
    assert np.isclose(np.hypot(*tip), 2 * np.hypot(*(piece.b - piece.a)))


def test_a_piece_is_cropped_and_drawn_premultiplied():
    """The crop keeps place and colours; half alpha halves the colours."""
    mask = np.zeros((50, 60), np.float32)
    mask[20:30, 15:40] = 0.5
    piece = make_piece(np.full((50, 60, 3), 200, np.float32), mask, np.array([15.0, 25.0]), np.array([40.0, 25.0]))
    assert piece is not None
    box, rgba = draw_piece(piece, np.array([[1.0, 0, 0], [0, 1.0, 0]]), 50, 60)
    whole = np.zeros((50, 60, 4), np.uint8)
    whole[box[1] : box[3], box[0] : box[2]] = rgba
    assert abs(int(whole[25, 20, 0]) - 100) <= 1
    assert abs(int(whole[25, 20, 3]) - 128) <= 1
    assert whole[10, 20, 3] == 0


def test_nothing_makes_no_piece_and_far_away_draws_nothing():
    """An empty mask is None, and so is a piece outside the frame."""
    assert (
        make_piece(np.zeros((20, 20, 3), np.float32), np.zeros((20, 20), np.float32), np.zeros(2), np.ones(2)) is None
    )
    piece = invented_piece(CLOTH, 40, 16, 12)
    assert draw_piece(piece, np.array([[1.0, 0, 900], [0, 1.0, 0]]), 50, 60) is None


def test_a_mirrored_piece_is_its_own_mirror_image():
    """Drawn in a mirrored frame it covers the mirrored pixels, and its bone lies where the mirrored bone does."""
    mask = np.zeros((50, 60), np.float32)
    mask[20:30, 15:40] = np.linspace(0.2, 1, 25)
    piece = make_piece(np.full((50, 60, 3), 200, np.float32), mask, np.array([15.0, 25.0]), np.array([40.0, 25.0]))
    assert piece is not None
    other = mirrored(piece)
    shown = np.zeros((2, 50, 60, 4), np.uint8)
    for canvas, part, shift in ((shown[0], piece, 0.0), (shown[1], other, 59.0)):
        drawn = draw_piece(part, np.array([[1.0, 0, shift], [0, 1.0, 0]]), 50, 60)
        assert drawn is not None
        (x0, y0, x1, y1), rgba = drawn
        canvas[y0:y1, x0:x1] = rgba
    assert np.array_equal(shown[1], shown[0][:, ::-1])
    assert np.array_equal(other.b, [-40, 25])


def test_a_piece_in_anothers_colour_keeps_its_shape():
    """Mean colours agree, alpha is untouched, and no channel exceeds it."""
    light, dark = invented_piece(CLOTH * 2, 40, 16, 12), invented_piece(CLOTH * [1.0, 0.7, 0.5], 60, 20, 12)
    result = in_colour_of(light, dark)
    means = [p.rgba[..., :3].sum((0, 1)) / p.rgba[..., 3].sum() for p in (result, dark)]
    assert np.allclose(*means, atol=0.01)
    assert np.array_equal(result.rgba[..., 3], light.rgba[..., 3])
    brighter = in_colour_of(light, invented_piece(CLOTH + 160, 40, 16, 12))
    assert (brighter.rgba[..., :3] <= brighter.rgba[..., 3:]).all()
