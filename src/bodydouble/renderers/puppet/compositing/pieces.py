"""Rectangles that hold all that is wanted of a picture: the rest of it need not be computed."""

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np

from bodydouble.perception.arrays import Mask, Matte, PixelBox

CELL = 8
"""Pixels of the picture for one cell of the mask that says what is wanted: a power of two, and the bits of a byte."""
STRIP_CELLS = 8
"""Rows of cells in a piece. 64 rows of a picture stay in the processor's cache, and few pieces cost few calls."""
STRIP_ROWS = CELL * STRIP_CELLS
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


def strips_of(mask: Matte) -> Iterator[PixelBox]:
    """Boxes of at most ``STRIP_ROWS`` rows, each as wide as what is not 0 in these rows of ``mask`` (h, w)."""
    for top in range(0, len(mask), STRIP_ROWS):
        x, y, w, h = cv2.boundingRect(mask[top : top + STRIP_ROWS])
        if w:
            yield x, top + y, x + w, top + y + h


def boxes_about(mask: Mask, margin: int) -> list[PixelBox]:
    """Boxes that neither overlap nor touch, and hold all of ``mask`` (h, w) with ``margin`` pixels around it."""
    height, width = mask.shape
    # A byte has the bits of one cell's row.
    cells = np.bitwise_or.reduceat(np.packbits(mask, axis=1), np.arange(0, height, CELL), axis=0) > 0
    side = 2 * -(-margin // CELL) + 1
    cells = np.asarray(cv2.dilate(cells.view(np.uint8), np.ones((side, side), np.uint8)), np.uint8)
    while True:
        boxes = np.asarray(cv2.connectedComponentsWithStats(cells)[2])[1:, :4].tolist()
        filled = np.zeros_like(cells)
        for x, y, w, h in boxes:
            filled[y : y + h, x : x + w] = 1
        if (filled == cells).all():
            break
        cells = filled
    return [(CELL * x, CELL * y, min(width, CELL * (x + w)), min(height, CELL * (y + h))) for x, y, w, h in boxes]
