"""Colours counted in levels."""

import numpy as np

from bodydouble.renderers.puppet.compositing.colours import (
    LEVELS,
    colour_codes,
    coloured,
    counted,
    counted_within,
    with_neighbours,
)


def test_every_colour_has_one_code_and_near_ones_share_it() -> None:
    """The first and the last level are the table's ends; a step within a level changes nothing."""
    pixels = np.array([[[0, 0, 0], [15, 15, 15], [255, 255, 255], [0, 0, 16], [16, 0, 0]]], np.uint8)
    assert colour_codes(pixels).tolist() == [[0, 0, LEVELS**3 - 1, 1, LEVELS**2]]


def test_neighbours_are_one_level_away_and_never_round_the_edge() -> None:
    """An inner colour has two on each axis; black has three in all, and white is none of them."""
    inner = int(colour_codes(np.array([128, 128, 128], np.uint8)))
    for code, neighbours in ((inner, 6), (0, 3)):
        alone = np.zeros(LEVELS**3, np.bool_)
        alone[code] = True
        wide = with_neighbours(alone)
        assert wide[code]
        assert wide.sum() == neighbours + 1
    assert not wide[-1]


def test_counts_reach_the_neighbours() -> None:
    """A colour seen five times counts five for itself and for those beside it."""
    inner = int(colour_codes(np.array([128, 128, 128], np.uint8)))
    counts = counted(np.full(5, inner, np.int32))
    assert counts[inner] == 5
    assert counts[inner + 1] == counts[inner - LEVELS] == counts[inner + LEVELS**2] == 5
    assert counts[0] == 0


def test_codes_of_any_arrangement_of_pixels_are_the_same() -> None:
    """Pictures, parts of them, lists of pixels, one pixel and none: 256 red, 16 green and blue, in levels."""
    image = np.random.default_rng(3).integers(0, 256, (12, 17, 3), dtype=np.uint8)
    for pixels in (image, image[2:9:2, 3:11], image.reshape(-1, 3)[::5], image[4, 4], image[:0], image[0, :0]):
        levels = pixels.astype(np.int32) // LEVELS
        assert np.array_equal(colour_codes(pixels), levels @ [LEVELS**2, LEVELS, 1])
        assert colour_codes(pixels).shape == pixels.shape[:-1]


def test_pixels_within_a_mask_are_counted_as_their_codes_are() -> None:
    """Both ways to count agree, on any colours."""
    rng = np.random.default_rng(3)
    image, mask = rng.integers(0, 256, (40, 30, 3), dtype=np.uint8), np.zeros((40, 30), np.uint8)
    mask[5:30, 4:20] = 255
    assert np.array_equal(counted_within(image, mask), counted(colour_codes(image)[mask > 0]))


def test_pixels_of_some_colours_are_found_as_their_codes_say() -> None:
    """A picture, and a part of it, is 255 exactly where its code is among the colours."""
    rng = np.random.default_rng(3)
    image, colours = rng.integers(0, 256, (12, 17, 3), dtype=np.uint8), rng.random(LEVELS**3) > 0.6
    for pixels in (image, image[2:9, 3:11]):
        assert np.array_equal(coloured(pixels, colours), colours[colour_codes(pixels)] * np.uint8(255))
