"""Drift of colour from segment to segment: measured on the known background, and removed.

Each pass through the autoencoder and the model shifts colours slightly, and the next segment starts from the shifted
frames. The model for one channel at time t (0-1 through the segment): made = (g + g' t) * known + (o + o' t).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image

SHRINK = 8
"""Side of a cell in pixels. Drift is the same over large areas: a mean of 8 x 8 pixels is free of noise."""
CELLS_MIN = 64
"""Cells over the whole segment, for four unknowns per channel. Chosen, not measured."""
GAIN_RANGE, OFFSET_MAX = (0.8, 1.25), 0.12
"""Limits of the correction; the offset is a share of the full range. A larger difference is no drift but another
picture, and correcting it would tint the character. Chosen, not measured."""
PRIOR_WEIGHT = 0.02
"""Weight of "no drift", as a share of the measured cells: with a background of one colour, gain and offset cannot be
separated. Chosen, not measured."""
OUTLIER_DEVIATIONS = 3.0
"""Standard deviations from the fit beyond which a cell is left out: the usual three-sigma rule."""
MEDIAN_TO_DEVIATION = 1.4826
"""Standard deviation over median absolute deviation, of a normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """(2, 3) each: the value at the segment's start and its change through it, for R, G and B; offsets of 0-1."""

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]

    def take_back(self, image: Image, time: float) -> Image:
        """``image`` at ``time`` (0-1) without the drift."""
        gain = np.clip(self.gain[0] + self.gain[1] * time, *GAIN_RANGE)
        offset = np.clip(self.offset[0] + self.offset[1] * time, -OFFSET_MAX, OFFSET_MAX)
        table = (np.arange(256)[:, None] / 255 - offset) / gain
        table = np.clip(table * 255, 0, 255).round().astype(np.uint8)
        return np.asarray(cv2.LUT(image, table[:, None, :].transpose(1, 0, 2)), np.uint8)


def measure_drift(
    made: NDArray[np.uint8], known: NDArray[np.uint8], trusted: NDArray[np.bool_], times: NDArray[np.float64]
) -> Drift | None:
    """Drift of ``made`` from ``known``, both (F, H, W, 3), where ``trusted`` (F, H, W); ``times`` (F,) are 0-1.

    None if fewer than ``CELLS_MIN`` cells are trusted.
    """
    cells_made, cells_known, cell_times = _cells(made, known, trusted, times)
    if len(cells_made) < CELLS_MIN:
        return None
    changes = bool(np.ptp(cell_times))
    gain, offset = np.array([[1.0] * 3, [0.0] * 3]), np.zeros((2, 3))
    for channel in range(3):
        fit = _fit(cells_known[:, channel], cells_made[:, channel], cell_times, changes)
        gain[:, channel], offset[:, channel] = fit[:2], fit[2:]
    return Drift(gain=gain, offset=offset)


def _cells(
    made: NDArray[np.uint8], known: NDArray[np.uint8], trusted: NDArray[np.bool_], times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Means (0-1) of the cells in which every pixel is trusted: (N, 3), (N, 3), and their times (N,)."""
    height, width = made.shape[1] // SHRINK, made.shape[2] // SHRINK
    makes: list[NDArray[np.float64]] = []
    knows: list[NDArray[np.float64]] = []
    moments: list[NDArray[np.float64]] = []
    for a, b, sure, time in zip(made, known, trusted, times, strict=True):
        crop = slice(0, height * SHRINK), slice(0, width * SHRINK)
        whole = sure[crop].reshape(height, SHRINK, width, SHRINK).all((1, 3))
        makes.append(_shrunk(a[crop])[whole])
        knows.append(_shrunk(b[crop])[whole])
        moments.append(np.full(int(whole.sum()), time))
    return np.concatenate(makes), np.concatenate(knows), np.concatenate(moments)


def _shrunk(image: Image) -> NDArray[np.float64]:
    size = (image.shape[1] // SHRINK, image.shape[0] // SHRINK)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float64) / 255


def _fit(
    known: NDArray[np.float64], made: NDArray[np.float64], times: NDArray[np.float64], changes: bool
) -> NDArray[np.float64]:
    """(4,) gain, its change, offset, its change. Fitted twice, the second time without outliers."""
    columns = np.stack([known, known * times, np.ones_like(known), times], axis=1)
    if not changes:
        columns[:, [1, 3]] = 0
    kept = np.ones(len(known), np.bool_)
    result = np.zeros(4)
    for _ in range(2):
        rows, shift = columns[kept], made[kept] - known[kept]
        prior = PRIOR_WEIGHT * len(shift) * np.eye(4)
        result = np.linalg.solve(rows.T @ rows + prior, rows.T @ shift)
        left = np.abs(made - known - columns @ result)
        kept = left <= OUTLIER_DEVIATIONS * max(float(np.median(left)) * MEDIAN_TO_DEVIATION, 1 / 255)
    return np.asarray(result + (1, 0, 0, 0), np.float64)
