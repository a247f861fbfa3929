"""Fitting frames to the model's size and back."""

import numpy as np
import pytest

from bodydouble.renderers.wan.preprocess.canvas import choose_canvas

SIZES = [(1280, 720), (854, 480), (480, 854), (720, 720), (722, 1280), (1920, 800), (200, 200)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_frame_comes_back_in_its_own_size(width, height):
    """The canvas's sides are multiples of 16. Restoring gives the frame's size and, unscaled, exactly its pixels."""
    image = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    canvas = choose_canvas(width, height)

    placed = canvas.place(image)

    assert placed.shape == (canvas.height, canvas.width, 3)
    assert canvas.width % 16 == canvas.height % 16 == 0
    restored = canvas.restore(placed)
    assert restored.shape == image.shape
    if 832 * 480 <= width * height <= 1280 * 720:
        assert np.array_equal(restored, image)


def test_no_more_is_padded_than_needed():
    """854 x 480 gets five columns per side; 1280 x 720 gets no padding."""
    canvas, whole = choose_canvas(854, 480), choose_canvas(1280, 720)

    assert (canvas.width, canvas.height, canvas.left, canvas.top) == (864, 480, 5, 0)
    assert (whole.width, whole.height, whole.left, whole.top) == (1280, 720, 0, 0)


def test_the_border_repeats_the_edge():
    """Padding repeats the edge pixels, because the model would treat black bars as part of the scene."""
    canvas = choose_canvas(854, 480)
    image = np.zeros((480, 854, 3), np.uint8)
    image[:, 0], image[:, -1] = (1, 2, 3), (7, 8, 9)

    placed = canvas.place(image)

    assert (placed[:, :6] == (1, 2, 3)).all()
    assert (placed[:, -6:] == (7, 8, 9)).all()


def test_too_many_pixels_are_scaled_with_the_aspect_kept():
    """2560 x 1080 shrinks to the model's largest area, with the aspect ratio kept to a pixel."""
    canvas = choose_canvas(2560, 1080)

    assert canvas.scaled_width * canvas.scaled_height <= 1280 * 720 * 1.002
    assert canvas.scaled_width / canvas.scaled_height == pytest.approx(2560 / 1080, rel=2e-3)


@pytest.mark.parametrize(("width", "height"), [(854, 480), (1920, 1080)])
def test_points_land_where_their_pixels_do(width, height):
    """The centre of a white square maps to its centre after padding and scaling."""
    image = np.zeros((height, width, 3), np.uint8)
    image[100:160, 300:360] = 255
    canvas = choose_canvas(width, height)

    rows, columns = np.nonzero(canvas.place(image)[..., 0] > 127)

    assert np.allclose(canvas.place_points(np.array([329.5, 129.5])), [columns.mean(), rows.mean()], atol=0.5)


def test_masks_stay_hard():
    """A scaled mask has no value between 0 and 255."""
    mask = np.zeros((1080, 1920), np.uint8)
    mask[333:777, 411:999] = 255

    placed = choose_canvas(1920, 1080).place_mask(mask)

    assert set(np.unique(placed).tolist()) == {0, 255}


@pytest.mark.parametrize(("width", "height"), [(320, 240), (200, 400)])
def test_too_few_pixels_are_enlarged(width, height):
    """A small frame is enlarged to the smallest training area, and restored to its own size."""
    canvas = choose_canvas(width, height)
    image = np.full((height, width, 3), 77, np.uint8)

    assert canvas.scaled_width * canvas.scaled_height == pytest.approx(832 * 480, rel=2e-3)
    assert canvas.scaled_width / canvas.scaled_height == pytest.approx(width / height, rel=5e-3)
    assert np.array_equal(canvas.restore(canvas.place(image)), image)


def test_the_most_pixels_win_over_the_fewest():
    """``area_max``, set by the GPU's memory, takes precedence over the smallest training area."""
    canvas = choose_canvas(320, 240, area_max=10_000)

    assert canvas.scaled_width * canvas.scaled_height <= 10_100
