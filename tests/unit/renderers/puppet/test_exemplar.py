"""Holes filled by patches of their surroundings."""

import numpy as np

from bodydouble.renderers.puppet import exemplar
from bodydouble.renderers.puppet.exemplar import fill_by_patches


def banded() -> np.ndarray:
    """(120, 200, 3) sky, wall and meadow above each other, each with a grain of its own."""
    rng = np.random.default_rng(3)
    image = np.zeros((120, 200, 3), np.float64)
    for top, stop, colour in ((0, 40, (210, 120, 90)), (40, 70, (90, 130, 140)), (70, 120, (120, 90, 170))):
        image[top:stop] = np.array(colour) + rng.normal(0, 5, (stop - top, 200, 1))
    return np.clip(image, 0, 255).astype(np.uint8)


def test_what_lies_in_bands_goes_on_in_bands() -> None:
    """A hole across all of them is sky above, wall in the middle and meadow below, to within a patch."""
    image = banded()
    source = np.ones((120, 200), np.bool_)
    source[20:105, 85:120] = False
    filled = fill_by_patches(np.where(source[..., None], image, 0).astype(np.uint8), source)
    assert filled.known.all()
    away = np.abs(filled.lab.astype(int) - image)[~source].max(-1).reshape(85, 35)
    assert (away[: 40 - 20 - 3] < 40).all()
    assert (away[40 - 20 + 3 : 70 - 20 - 3] < 40).all()
    assert (away[70 - 20 + 3 :] < 40).all()


def test_each_pixel_is_the_one_that_its_step_leads_to() -> None:
    """Steps lead into the source, and there stands what was filled in; nothing else has a step."""
    image = banded()
    source = np.ones((120, 200), np.bool_)
    source[30:80, 60:90] = False
    filled = fill_by_patches(image, source)
    ys, xs = np.nonzero(~source)
    from_y, from_x = ys + filled.steps[ys, xs, 1], xs + filled.steps[ys, xs, 0]
    assert source[from_y, from_x].all()
    assert np.array_equal(filled.lab[ys, xs], image[from_y, from_x])
    assert not filled.steps[source].any()
    assert np.array_equal(filled.lab[source], image[source])


def test_without_a_whole_patch_to_copy_nothing_is_filled() -> None:
    """A frame of known pixels thinner than a patch answers with what it had."""
    source = np.zeros((40, 60), np.bool_)
    source[:3] = source[-3:] = True
    filled = fill_by_patches(np.full((40, 60, 3), 99, np.uint8), source)
    assert np.array_equal(filled.known, source)


def test_the_misfit_is_the_weighted_sum_of_squared_differences() -> None:
    """A patch's misfit at each place of the window equals the sum over its pixels, one by one."""
    rng = np.random.default_rng(4)
    lab = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    patch, weight = rng.random((5, 7, 3), np.float32) * 255, rng.random((5, 7), np.float32)
    window = np.s_[3:18, 4:29]
    found = exemplar._misfit(exemplar._Given.of(lab), window, patch, weight)
    part = lab[window].astype(np.float64)
    for y in range(found.shape[0]):
        for x in range(found.shape[1]):
            difference = part[y : y + 5, x : x + 7] - patch
            assert np.isclose(found[y, x], (weight[..., None] * difference**2).sum(), rtol=1e-4)
    assert found.shape == (11, 19)


def test_what_is_spared_is_neither_filled_nor_copied() -> None:
    """Of three stripes the outer ones alone fill the gap between them; the spared one stays as it is."""
    image = np.full((40, 60, 3), 100, np.uint8)
    image[:, 20:40] = 200
    source, spared = np.zeros((2, 40, 60), np.bool_)
    source[:, :20] = source[:, 40:] = True
    spared[:12, 20:40] = True

    filled = fill_by_patches(image, source, spared)

    assert (filled.lab[:12, 24:36] == 200).all()
    assert not filled.steps[spared].any()
    assert (filled.lab[20:, 20:40] == 100).all()
