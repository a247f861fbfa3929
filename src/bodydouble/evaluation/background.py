"""How well the pixels outside the person were kept."""

import numpy as np

from bodydouble.media import Planes
from bodydouble.perception.arrays import Image, Mask

PIXELS_MIN = 100
"""Number of background pixels below which a frame is not measured."""
PSNR_MAX_DB = 100.0
"""The value for identical pixels, whose PSNR is infinite."""


class BackgroundFidelity:
    """Peak signal-to-noise ratio (peak 255, over RGB) of each frame's background."""

    def __init__(self) -> None:
        self._decibels: list[float] = []

    def add(self, source: Image, output: Image, background: Mask) -> None:
        """One pair of frames; ignored where almost no background is left."""
        if np.count_nonzero(background) < PIXELS_MIN:
            return
        error = output[background].astype(np.float32) - source[background]
        mean_square = float(np.mean(error * error))
        floor = 255**2 / 10 ** (PSNR_MAX_DB / 10)
        self._decibels.append(10 * float(np.log10(255**2 / max(mean_square, floor))))

    def result(self) -> tuple[float | None, float | None]:
        """Mean and minimum over the frames, in dB."""
        if not self._decibels:
            return None, None
        return float(np.mean(self._decibels)), min(self._decibels)


class SampleFidelity:
    """Whether the background of a result has the source's own Y'CbCr samples."""

    def __init__(self, bits: int) -> None:
        self._peak = (1 << bits) - 1
        self._samples = self._equal = 0
        self._error = 0.0

    def add(self, source: Planes, output: Planes, background: Mask) -> None:
        """One pair of frames. Chroma counts where all four pixels of a block are background."""
        height, width = background.shape
        blocks = background.reshape(height // 2, 2, width // 2, 2).all((1, 3))
        for own, made, mask in zip(source, output, (background, blocks, blocks), strict=True):
            error = made[mask].astype(np.float64) - own[mask]
            self._samples += error.size
            self._equal += int(np.count_nonzero(error == 0))
            self._error += float(error @ error)

    def result(self) -> tuple[float | None, float | None]:
        """PSNR in dB over all samples, at most ``PSNR_MAX_DB``, and the share of equal samples."""
        if self._samples < PIXELS_MIN:
            return None, None
        floor = self._peak**2 / 10 ** (PSNR_MAX_DB / 10)
        psnr = 10 * float(np.log10(self._peak**2 / max(self._error / self._samples, floor)))
        return psnr, self._equal / self._samples
