"""One picture over another."""

import numpy as np

from bodydouble.renderers.puppet.compositing.blending import blended


def test_alpha_says_which_picture_is_seen() -> None:
    """0 shows what is under, 255 what is over, half of it their mean to a level."""
    under, over = np.full((1, 3, 3), 40, np.uint8), np.full((1, 3, 3), 200, np.uint8)
    shown = blended(under, over, np.array([[0, 255, 128]], np.uint8))[0, :, 0].tolist()
    assert shown[:2] == [40, 200]
    assert abs(shown[2] - 120) <= 1
