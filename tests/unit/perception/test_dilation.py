"""Growing masks by discs."""

import cv2
import numpy as np
import pytest

from bodydouble.perception.dilation import DIRECT_SIDE_MAX, dilated


@pytest.mark.parametrize("side", [3, DIRECT_SIDE_MAX, DIRECT_SIDE_MAX + 2, 19, 33, 61])
@pytest.mark.parametrize("shape", [(90, 120), (17, 40), (40, 11), (1, 5)])
def test_a_mask_grows_as_opencv_grows_it(side: int, shape: tuple[int, int]):
    """Every pixel is that of OpenCV's own dilation, also where the disc is larger than the picture."""
    noise = np.random.default_rng(side).integers(0, 256, shape).astype(np.uint8)
    mask = np.where(noise > 250, noise, 0).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))

    assert np.array_equal(dilated(mask, side), cv2.dilate(mask, disc))
