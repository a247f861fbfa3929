"""Delaunay triangulation of points in a plane."""

import cv2
import numpy as np
from numpy.typing import NDArray

FRAME_SIDES = 10_000.0
"""Half the side of the frame around the points, over the side of the points' box. OpenCV starts with three points of
its own outside that frame. It leaves out triangles whose circumcircle holds one of them. At this distance these are
only slivers at the hull, far thinner than a pixel.
"""


def triangulate(points: NDArray[np.floating]) -> NDArray[np.int64]:
    """(T, 3) indices into ``points`` (N, 2), in pixels: the triangles of the Delaunay triangulation.

    Points that coincide in single precision appear once; points on one line have no triangles.
    """
    low, high = points.min(0), points.max(0)
    placed = (points - (low + high) / 2).astype(np.float32)
    reach = FRAME_SIDES * float(max(*(high - low), 1.0))
    division = cv2.Subdiv2D((-reach, -reach, 2 * reach, 2 * reach))
    division.insert(placed)  # pyright: ignore[reportArgumentType, reportCallIssue]  # an array is a sequence of points
    corners = np.asarray(division.getTriangleList(), np.float32).reshape(-1, 2)
    known, first = np.unique(_as_one_number(placed), return_index=True)
    return first[np.searchsorted(known, _as_one_number(corners))].reshape(-1, 3).astype(np.int64)


def _as_one_number(places: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(N,) distinct for distinct ``places`` (N, 2); adding zero gives both zeros one sign."""
    return np.ascontiguousarray(places + np.float32(0)).view(np.uint64)[:, 0]
