"""Colour models of two kinds of pixels, for separating a limb from its surroundings."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask

Array = NDArray[np.float64]

COMPONENTS = 5
"""Gaussians of a model: fixed by OpenCV's GrabCut, whose layout the models keep."""
MODEL_SIZE = 65
"""Numbers of a GrabCut model: for each Gaussian a weight, then three means for each, then nine covariances for each."""
COVARIANCES_FROM = 4 * COMPONENTS
"""Index of a model's first covariance, after the weights and means."""
SAMPLES_MAX = 4000
"""Seeds of each kind that a model is learned from."""
SEED = 0
"""Seed of the choice of samples and of GrabCut's clusters: equal pictures get equal models."""
STRIP_SEEDS_MIN = 64
"""Smallest number of seeds of each kind in the strip: fewer are repeated. Chosen by eye on the development clips."""
NOISE = 9.0
"""Added to each variance (levels squared): flat colours of a drawing have none of their own."""


def learn_models(image: Image, first: Mask, second: Mask) -> tuple[Array, Array]:
    """Mixtures of Gaussians (1, 65) of the colours in two sets of seeds, from the seeds alone.

    GrabCut would go on learning from what it is unsure of: hair before a shoulder would become a colour of the arm.
    The seeds are laid side by side in a strip of two rows, so that OpenCV's own code fits the models.
    """
    rng = np.random.default_rng(SEED)

    def drawn(mask: Mask) -> Image:
        pixels = image[mask]
        return pixels[rng.permutation(len(pixels))[:SAMPLES_MAX]]

    a, b = drawn(first), drawn(second)
    count = max(len(a), len(b), STRIP_SEEDS_MIN)
    a, b = a[rng.integers(0, len(a), count)], b[rng.integers(0, len(b), count)]
    strip = np.ascontiguousarray(np.concatenate([a, b])[None].repeat(2, 0))
    labels = np.repeat(np.array([cv2.GC_FGD, cv2.GC_BGD], np.uint8), count)[None].repeat(2, 0)
    background, foreground = np.zeros((1, MODEL_SIZE)), np.zeros((1, MODEL_SIZE))
    cv2.setRNGSeed(SEED)
    cv2.grabCut(strip, labels, (0, 0, 1, 1), background, foreground, 1, cv2.GC_INIT_WITH_MASK)
    return foreground, background


def log_likelihood_ratio(models: tuple[Array, Array], colours: Image) -> Array:
    """(N,) logarithm of the density of ``colours`` (N, 3) under the first of two models (1, 65), over the second's."""
    # A drawing has few colours: each is looked up once.
    codes = colours.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
    unique, index = np.unique(codes, return_inverse=True)
    values = np.stack([unique >> 16, (unique >> 8) & 255, unique & 255]).astype(np.float64)
    first, second = (_log_likelihood(model, values) for model in models)
    return (first - second)[index]


def _log_likelihood(model: Array, values: Array) -> Array:
    """(N,) logarithm of the density of colours (3, N) under a ``model`` (1, 65), up to a constant."""
    flat = model.ravel()
    means = flat[COMPONENTS:COVARIANCES_FROM].reshape(-1, 3)
    covariances = flat[COVARIANCES_FROM:].reshape(-1, 3, 3)
    densities: list[Array] = []
    for weight, mean, covariance in zip(flat[:COMPONENTS], means, covariances, strict=True):
        if weight <= 0:
            continue
        lower = np.linalg.cholesky(covariance + NOISE * np.eye(3))
        away = np.linalg.inv(lower) @ (values - mean[:, None])
        densities.append(np.log(weight) - np.log(np.diag(lower)).sum() - 0.5 * np.einsum("kn,kn->n", away, away))
    largest = np.max(densities, axis=0)
    return largest + np.log(sum(np.exp(density - largest) for density in densities))
