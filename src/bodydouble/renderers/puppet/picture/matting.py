"""Exact outlines: closed-form matting, and the foreground's own colours."""

from typing import Any

import cv2
import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import cg

from bodydouble.perception.arrays import Floats

WINDOW = np.array([(dy, dx) for dy in (0, 1, 2) for dx in (0, 1, 2)])
"""Pixels of a window of 3 x 3, as rows and columns from its corner."""
EPSILON = 1e-5
"""Regularisation of the colour covariance of a window, for colours 0-1. Chosen by eye on hair."""
PIXELS = len(WINDOW)
KNOWN = 0.02
"""Distance from 0 and 1 within which a trimap's value is known."""
SOLVER_RELATIVE_ERROR, DIAGONAL_SHIFT, DIAGONAL_MIN = 1e-4, 1e-8, 1e-9
"""Of conjugate gradients: the relative residual, and terms that keep an isolated pixel's equation solvable."""
BLUR_RADII = (60, 8)
"""Radii in pixels of the two passes of blur fusion; the paper has 90 and 6."""
WEIGHT_MIN = 1e-5
"""Added to weights that are divided by."""
WINDOWS_AT_ONCE = 16_384
"""Windows whose affinities are held at once: 11 MB for each of a few arrays. A picture's band has 20,000 to 100,000."""


def closed_form_alpha(image: NDArray[np.uint8], trimap: Floats, iterations_max: int = 400) -> Floats:
    """Alpha 0-1 of the unknown pixels of ``trimap`` (0, 1, or between them: unknown), same (h, w).

    The matting Laplacian is built only for windows that touch the unknown band and solved by conjugate gradients.
    Source: Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting", PAMI 2008, eq. 12.
    """
    height, width = trimap.shape
    unknown = (trimap > KNOWN) & (trimap < 1 - KNOWN)
    if not unknown.any():
        return trimap.astype(np.float32)
    centres = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    cy, cx = np.nonzero(centres)
    size = height * width
    laplacian: Any = sparse.csr_matrix((size, size))
    for start in range(0, len(cy), WINDOWS_AT_ONCE):
        some = np.s_[start : start + WINDOWS_AT_ONCE]
        laplacian = laplacian + _laplacian_of(image, cy[some, None] + WINDOW[:, 0], cx[some, None] + WINDOW[:, 1])
    free, fixed = np.flatnonzero(unknown.ravel()), np.flatnonzero(~unknown.ravel())
    values = trimap.astype(np.float64).ravel().copy()
    among = laplacian[free]
    system = among[:, free] + sparse.eye(len(free)) * DIAGONAL_SHIFT
    right = -(among[:, fixed] @ values[fixed])
    preconditioner = sparse.diags(1 / np.maximum(system.diagonal(), DIAGONAL_MIN))
    solved, _ = cg(
        system, right, x0=np.full(len(free), 0.5), rtol=SOLVER_RELATIVE_ERROR, maxiter=iterations_max, M=preconditioner
    )
    values[free] = np.clip(solved, 0, 1)
    return np.asarray(values.reshape(height, width), np.float32)


def _laplacian_of(image: NDArray[np.uint8], yy: NDArray[np.int64], xx: NDArray[np.int64]) -> sparse.csr_matrix:
    """The matting Laplacian of the windows with the pixels ``yy``, ``xx`` (N, 9), as a matrix over all pixels."""
    size, index = image.shape[0] * image.shape[1], (yy * image.shape[1] + xx).astype(np.int32)
    centred = (colours := image[yy, xx].astype(np.float64) / 255) - colours.mean(1, keepdims=True)
    covariance = np.einsum("nki,nkj->nij", centred, centred) / PIXELS + EPSILON / PIXELS * np.eye(3)
    affinity = (np.einsum("nki,nij,nlj->nkl", centred, np.linalg.inv(covariance), centred, optimize=True) + 1) / PIXELS
    rows, columns = np.repeat(index, PIXELS, 1).ravel(), np.tile(index, (1, PIXELS)).ravel()
    return sparse.csr_matrix(((np.eye(PIXELS) - affinity).ravel(), (rows, columns)), (size, size))


def estimate_foreground(image: NDArray[np.uint8], alpha: Floats) -> Floats:
    """(h, w, 3) colours 0-255 that the foreground alone has, so that no old background shines through an edge.

    Source: Forte, "Approximate Fast Foreground Colour Estimation" (blur fusion, two passes), ICIP 2021.
    """
    result = np.empty(image.shape, np.float32)
    weights = [cv2.blur(alpha, (2 * radius + 1, 2 * radius + 1)) for radius in BLUR_RADII]
    behind = 1 - alpha
    for channel in range(3):  # one by one: a large picture's arrays are 30 MB together
        original = image[..., channel].astype(np.float32)
        foreground = background = original
        for radius, weight in zip(BLUR_RADII, weights, strict=True):
            kernel = (2 * radius + 1, 2 * radius + 1)
            mean_front = cv2.blur(foreground * alpha, kernel) / (weight + WEIGHT_MIN)
            mean_back = cv2.blur(background * behind, kernel) / (1 - weight + WEIGHT_MIN)
            foreground = np.clip(mean_front + alpha * (original - alpha * mean_front - behind * mean_back), 0, 255)
            background = mean_back
        result[..., channel] = foreground
    return result
