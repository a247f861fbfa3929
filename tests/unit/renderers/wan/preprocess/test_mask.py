"""The mask of generated pixels, and the masked background."""

import numpy as np
import pytest

from bodydouble.renderers.wan.preprocess.mask import MaskGrid, generation_mask, masked_background


def matte(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """A matte (100, 120) that is 255 in the boxes x0, y0, x1, y1."""
    result = np.zeros((100, 120), np.uint8)
    for x0, y0, x1, y1 in boxes:
        result[y0:y1, x0:x1] = 255
    return result


def test_the_default_mask_is_the_whole_box_nine_pixels_wider():
    """Three 7 x 7 dilations add nine pixels per side; with one block, the mask is the bounding box of the result."""
    mask = generation_mask(matte((50, 40, 60, 50), (30, 60, 40, 70)))

    expected = np.zeros((100, 120), np.uint8)
    expected[31:79, 21:69] = 255
    assert np.array_equal(mask, expected)


def test_blocks_that_the_person_does_not_touch_stay_background():
    """On a 2 x 2 grid, the block that neither an upright nor a horizontal part touches stays background."""
    mask = generation_mask(matte((30, 20, 40, 80), (30, 70, 80, 80)), MaskGrid(columns=2, rows=2))

    assert mask[11:89, 21:55].all()
    assert mask[50:89, 55:89].all()
    assert not mask[11:50, 55:].any()


def test_a_grid_finer_than_pixels_leaves_the_outline():
    """With one block per pixel, the mask is the dilated person."""
    mask = generation_mask(matte((50, 40, 60, 50), (30, 60, 40, 70)), MaskGrid(columns=500, rows=500))

    assert np.count_nonzero(mask) == 28 * 28 * 2 - 8 * 8


def test_soft_edges_count_from_half():
    """A matte below 128 is background."""
    assert not generation_mask(np.full((20, 20), 127, np.uint8)).any()
    assert generation_mask(np.full((20, 20), 128, np.uint8)).all()


def test_an_empty_matte_gives_an_empty_mask():
    """Without a person, the mask is empty and the background equals the frame."""
    mask = generation_mask(matte())
    image = np.full((100, 120, 3), 90, np.uint8)

    assert not mask.any()
    assert np.array_equal(masked_background(image, mask), image)


def test_the_background_is_black_where_the_model_paints():
    """The background is black inside the mask and equals the frame elsewhere."""
    image = np.full((100, 120, 3), 90, np.uint8)
    mask = generation_mask(matte((50, 40, 60, 50)))

    background = masked_background(image, mask)

    assert not background[mask == 255].any()
    assert (background[mask == 0] == 90).all()


def test_a_grid_of_nothing_is_refused():
    """The error message has the requested grid."""
    with pytest.raises(ValueError, match="0 x 3"):
        MaskGrid(columns=0, rows=3)
