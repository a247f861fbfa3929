"""Patches in the light beside them."""

import numpy as np

from bodydouble.renderers.puppet.compositing.seams import match_light
from synthetic_scene import scenery


def test_a_patch_takes_over_the_light_that_changed_between_two_frames() -> None:
    """Darkened unevenly, it comes out as it would have been there, where nothing was to be compared too."""
    image = scenery(160, 120)
    shade = np.linspace(10, 40, 160)[None, :, None]
    patch = np.clip(image - shade, 0, 255).astype(np.uint8)
    shared = np.full((120, 160), 255, np.uint8)
    shared[30:90, 50:110] = 0
    matched = match_light(patch, np.where(shared[..., None] > 0, image, 0).astype(np.uint8), shared)
    inside = np.s_[34:86, 54:106]
    assert np.abs(patch[inside].astype(float) - image[inside]).mean() > 15
    assert np.abs(matched[inside].astype(float) - image[inside]).mean() < 3


def test_without_anything_to_compare_a_patch_stays_as_it_is() -> None:
    """Nothing shared, or less than a cell of it: no light is made up."""
    patch = scenery(80, 60)
    assert np.array_equal(match_light(patch, patch // 2, np.zeros((60, 80), np.uint8)), patch)
    assert np.array_equal(match_light(patch[:5], patch[:5] // 2, np.full((5, 80), 255, np.uint8)), patch[:5])


def test_another_thing_beside_a_patch_is_no_change_of_light() -> None:
    """Somebody dark beside the hole casts nothing on the patch; darkness all about is light."""
    image = scenery(160, 120) // 2 + 120
    shared = np.full((120, 160), 255, np.uint8)
    shared[30:90, 50:110] = 0
    beside = image.copy()
    beside[20:100, 110:140] = 20
    inside = np.s_[34:86, 54:106]
    assert np.abs(match_light(image, beside, shared)[inside].astype(float) - image[inside]).mean() < 3
    dark = match_light(image, image - 100, shared)[inside]
    assert (image[inside].astype(float) - dark).mean() > 50
