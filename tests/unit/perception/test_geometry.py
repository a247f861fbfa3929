import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bodydouble.perception.geometry import COORDINATE_MAX, Roi, crop, in_window, normalise_angle, transform


def test_a_crop_shows_what_its_region_covers():
    """A blob in the frame is found in the crop where the region's map says, whatever the scale and the turn."""
    yy, xx = np.mgrid[0:300, 0:400]
    blob = np.exp(-((xx - 210) ** 2 + (yy - 140) ** 2) / 128) * 255
    image = np.repeat(blob[..., None], 3, 2).astype(np.uint8)
    for size, angle in ((64, 0.0), (200, 0.7), (390, -2.0)):
        matrix = Roi(x=200, y=150, size=size, angle=angle).matrix(64)

        weights = crop(image, matrix, 64)[..., 0].astype(float)

        v, u = np.mgrid[0:64, 0:64]
        centre = np.array([(weights * u).sum(), (weights * v).sum()]) / weights.sum()
        assert np.abs(transform(matrix, centre) - (210, 140)).max() < 1 + size / 64


@given(st.floats(-100, 100))
def test_angles_are_normalised_without_turning(angle: float):
    """Any angle becomes the same direction in [-pi, pi)."""
    small = normalise_angle(angle)

    assert -np.pi <= small < np.pi
    assert np.allclose([np.cos(small), np.sin(small)], [np.cos(angle), np.sin(angle)])


def test_a_region_that_left_the_frame_is_told():
    """A square that cannot touch the frame any more is outside."""
    assert Roi(x=-20, y=50, size=60).inside(100, 100)
    assert not Roi(x=-80, y=50, size=60).inside(100, 100)


def test_points_of_the_frame_are_placed_in_a_window():
    """A window starts at its origin and is scaled; what is far outside stays within what OpenCV can draw."""
    placed = in_window(np.array([[30.0, 50.0], [1e9, -1e9]]), (20.0, 40.0), 0.5)

    assert placed.tolist() == [[5, 5], [COORDINATE_MAX, -COORDINATE_MAX]]
