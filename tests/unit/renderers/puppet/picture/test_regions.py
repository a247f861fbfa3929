"""Masks of a picture, and what is filled in it."""

import numpy as np

from bodydouble.renderers.puppet.picture.regions import filled


def test_bands_go_on_to_the_side_where_the_width_shrinks_more():
    """A belt's upper edge continues into what was covered beside it, instead of fading."""
    colour = np.zeros((96, 96, 3), np.float32)
    colour[:48] = 240
    known = np.ones((96, 96), bool)
    known[20:76, :40] = False
    given = np.where(known[..., None], colour, 120).astype(np.float32)
    plain, sideways = (np.abs(filled(given, known, ~known, shrink) - colour).mean() for shrink in ((3, 3), (8, 2)))
    assert sideways < 0.7 * plain
