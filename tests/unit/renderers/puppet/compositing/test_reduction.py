"""Reduced pictures and softened masks."""

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.reduction import reduced, reduced_to, softened


@pytest.mark.parametrize("step", [1, 3, 4, 6])
def test_a_pixel_is_the_mean_of_a_square(step: int) -> None:
    """Also where a step is taken in halves; rows and columns over at the ends count for nothing."""
    picture = np.random.default_rng(0).integers(0, 256, (2 * step + (step > 1), 3 * step, 3), np.uint8)
    means = picture[: 2 * step].reshape(2, step, 3, step, 3).mean((1, 3))
    assert reduced(picture, step).shape == (2, 3, 3)
    assert np.abs(reduced(picture, step) - means).max() <= 1.5


@pytest.mark.parametrize("shape", [(97, 170), (270, 480)])
def test_a_picture_reduced_to_a_size_shows_its_means(shape: tuple[int, int]) -> None:
    """Small ones are reduced in one step, large ones are halved before: things of some pixels look the same in both."""
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    picture = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2.0), np.uint8)
    means = cv2.resize(picture.astype(np.float32), (53, 31), interpolation=cv2.INTER_AREA)
    small = reduced_to(picture, (53, 31))
    assert small.dtype == np.uint8
    assert np.abs(small - means).max() <= 2


@pytest.mark.parametrize("sigma", [1.5, 2.0, 3.0, 4.5])
def test_an_edge_is_softened_as_by_a_gaussian(sigma: float) -> None:
    """A twentieth of the range at most, and 2 levels on average, in the pixels that the blur reaches."""
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 30:] = 255
    gaussian = cv2.GaussianBlur(mask, (0, 0), sigma).astype(int)
    difference = np.abs(softened(mask, sigma) - gaussian)[:, 15:45]
    assert difference.max() <= 13
    assert difference.mean() < 2
