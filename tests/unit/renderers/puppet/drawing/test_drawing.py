"""The result of drawing one frame."""

import numpy as np

from bodydouble.renderers.puppet.drawing.drawing import CROP_MARGIN, Drawing, cropped, lay_over


def _drawing(rgba: np.ndarray) -> Drawing:
    height, width = rgba.shape[:2]
    cover, alpha, bounds = rgba[..., 0].copy(), rgba[..., 3].copy(), (5, 7, 5 + width, 7 + height)
    return Drawing(bounds=bounds, rgba=rgba, alpha=alpha, hands=(), face=None, face_cover=cover)


def test_empty_borders_of_a_drawing_are_cut_off() -> None:
    """What is drawn stays where it is in the frame, with a margin on each side that has one."""
    rgba = np.zeros((120, 200, 4), np.uint8)
    rgba[50:60, 90:130] = (10, 20, 30, 255)
    small = cropped(_drawing(rgba))
    x0, y0, x1, y1 = small.bounds
    assert (x0, y0) == (5 + 90 - CROP_MARGIN, 7 + 50 - CROP_MARGIN)
    assert (x1, y1) == (5 + 130 + CROP_MARGIN, 7 + 60 + CROP_MARGIN)
    assert np.array_equal(small.rgba, rgba[y0 - 7 : y1 - 7, x0 - 5 : x1 - 5])
    assert np.array_equal(small.alpha, small.rgba[..., 3])
    assert small.face_cover is not None
    assert small.face_cover.shape == small.rgba.shape[:2]


def test_a_drawing_of_nothing_stays() -> None:
    """Hands may belong to it."""
    nothing = _drawing(np.zeros((12, 20, 4), np.uint8))
    assert cropped(nothing) is nothing


def test_what_is_laid_over_nothing_is_there_as_it_is() -> None:
    """The copy to an empty place has the bytes of the slower blend."""
    rng = np.random.default_rng(2)
    rgba = np.sort(rng.integers(0, 256, (20, 30, 4)).astype(np.uint8), axis=2)  # premultiplied: alpha is the largest
    empty, beside = np.zeros((40, 60, 4), np.uint8), np.zeros((40, 60, 4), np.uint8)
    beside[5, 10] = 1  # in the box: the rest of it is blended
    for canvas in (empty, beside):
        lay_over(canvas, (10, 5, 40, 25), rgba)
    assert np.array_equal(empty[5:25, 10:40], rgba)
    assert np.array_equal(empty[6:], beside[6:])
