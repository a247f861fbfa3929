"""Colour models of two kinds of pixels."""

import numpy as np

from bodydouble.renderers.puppet.picture.colour_models import (
    COMPONENTS,
    COVARIANCES_FROM,
    NOISE,
    learn_models,
    log_likelihood_ratio,
)


def _density(model: np.ndarray, colour: np.ndarray) -> float:
    """Of one colour under a mixture of Gaussians in GrabCut's layout, but for the factor that all have."""
    flat, total = model.ravel(), 0.0
    for k in range(COMPONENTS):
        mean = flat[COMPONENTS + 3 * k :][:3]
        covariance = flat[COVARIANCES_FROM + 9 * k :][:9].reshape(3, 3) + NOISE * np.eye(3)
        away = colour - mean
        total += flat[k] * np.exp(-0.5 * away @ np.linalg.inv(covariance) @ away) / np.sqrt(np.linalg.det(covariance))
    return total


def test_the_ratio_is_that_of_both_mixtures_densities() -> None:
    """For each pixel, also of repeated colours: the logarithm of one density over the other, summed up one by one."""
    rng = np.random.default_rng(2)
    image = np.clip(rng.normal(0, 12, (40, 60, 3)) + [90, 120, 140], 0, 255).astype(np.uint8)
    image[:, 30:] = np.clip(rng.normal(0, 12, (40, 30, 3)) + [150, 110, 90], 0, 255).astype(np.uint8)
    left = np.zeros((40, 60), np.bool_)
    left[:, :30] = True
    models = learn_models(image, left, ~left)
    colours = np.concatenate(
        [image[::9, ::9].reshape(-1, 3), image[:1, :3].reshape(-1, 3), image[:1, :3].reshape(-1, 3)]
    )
    expected = [np.log(_density(models[0], c) / _density(models[1], c)) for c in colours.astype(np.float64)]
    assert np.allclose(log_likelihood_ratio(models, colours), expected, atol=1e-6)
