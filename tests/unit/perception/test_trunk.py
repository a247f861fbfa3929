"""Measures between the trunk's corners."""

import numpy as np

from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.trunk import hip_centre, hip_vector, shoulder_centre, shoulder_vector, spine_vector


def test_measures_are_those_of_each_body() -> None:
    """Vectors lead to the subject's left and upwards; one body and many give the same numbers."""
    body = np.full((33, 3), np.nan)
    body[BodyPoint.LEFT_SHOULDER], body[BodyPoint.RIGHT_SHOULDER] = (60, 10, 1), (20, 12, 3)
    body[BodyPoint.LEFT_HIP], body[BodyPoint.RIGHT_HIP] = (50, 90, 0), (30, 90, 0)
    bodies = np.stack([body, body + 5])
    for measure, value in (
        (shoulder_vector, (40, -2, -2)),
        (hip_vector, (20, 0, 0)),
        (spine_vector, (0, -79, 2)),
    ):
        assert np.array_equal(measure(body), value)
        assert np.array_equal(measure(bodies), [value, value])
    assert np.array_equal(shoulder_centre(bodies), [(40, 11, 2), (45, 16, 7)])
    assert np.array_equal(hip_centre(bodies), [(40, 90, 0), (45, 95, 5)])
