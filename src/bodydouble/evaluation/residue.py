"""How much of the replaced person is still visible."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.evaluation.regions import core
from bodydouble.perception.arrays import Mask, Matte
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.trunk import HIPS, SHOULDERS, legs_hidden

UNCHANGED_MAX = 8.0
"""0-255: encoding changes a kept pixel by less."""
UNTOUCHED_MAX = 3.0
"""0-255, mean over a neighbourhood."""
NEIGHBOURHOOD_DIVISOR = 15
"""Frame height over the neighbourhood's side."""
COVERED_MIN = 128
"""Alpha (0-255) of the output's matte from which a pixel is covered."""


class Residue:
    """Share of the actor's core pixels that are uncovered and unchanged.

    A matte also covers a person who stands in front of the actor's legs. That person has to stay in the result, so
    ``own_part`` leaves the place out.

    Outside the character a pixel counts when it differs by less than ``UNCHANGED_MAX`` from the source. Under the
    character a single pixel may have the actor's colour by chance. A whole neighbourhood within coding noise does not:
    it is a part of the actor that the output's matte includes.
    """

    def __init__(self) -> None:
        self._shares: list[float] = []

    def add(
        self, track: PersonTrack, i: int, source_matte: Matte, output_matte: Matte, changed: NDArray[np.float32]
    ) -> None:
        """One pair of frames, with the actor in row ``i`` of ``track``.

        ``changed`` (H, W) is the mean absolute difference of the two, 0-255.
        """
        actor = core(source_matte) & own_part(track, i, source_matte.shape)
        total = np.count_nonzero(actor)
        if total == 0:
            return
        side = max(3, changed.shape[0] // NEIGHBOURHOOD_DIVISOR) | 1
        untouched = cv2.boxFilter(changed, -1, (side, side)) < UNTOUCHED_MAX
        covered = output_matte >= COVERED_MIN
        left = actor & np.where(covered, untouched, changed < UNCHANGED_MAX)
        self._shares.append(float(np.count_nonzero(left)) / total)

    def result(self) -> float | None:
        """Mean over the frames, 0-1."""
        return float(np.mean(self._shares)) if self._shares else None


def own_part(track: PersonTrack, i: int, shape: tuple[int, ...]) -> Mask:
    """(H, W) where the actor's matte counts as the actor's own.

    That is everywhere, unless somebody hides the actor's legs. Then it ends at half of the trunk's height. Legs that
    the frame's edge cuts off are not hidden by anybody.
    """
    result, body = np.ones(shape[:2], np.bool_), track.body[i : i + 1]
    if legs_hidden(body, track.visibility[i : i + 1], shape[0])[0]:
        rows = body[0, :, 1].astype(np.float64)
        result[max(0, round((float(rows[SHOULDERS].mean()) + float(rows[HIPS].mean())) / 2)) :] = False
    return result
