"""Exact outlines: closed-form matting, and the foreground's own colours."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask

WINDOW = np.array([(dy, dx) for dy in (0, 1, 2) for dx in (0, 1, 2)])
"""Pixels of a window of 3 x 3, as rows and columns from its corner."""
REACH = np.array([(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)])
"""Rows and columns from a pixel to those that share a window with it; itself in the middle."""
EPSILON = 1e-5
"""Regularisation of the colour covariance of a window, for colours 0-1. Chosen by eye on hair."""
PIXELS = len(WINDOW)
KNOWN = 0.02
"""Distance from 0 and 1 within which a trimap's value is known."""
SOLVER_RELATIVE_ERROR, DIAGONAL_SHIFT, DIAGONAL_MIN = 1e-4, 1e-8, 1e-9
"""Conjugate gradients: the relative residual at the end, and terms that keep an isolated pixel's equation solvable."""
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
    free = np.flatnonzero(unknown)
    number = np.full(unknown.shape, -1, np.int32)
    number.ravel()[free] = np.arange(len(free), dtype=np.int32)
    rows = _laplacian_rows(image, unknown, number)
    # Beyond the picture's border the rows are 0: which pixel is named there does not matter.
    near = np.clip(free[:, None] + (REACH[:, :1] * width + REACH[:, 1:]).ravel(), 0, height * width - 1)
    right = -(rows * np.where(unknown, 0.0, trimap).ravel()[near]).sum(1)
    columns = number.ravel()[near]
    rows[columns < 0], columns[columns < 0] = 0, 0
    rows[:, len(REACH) // 2] += DIAGONAL_SHIFT
    solved = _solved(rows, columns, right, iterations_max)
    values = trimap.astype(np.float32)
    values.ravel()[free] = np.clip(solved, 0, 1)
    return values


def _solved(
    rows: NDArray[np.float64], columns: NDArray[np.int32], right: NDArray[np.float64], iterations_max: int
) -> NDArray[np.float32]:
    """(N,) the solution of a symmetric system by conjugate gradients, preconditioned by the diagonal.

    Equation i has the coefficients ``rows[i]`` (N, len(REACH)) at the unknowns ``columns[i]``, and ``right[i]``.
    Source: Hestenes and Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems", 1952.
    """
    # In single precision two thirds of the time, and the same distance from the converged solution.
    coefficients, unknowns = np.ascontiguousarray(rows.T, np.float32), np.ascontiguousarray(columns.T, np.intp)
    gathered = np.empty(coefficients.shape, np.float32)

    def product(x: NDArray[np.float32]) -> NDArray[np.float32]:
        np.take(x, unknowns, out=gathered, mode="clip")  # the default mode makes a copy of what it gathers
        return np.einsum("kn,kn->n", coefficients, gathered)

    enough = SOLVER_RELATIVE_ERROR * float(np.linalg.norm(right))
    if not enough:
        return np.zeros(len(right), np.float32)
    weight = (1 / np.maximum(rows[:, len(REACH) // 2], DIAGONAL_MIN)).astype(np.float32)
    found = np.full(len(right), 0.5, np.float32)
    residual = right.astype(np.float32) - product(found)
    direction, size_before = np.zeros(len(right), np.float32), 1.0
    for _ in range(iterations_max):
        if np.linalg.norm(residual) <= enough:
            break
        weighted = weight * residual
        size = float(residual @ weighted)
        direction = np.asarray(weighted + np.float32(size / size_before) * direction, np.float32)
        moved = product(direction)
        step = np.float32(size / float(direction @ moved))
        found += step * direction
        residual -= step * moved
        size_before = size
    return found


def _laplacian_rows(image: NDArray[np.uint8], unknown: Mask, number: NDArray[np.int32]) -> NDArray[np.float64]:
    """(N, len(REACH)) the matting Laplacian's rows of the ``unknown`` (h, w) pixels; ``number`` (h, w) numbers them."""
    centres = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    cy, cx = np.nonzero(centres)
    count = int(number.max()) + 1
    total = np.zeros((count + 1) * len(REACH))  # the last row collects those of known pixels
    between = WINDOW[None] - WINDOW[:, None] + 2  # from each pixel of a window to each other one
    place = between[..., 0] * 5 + between[..., 1]
    for start in range(0, len(cy), WINDOWS_AT_ONCE):
        some = np.s_[start : start + WINDOWS_AT_ONCE]
        yy, xx = cy[some, None] + WINDOW[:, 0], cx[some, None] + WINDOW[:, 1]
        row = number[yy, xx].astype(np.int64)
        row[row < 0] = count
        colours = image[yy, xx].astype(np.float64) / 255
        colours -= colours.mean(1, keepdims=True)
        turned = colours.transpose(0, 2, 1)
        covariance = turned @ colours / PIXELS + EPSILON / PIXELS * np.eye(3)
        affinity = (colours @ np.linalg.inv(covariance) @ turned + 1) / PIXELS
        at = row[:, :, None] * len(REACH) + place
        total += np.bincount(at.ravel(), (np.eye(PIXELS) - affinity).ravel(), minlength=len(total))
    return total.reshape(count + 1, len(REACH))[:count]


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
