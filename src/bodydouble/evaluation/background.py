"""How well the pixels outside the person were kept."""

import numpy as np

from bodydouble.perception.arrays import Image, Mask

PIXELS_MIN = 100
"""With less background there is no measurement."""
PSNR_MAX_DB = 100.0
"""Of identical pixels."""


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
