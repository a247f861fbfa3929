"""Irises in a texture, and how they are drawn elsewhere."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.drawing.irises import Iris, find_irises
from bodydouble.renderers.puppet.motion.expression import EYES


def _eyes(off: tuple[int, int] = (0, 0)) -> tuple[np.ndarray, np.ndarray]:
    """A texture with two white eyes 60 px wide, brown irises of 14 px in them; and landmarks, the irises' ``off``."""
    rgba = np.full((100, 260, 4), (205, 165, 140, 255), np.uint8)
    face = np.zeros((478, 2))
    for (_, _, left, right, iris), x in zip(EYES, (70, 190), strict=True):
        cv2.ellipse(rgba, (x, 50), (30, 16), 0, 0, 360, (235, 232, 228, 255), -1, cv2.LINE_AA)
        cv2.circle(rgba, (x, 50), 14, (60, 40, 30, 255), -1, cv2.LINE_AA)
        face[left], face[right] = (x - 30, 50), (x + 30, 50)
        middle = np.array([x, 50]) + off
        face[iris] = [middle, *(middle + np.array([(12, 0), (0, 12), (-12, 0), (0, -12)]))]
    return rgba, face


def test_an_iris_is_found_beside_its_landmarks() -> None:
    """Drawn eyes have their irises where the picture shows them."""
    for iris, x in zip(find_irises(*_eyes((4, -3))), (70, 190), strict=True):
        assert np.hypot(*(iris.centre - [x, 50])) < 2.5
        assert abs(iris.radius - 14) < 2


def test_landmarks_stay_where_no_iris_shows() -> None:
    """A statue's eyes have none."""
    _, face = _eyes()
    irises = find_irises(np.full((100, 260, 4), 200, np.uint8), face)
    assert np.allclose([iris.centre for iris in irises], [(70, 50), (190, 50)])


def test_an_iris_moves_as_a_whole_and_leaves_no_second_one() -> None:
    """Drawn as looking aside, an eye has one iris, of its own size, and the texture is folded nowhere."""
    rgba, face = _eyes()
    iris = find_irises(rgba, face)[0]
    slide = iris.towards(np.array([0.4, 0.0]), np.zeros(2))
    ys, xs = np.mgrid[0:100, 0:140].astype(np.float32)
    source = np.dstack([xs, ys])
    slide.apply(source)
    drawn = cv2.remap(rgba, source[..., 0], source[..., 1], cv2.INTER_LINEAR)
    dark = drawn[..., 0] < 120
    was = rgba[:, :140, 0] < 120
    assert 0.85 < dark.sum() / was.sum() < 1.2
    assert np.argwhere(dark)[:, 1].mean() > 70 + 0.25 * 30
    assert cv2.connectedComponents(dark.astype(np.uint8))[0] == 2
    assert (np.diff(source[..., 0], axis=1) > 0).all()
    assert (np.diff(source[..., 1], axis=0) > 0).all()


def test_an_iris_stays_inside_its_eye() -> None:
    """The widest gaze leaves it between the corners, however large it is."""
    for radius in (8.0, 14.0, 24.0):
        iris = Iris(centre=np.zeros(2), radius=radius, across=np.array([30.0, 0.0]), middle=np.zeros(2), corners=(0, 1))
        moved = iris.towards(np.array([5.0, 0.0]), np.zeros(2)).shift[0]
        assert 0 < moved <= 30 - 0.6 * radius + 1e-9


def test_a_gaze_up_is_shown_whole_and_one_down_by_half() -> None:
    """Lids follow a gaze down, and show the rest of it; nothing but the iris shows a gaze up."""
    iris = Iris(centre=np.zeros(2), radius=12.0, across=np.array([30.0, 0.0]), middle=np.zeros(2), corners=(0, 1))
    up, down = (-iris.towards(np.array([0.0, y]), np.zeros(2)).shift[1] for y in (-0.2, 0.2))
    assert up > 6
    assert -4 < down < -2
