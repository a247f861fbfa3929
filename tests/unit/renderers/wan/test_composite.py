"""Blending the generated person into the source frame."""

import numpy as np

from bodydouble.renderers.wan.composite import FEATHER_PIXELS, blend


def test_blending_keeps_the_source_outside_the_mask() -> None:
    """Pixels are the source's outside the mask and the generated ones inside the feather, with a smooth transition."""
    source, made = np.full((60, 60, 3), 50, np.uint8), np.full((60, 60, 3), 210, np.uint8)
    mask = np.zeros((60, 60), np.uint8)
    mask[10:50, 10:50] = 255
    mixed = blend(source, made, mask)
    assert (mixed[mask == 0] == 50).all()
    assert (mixed[10 + FEATHER_PIXELS : 50 - FEATHER_PIXELS, 10 + FEATHER_PIXELS : 50 - FEATHER_PIXELS] == 210).all()
    assert np.abs(np.diff(mixed[30, :, 0].astype(int))).max() <= 160 / FEATHER_PIXELS + 1
    assert blend(source, made, np.zeros_like(mask)) is source
