"""How much of the replaced person is still to be seen."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.evaluation.regions import core
from bodydouble.perception.arrays import Matte

UNCHANGED_MAX = 8.0  # 0-255: less than this is what encoding does to a kept pixel
UNTOUCHED_MAX = 3.0  # 0-255, mean over a neighbourhood
COVERED_MIN = 128  # of the output's matte


class Residue:
    """Share of the actor's core pixels that are bare and unchanged.

    Outside the character a pixel counts when it differs by less than ``UNCHANGED_MAX`` from the source. Under the
    character one pixel may well have the actor's colour by chance, a whole neighbourhood (1/15 of the height) to
    within coding noise does not: that is a part of the actor which the output's matte took for the character's.
    """

    def __init__(self) -> None:
        self._shares: list[float] = []

    def add(self, source_matte: Matte, output_matte: Matte, changed: NDArray[np.float32]) -> None:
        """One pair of frames; ``changed`` (H, W) is their mean absolute difference, 0-255."""
        actor = core(source_matte)
        total = np.count_nonzero(actor)
        if total == 0:
            return
        side = max(3, changed.shape[0] // 15) | 1
        untouched = cv2.boxFilter(changed, -1, (side, side)) < UNTOUCHED_MAX
        covered = output_matte >= COVERED_MIN
        left = actor & np.where(covered, untouched, changed < UNCHANGED_MAX)
        self._shares.append(float(np.count_nonzero(left)) / total)

    def result(self) -> float | None:
        """Mean over the frames, 0-1."""
        return float(np.mean(self._shares)) if self._shares else None
