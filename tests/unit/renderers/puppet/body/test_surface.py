"""Labels of a mesh's triangles in a picture."""

import numpy as np

from bodydouble.renderers.puppet.body import surface
from bodydouble.renderers.puppet.body.surface import label_triangles


def tilted_grid() -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and triangles (T, 3) of a sheet of 20 x 20 cells of 4 px, deeper to the right."""
    yy, xx = np.mgrid[0:21, 0:21]
    vertices = np.stack([xx * 4.3, yy * 4.1, xx * 1.0], -1).reshape(-1, 3)
    corner = (np.arange(20)[:, None] * 21 + np.arange(20)).ravel()
    upper = np.stack([corner, corner + 21, corner + 1], 1)
    lower = np.stack([corner + 1, corner + 21, corner + 22], 1)
    return vertices, np.concatenate([upper, lower])


def test_triangles_outside_the_picture_are_not_painted_and_change_nothing(monkeypatch):
    """The labels are those of all triangles; fewer of them are painted."""
    vertices, triangles = tilted_grid()
    vertices = vertices - [40, 40, 0]
    painted: list[int] = []
    paint = surface.paint_labels

    def counting(corners, order, shape):
        painted.append(len(order))
        return paint(corners, order, shape)

    monkeypatch.setattr(surface, "paint_labels", counting)
    some = label_triangles(vertices, triangles, (25, 25))
    monkeypatch.setattr(surface, "in_box", lambda corners, box: np.ones(len(corners), np.bool_))
    every = label_triangles(vertices, triangles, (25, 25))
    assert np.array_equal(some, every)
    assert painted[0] < painted[1] / 3
