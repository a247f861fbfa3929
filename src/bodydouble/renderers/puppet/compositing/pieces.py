"""Rectangles that hold all that is wanted of a picture: the rest of it need not be computed."""

from itertools import pairwise

import numpy as np

from bodydouble.perception.arrays import Mask, PixelBox

CELL = 8
"""Pixels of the picture, a power of two, for one cell of the mask that says what is wanted."""
STRIP_CELLS = 8
"""Rows of cells in a piece. 64 rows of a picture stay in the processor's cache, and few pieces cost few calls."""
GAP_CELLS = 8
"""Cells between two pieces beside each other: narrower gaps cost less than another piece."""


def pieces_of(wanted: Mask, width: int, height: int) -> list[PixelBox]:
    """Boxes within ``width`` x ``height`` pixels that do not overlap and hold all ``wanted`` cells (rows, columns).

    Pixels beyond the last whole cell belong to it.
    """
    rows, columns = wanted.shape
    result: list[PixelBox] = []
    for top in range(0, rows, STRIP_CELLS):
        here = np.flatnonzero(wanted[top : top + STRIP_CELLS].any(0))
        ends = np.flatnonzero(np.diff(here) > GAP_CELLS) + 1
        bottom = top + STRIP_CELLS
        y0, y1 = CELL * top, height if bottom >= rows else CELL * bottom
        for first, last in pairwise([0, *ends.tolist(), len(here)]):
            if first < last:
                x0, right = CELL * int(here[first]), int(here[last - 1]) + 1
                result.append((x0, y0, width if right == columns else CELL * right, y1))
    return result
