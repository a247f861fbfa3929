"""Footage held in one array."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


class Stored:
    """Frames or mattes in an array of shape (F, H, W) or (F, H, W, 3); implements ``footage.Footage``."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._images = images
        self.frames, self.height, self.width = images.shape[:3]
        self.frame_rate = 25.0

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for i in range(start, min(stop, self.frames), step):
            yield i, self._images[i]
