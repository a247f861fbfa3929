import numpy as np
import pytest

from bodydouble.renderers.puppet.body.least_squares import minimise


def test_the_curved_valley_is_followed_to_its_lowest_point():
    """Rosenbrock's function, the usual test of such methods, is minimised from its usual start."""
    found = minimise(
        lambda v: np.array([10 * (v[1] - v[0] ** 2), 1 - v[0]]),
        lambda v: np.array([[-20 * v[0], 10.0], [-1.0, 0.0]]),
        np.array([-1.2, 1.0]),
        100,
    )
    np.testing.assert_allclose(found, [1, 1], atol=1e-4)


@pytest.mark.parametrize("evaluations_max", [1, 2, 4, 8])
def test_fewer_evaluations_never_make_it_worse(evaluations_max: int):
    """An early end leaves the best unknowns found so far, with residuals that have a kink too."""
    counted: list[float] = []

    def residuals(v: np.ndarray) -> np.ndarray:
        counted.append(0.0)
        return np.array([np.exp(v[0]) - 3, abs(v[0] - 2 * v[1]), v[1] ** 2 - 4])

    def slopes(v: np.ndarray) -> np.ndarray:
        side = np.sign(v[0] - 2 * v[1])
        return np.array([[np.exp(v[0]), 0], [side, -2 * side], [0, 2 * v[1]]])

    start = np.array([4.0, -3.0])
    found = minimise(residuals, slopes, start, evaluations_max)

    assert len(counted) <= evaluations_max
    assert (residuals(found) ** 2).sum() <= (residuals(start) ** 2).sum()
