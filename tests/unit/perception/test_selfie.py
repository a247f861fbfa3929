import numpy as np
import pytest

from bodydouble.perception import ModelPack
from bodydouble.perception.selfie import SelfieNet, shrunk


def test_levels_are_the_mask_in_bytes(model_pack: ModelPack, street):
    """Rounding before or after the enlargement differs by less than two levels."""
    net = SelfieNet(model_pack)
    exact, quick = 255 * net.run(street), net.levels(street)
    assert quick.dtype == np.uint8
    assert np.abs(exact - quick).max() < 2


@pytest.mark.parametrize("side", [48, 52, 60, 100, 130, 200])
def test_a_shrunk_picture_has_the_mean_of_all_its_pixels(side: int):
    """Fine stripes become an even grey at any factor from which pixels would be skipped."""
    image = np.zeros((side, side, 3), np.uint8)
    image[:, ::2] = 200
    small = shrunk(image, 32, 32).astype(float)
    assert abs(small[2:-2, 2:-2].mean() - 100) < 4
    if side > 52:
        assert small[2:-2, 2:-2].std() < 40
