"""Polygons and triangles painted by OpenCV, with corners at fractions of a pixel."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import PixelBox

Array = NDArray[np.float64]

SUBPIXEL_BITS = 4
"""Fraction bits of the corners that OpenCV draws: the argument ``shift`` of its functions."""
COORDINATE_MAX = 20000
"""Pixels or coarse cells: OpenCV cannot draw corners that are farther outside the picture."""
LINE_END_MAX = 8000
"""Pixels: OpenCV cannot draw lines and discs that end farther outside the picture."""
BRIM = 5
"""Pixels around a box in which a triangle may still show: the corner of a cell of 4 x 4, and OpenCV's rounded edge."""


def fixed_point(points: Array) -> NDArray[np.int32]:
    """``points`` (..., 2) in pixels as OpenCV takes them with ``SUBPIXEL_BITS``."""
    return np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32)


def drawable_pixel(point: NDArray[np.floating]) -> list[int]:
    """The pixel nearest to ``point`` (2,) px, or as far outside the picture in its place as OpenCV can draw."""
    return np.round(np.clip(point, -LINE_END_MAX, LINE_END_MAX)).astype(int).tolist()


def extents(corners: Array) -> tuple[Array, Array]:
    """(T, 2) the least and the greatest coordinates of each of the triangles (T, 3, 2)."""
    # NumPy reduces an axis of three entries in several times the time of these.
    first, second, third = corners[:, 0], corners[:, 1], corners[:, 2]
    return np.minimum(np.minimum(first, second), third), np.maximum(np.maximum(first, second), third)


def in_box(corners: Array, box: PixelBox) -> NDArray[np.bool_]:
    """(T,) which of the triangles (T, 3, 2) may show anything in ``box``."""
    low, high = extents(corners)
    x0, y0, x1, y1 = box
    beside = (high[:, 0] < x0 - BRIM) | (low[:, 0] > x1 + BRIM)
    return np.asarray(~(beside | (high[:, 1] < y0 - BRIM) | (low[:, 1] > y1 + BRIM)), np.bool_)


def paint_labels(corners: Array, order: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.int32]:
    """(h, w) number + 1 of the triangle seen at each pixel, 0 outside.

    ``corners`` (T, 3, 2) in pixels; ``order`` from the farthest triangle to the nearest.
    """
    labels = np.zeros(shape, np.int32)
    drawable = np.minimum(np.maximum(corners.take(order, axis=0), -COORDINATE_MAX), COORDINATE_MAX)
    fill, line, bits = cv2.fillConvexPoly, cv2.LINE_8, SUBPIXEL_BITS  # looked up once: thousands of triangles follow
    for number, triangle in zip((order + 1).tolist(), fixed_point(drawable), strict=True):
        fill(labels, triangle, number, line, bits)
    return labels


def hull_mask(points: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """(h, w) 1 inside the convex hull of ``points`` (N, 2) px, rounded; else 0. ``shape`` starts with h and w."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    return mask
