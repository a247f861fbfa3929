"""Masks of a picture, and what is filled in it."""

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.discs import DISC_RIM
from bodydouble.renderers.puppet.picture.regions import disc_about, filled, large_pieces, narrowed, widened


def test_bands_go_on_to_the_side_where_the_width_shrinks_more():
    """A belt's upper edge continues into what was covered beside it, instead of fading."""
    colour = np.zeros((96, 96, 3), np.float32)
    colour[:48] = 240
    known = np.ones((96, 96), bool)
    known[20:76, :40] = False
    given = np.where(known[..., None], colour, 120).astype(np.float32)
    plain, sideways = (np.abs(filled(given, known, ~known, shrink) - colour).mean() for shrink in ((3, 3), (8, 2)))
    assert sideways < 0.7 * plain


@pytest.mark.parametrize("radius", [4.0, 9.4, 60.0])
def test_a_mask_is_widened_and_narrowed_as_if_all_of_the_picture_were_looked_at(radius: float) -> None:
    """Only the mask's surroundings are computed: the answer is that of the whole picture's distances."""
    masks = [np.zeros((90, 120), np.bool_) for _ in range(4)]
    masks[1][30:60, 100:] = True  # at the border, which does not shrink it
    masks[2][10:25, 15:22] = masks[2][70:, 40:43] = True
    masks[3][:] = True
    for mask in masks:
        away, inside = (
            cv2.distanceTransform(m.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for m in (~mask, mask)
        )
        reach = round(radius) + DISC_RIM
        assert np.array_equal(widened(mask, radius), away <= reach)
        assert np.array_equal(narrowed(mask, radius), inside > reach)


def test_a_disc_lies_about_its_centre():
    """Pixels within the radius, and one pixel at least."""
    ys, xs = np.nonzero(disc_about(np.array([20.2, 10.4]), 4.0, (30, 40, 3)))
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (16, 24, 6, 14)
    assert disc_about(np.array([20.0, 10.0]), 0.1, (30, 40))[10, 20]


def test_only_pieces_of_some_size_are_large():
    """A hand beyond a cuff stays with its arm, a speck does not; nothing has no pieces."""
    mask = np.zeros((40, 40), np.bool_)
    mask[:20, :20] = mask[22:32, :6] = mask[35:37, 35:37] = True
    large = large_pieces(mask, 0.05)
    assert large[:20, :20].all()
    assert large[22:32, :6].all()
    assert not large[35:37, 35:37].any()
    assert not large_pieces(np.zeros((5, 5), np.bool_), 0.05).any()
