"""The eight orientations in which a video can be stored, from its display matrix."""

import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

DISPLAY_MATRIX = "DISPLAYMATRIX"
"""PyAV's name of the side data that holds the matrix."""
FLIPS = {(True, False): 1, (False, True): 0, (True, True): -1}
"""Columns reversed, rows reversed → the code of OpenCV's ``flip``."""


@dataclass(frozen=True, kw_only=True)
class Orientation:
    """How decoded frames become upright: exchange rows and columns, then reverse columns, then reverse rows."""

    transposed: bool = False
    columns_reversed: bool = False
    rows_reversed: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether left and right are exchanged, as front cameras do; false for pure rotations."""
        return self.transposed ^ self.columns_reversed ^ self.rows_reversed

    @property
    def rotation(self) -> int:
        """Degrees clockwise: 0, 90, 180 or 270. Of a mirrored orientation, the rotation after the mirroring."""
        if self.transposed:
            return 90 if self.columns_reversed else 270
        return 180 if self.rows_reversed else 0


def display_orientation(frame: Any) -> Orientation:
    """The orientation from the display matrix of a decoded frame; upright if it has none.

    The matrix ``(a, b, u, c, d, v, x, y, w)`` maps a pixel (p, q) to (a p + c q, b p + d q), in ISO/IEC 14496-12,
    section 6.2.2. Angles between the four quarter turns are rounded to the nearest one.
    """
    matrix = next((data for data in frame.side_data if data.type.name == DISPLAY_MATRIX), None)
    if matrix is None:
        return Orientation()
    a, b, _, c, d = struct.unpack("<5i", bytes(matrix)[:20])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(columns_reversed=a < 0, rows_reversed=d < 0)
    return Orientation(transposed=True, columns_reversed=c < 0, rows_reversed=b < 0)


def upright(plane: NDArray[Any], orientation: Orientation) -> NDArray[Any]:
    """A frame or one of its planes, (height, width) or (height, width, channels), as displayed."""
    if orientation.transposed:
        plane = cv2.transpose(plane)
    flip = FLIPS.get((orientation.columns_reversed, orientation.rows_reversed))
    return np.asarray(plane if flip is None else cv2.flip(plane, flip))
