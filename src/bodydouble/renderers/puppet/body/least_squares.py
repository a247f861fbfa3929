"""Nonlinear least squares."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DAMPING_START = 1e-3
"""First damping over the largest diagonal element of the normal equations (the paper's tau)."""
GAIN_MIN = 1e-8
"""Relative decrease of the sum of squares below which the search ends."""


def minimise(
    residuals: Callable[[Array], Array], slopes: Callable[[Array], Array], start: Array, evaluations_max: int
) -> Array:
    """(U,) the unknowns near ``start`` that make the sum of the squared ``residuals`` smallest.

    ``residuals`` maps unknowns to (R,) errors and ``slopes`` to their derivatives (R, U). The Levenberg-Marquardt
    method; source: Madsen, Nielsen, Tingleff, "Methods for Non-Linear Least Squares Problems", 2004, algorithm 3.16.
    """
    here, errors, jacobian = start, residuals(start), slopes(start)
    normal, gradient = jacobian.T @ jacobian, jacobian.T @ errors
    damping, growth = DAMPING_START * float(normal.diagonal().max()), 2.0
    for _ in range(evaluations_max - 1):
        step = np.linalg.solve(normal + damping * np.eye(len(start)), -gradient)
        predicted = float(step @ (damping * step - gradient))
        tried = residuals(here + step)
        gain = float(errors @ errors - tried @ tried)
        if predicted <= 0 or abs(gain) <= GAIN_MIN * float(errors @ errors):
            return here + step if gain > 0 else here
        if gain > 0:
            here, errors, jacobian = here + step, tried, slopes(here + step)
            normal, gradient = jacobian.T @ jacobian, jacobian.T @ errors
            damping *= max(1 / 3, 1 - (2 * gain / predicted - 1) ** 3)
            growth = 2.0
        else:
            damping *= growth
            growth *= 2
    return here
