"""Lines that a hole interrupts are joined, and plain surfaces go on in their changing light."""

import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.continued_lines import continue_lines


def _hole(height: int, width: int) -> np.ndarray:
    hole = np.zeros((height, width), np.bool_)
    hole[20 : height - 20, 35 : width - 35] = True
    return hole


@pytest.mark.parametrize("slope", [0.0, 0.3, -0.8])
def test_an_edge_that_enters_on_both_sides_is_joined(slope: float) -> None:
    """A border of two colours crosses the hole as a line does, at any slope."""
    rows, columns = np.mgrid[:100, :120]
    across = (rows - 50 - slope * (columns - 60)) / np.hypot(1, slope)
    image = np.where(across[..., None] > 0, (60.0, 40.0, 160.0), (180.0, 130.0, 120.0)).astype(np.float32)
    hole = _hole(100, 120)
    found = continue_lines(np.where(hole[..., None], 0, image).astype(np.float32), hole)
    inside = hole & (np.abs(across) > 4)
    assert np.array_equal(found[~hole], image[~hole])
    assert np.abs(found - image)[inside].max(-1).mean() < 20
    assert (np.abs(found - image)[inside].max(-1) < 60).mean() > 0.95


def test_stripes_are_joined_with_themselves_across_a_wide_hole() -> None:
    """Each stripe of a floor goes on in its own place, although it looks like its neighbours."""
    rows, columns = np.mgrid[:100, :120]
    phase = (rows - np.tan(np.radians(3.5)) * columns) * (2 * np.pi / 14)
    image = np.broadcast_to((120 + 60 * np.sin(phase))[..., None], (100, 120, 3)).astype(np.float32)
    hole = np.zeros((100, 120), np.bool_)
    hole[15:85, 28:92] = True
    found = continue_lines(np.where(hole[..., None], 0, image).astype(np.float32), hole)
    inside = np.s_[30:70, 35:85, 0]
    assert np.corrcoef(found[inside].ravel(), image[inside].ravel())[0, 1] > 0.8


def test_a_plain_surface_goes_on_in_its_changing_light() -> None:
    """Without lines the colours in the hole are those of a membrane: a ramp stays a ramp."""
    ramp = np.linspace(40, 200, 120)[None, :, None] + np.linspace(0, 30, 100)[:, None, None]
    image = np.broadcast_to(ramp, (100, 120, 3)).astype(np.float32)
    hole = _hole(100, 120)
    found = continue_lines(np.where(hole[..., None], 0, image).astype(np.float32), hole)
    assert np.abs(found - image).max() < 5


def test_noise_is_no_line() -> None:
    """Steps that are not the same along a ray are not carried into the hole: it is smoother than its surroundings."""
    image = np.random.default_rng(2).normal(120, 20, (100, 120, 3)).astype(np.float32)
    hole = _hole(100, 120)
    found = continue_lines(image, hole)
    assert found[30:70, 45:75].std() < 8


def test_a_hole_at_the_frame_s_edge_and_a_picture_without_any_hole() -> None:
    """What has no opposite side is continued smoothly; without a hole nothing changes, and a hole may be everything."""
    image = np.full((60, 80, 3), 90, np.float32)
    image[:, 40:] = 150
    hole = np.zeros((60, 80), np.bool_)
    hole[30:, 20:70] = True
    found = continue_lines(np.where(hole[..., None], 0, image).astype(np.float32), hole)
    assert found[55, 25].max() < 115
    assert found[55, 65].min() > 125
    assert np.array_equal(continue_lines(image, hole & False), image)
    assert continue_lines(image, hole | True).shape == image.shape
