"""The guided filter at half size."""

import cv2
import numpy as np
import pytest

from bodydouble.perception.guided_filter import guided_filter
from material import astronaut


@pytest.mark.parametrize(("width", "height"), [(200, 160), (161, 203)])
def test_it_is_opencvs_filter(width: int, height: int) -> None:
    """The result is that of the contributed module, which computes the same in four times the time."""
    guide = np.asarray(cv2.resize(astronaut(), (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    disc = cv2.circle(np.zeros((height, width), np.float32), (width // 2, height // 3), height // 4, 1.0, -1)
    values = np.asarray(cv2.GaussianBlur(disc, (0, 0), 4), np.float32)
    for radius in (3, 8):
        expected = cv2.ximgproc.guidedFilter(guide, values, radius, 65.0, scale=0.5)
        assert np.abs(guided_filter(guide, values, radius, 65.0) - expected).max() < 1e-4


def test_a_picture_without_room_for_the_filter_stays() -> None:
    """Three pixels in a row are no surroundings to fit anything to."""
    values = np.ones((3, 40), np.float32)
    assert guided_filter(np.zeros((3, 40, 3), np.uint8), values, 3, 65.0) is values
