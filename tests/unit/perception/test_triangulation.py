"""Triangles between points."""

import cv2
import numpy as np
import pytest

from bodydouble.perception.triangulation import triangulate

GRID = np.stack(np.meshgrid(np.arange(0, 90, 8), np.arange(0, 70, 6)), -1).reshape(-1, 2).astype(np.float64)
SCATTERED = np.random.default_rng(4).uniform(-300, 900, (400, 2))
BOTH = np.concatenate([GRID, GRID[:20], SCATTERED])
"""Points as the puppet's meshes have them: regular, twice at one place, and free."""


def doubled_areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(T,) signed."""
    first, second = np.moveaxis(points[triangles[:, 1:]] - points[triangles[:, :1]], 1, 0)
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]


@pytest.mark.parametrize("points", [GRID, SCATTERED, BOTH, SCATTERED * [1, 1e-3]], ids=["grid", "free", "both", "flat"])
def test_triangles_cover_the_hull_once(points: np.ndarray):
    """All triangles turn the same way, and their areas add up to that of the convex hull."""
    areas = doubled_areas(points, triangulate(points))
    assert (areas > 0).all() or (areas < 0).all()
    hull = cv2.contourArea(cv2.convexHull(points.astype(np.float32)))
    assert abs(areas).sum() / 2 == pytest.approx(hull, rel=1e-4)


def test_no_point_lies_in_another_triangles_circumcircle():
    """That makes a triangulation a Delaunay triangulation."""
    triangles = triangulate(SCATTERED)
    a, b, c = np.moveaxis(SCATTERED[triangles], 1, 0)
    squares = [(p**2).sum(1) for p in (a, b, c)]
    twice = 2 * doubled_areas(SCATTERED, triangles)
    x = (squares[0] * (b - c)[:, 1] + squares[1] * (c - a)[:, 1] + squares[2] * (a - b)[:, 1]) / twice
    y = -(squares[0] * (b - c)[:, 0] + squares[1] * (c - a)[:, 0] + squares[2] * (a - b)[:, 0]) / twice
    centres = np.stack([x, y], 1)
    radii = np.linalg.norm(centres - a, axis=1)
    nearest = np.linalg.norm(centres[:, None] - SCATTERED, axis=-1).min(1)
    np.testing.assert_allclose(nearest, radii, rtol=1e-6)


def test_points_on_a_line_have_no_triangles():
    """Nothing to draw, no error."""
    assert triangulate(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])).shape == (0, 3)
