"""Rectangles that hold what is wanted."""

import numpy as np

from bodydouble.renderers.puppet.compositing.pieces import CELL, GAP_CELLS, STRIP_CELLS, boxes_about, pieces_of


def test_every_wanted_cell_is_in_one_piece() -> None:
    """Pieces do not overlap, and pixels beyond the last whole cell belong to it."""
    wanted = np.random.default_rng(4).random((30, 50)) > 0.98
    width, height = 50 * CELL + 5, 30 * CELL + 3
    times = np.zeros((height, width), int)
    for x0, y0, x1, y1 in pieces_of(wanted, width, height):
        times[y0:y1, x0:x1] += 1
    whole = np.pad(wanted.repeat(CELL, 0).repeat(CELL, 1), ((0, 3), (0, 5)), mode="edge")
    assert times.max() == 1
    assert times[whole].all()
    assert not times.all()


def test_a_wide_gap_is_left_out() -> None:
    """Two wanted cells far apart are two pieces, near ones are one; nothing wanted is no piece."""
    wanted = np.zeros((STRIP_CELLS, 40), np.bool_)
    assert pieces_of(wanted, 320, 64) == []
    wanted[2, [3, 3 + GAP_CELLS, 30]] = True
    assert pieces_of(wanted, 320, 64) == [(24, 0, 24 + CELL * (GAP_CELLS + 1), 64), (240, 0, 248, 64)]


def test_boxes_lie_apart_and_hold_the_mask_with_its_margin() -> None:
    """Each pixel of the mask is in one box, at least the margin from its sides, unless the picture ends there."""
    mask = np.zeros((203, 405), np.bool_)
    mask[np.random.default_rng(5).integers(0, 203, 12), np.random.default_rng(6).integers(0, 405, 12)] = True
    boxes = boxes_about(mask, 20)
    times = np.zeros(mask.shape, int)
    for x0, y0, x1, y1 in boxes:
        times[y0:y1, x0:x1] += 1
    assert len(boxes) > 1
    assert times.max() == 1
    for row, column in np.argwhere(mask):
        assert times[max(0, row - 20) : row + 21, max(0, column - 20) : column + 21].all()
    assert times.sum() < 0.9 * times.size
    assert boxes_about(np.zeros((30, 40), np.bool_), 20) == []
    assert boxes_about(np.ones((30, 41), np.bool_), 20) == [(0, 0, 41, 30)]
