"""Rectangles that hold what is wanted."""

import numpy as np

from bodydouble.renderers.puppet.compositing.pieces import CELL, GAP_CELLS, STRIP_CELLS, pieces_of


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
