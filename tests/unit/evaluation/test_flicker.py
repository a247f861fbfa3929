"""Steadiness from frame to frame."""

import numpy as np

from bodydouble.evaluation.flicker import Flicker
from material import landscape

REGION = np.zeros((240, 320), bool)
REGION[60:200, 60:260] = True


def _error(before: np.ndarray, now: np.ndarray) -> float:
    flicker = Flicker()
    flicker.add(before, now, REGION)
    result = flicker.result()
    assert result is not None
    return result


def test_motion_is_not_flicker_but_noise_is() -> None:
    """A panning camera is followed; noise of the same frame is not explained by motion."""
    first, second = landscape(2)
    noise = np.random.default_rng(3).normal(0, 25, first.shape)
    noisy = np.clip(second + noise, 0, 255).astype(np.uint8)
    assert _error(first, first) == 0
    assert _error(first, second) < 5 < 10 < _error(first, noisy)


def test_an_empty_region_is_not_measured() -> None:
    """Nobody there, nothing to say."""
    flicker = Flicker()
    flicker.add(*landscape(2), np.zeros((240, 320), bool))  # pyright: ignore[reportCallIssue]
    assert flicker.result() is None
