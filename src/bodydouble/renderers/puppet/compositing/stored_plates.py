"""Key plates on disk: the background of any frame, warped and cross-faded from the nearest two."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, PixelBox
from bodydouble.renderers.puppet.compositing.registration import CameraPath, Homography

PLATES_CACHED = 3
"""Key plates kept in memory: those of two threads that draw at a border between keys."""


@dataclass(frozen=True, kw_only=True)
class ShotPlates:
    """The key plates of one shot."""

    path: CameraPath
    start: int
    stop: int
    keys: list[int]


class Plates:
    """Plates on disk, read through a small cache; safe to use from several threads."""

    def __init__(self, folder: Path, shots: list[ShotPlates], unseen: float) -> None:
        self._folder, self.shots = folder, shots
        self.unseen = unseen  # share of the removed pixels that no frame showed
        self._cache: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._lock = Lock()

    def shot_of(self, index: int) -> ShotPlates | None:
        """The shot that frame ``index`` is in, if it has plates."""
        return next((s for s in self.shots if s.start <= index < s.stop), None)

    def at(self, index: int, box: PixelBox) -> Image:
        """The background of frame ``index`` within ``box``, RGB."""
        return np.asarray(cv2.cvtColor(self.with_seen(index, box), cv2.COLOR_RGBA2RGB), np.uint8)

    def with_seen(self, index: int, box: PixelBox, pieces: Sequence[PixelBox] | None = None) -> NDArray[np.uint8]:
        """(h, w, 4) as ``at``, with an alpha that is 255 where some frame showed the background, 0 where none did.

        Where none did, but a plain wall goes on, the alpha is between.

        Of ``box`` only ``pieces``, relative to its corner, are computed, where they are given; the rest is 0.
        """
        shot = self.shot_of(index)
        assert shot is not None, "frames with a person have a plate"
        right = int(np.searchsorted(shot.keys, index))
        a, b = shot.keys[max(right - 1, 0)], shot.keys[min(right, len(shot.keys) - 1)]
        if index <= shot.keys[0]:
            a = b = shot.keys[0]
        share = (index - a) / (b - a) if a != b else 0.0
        keys = [(self._load(key), None if shot.path.still else shot.path.between(key, index)) for key in (a, b)]
        x0, y0, x1, y1 = box
        result = np.zeros((y1 - y0, x1 - x0, 4), np.uint8)
        for left, top, right, bottom in [(0, 0, x1 - x0, y1 - y0)] if pieces is None else pieces:
            place, here = (x0 + left, y0 + top, x0 + right, y0 + bottom), np.s_[top:bottom, left:right]
            first = _warped(*keys[0], place)
            result[here] = cv2.addWeighted(first, 1 - share, _warped(*keys[1], place), share, 0) if share else first
        return result

    def _load(self, key: int) -> NDArray[np.uint8]:
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
            image = self._cache[key] = np.load(plate_path(self._folder, key))
            if len(self._cache) > PLATES_CACHED:
                self._cache.popitem(last=False)
            return image


def _warped(plate: NDArray[np.uint8], matrix: Homography | None, box: PixelBox) -> NDArray[np.uint8]:
    """(h, w, 4) ``plate`` moved by ``matrix``, within ``box``. OpenCV warps four channels in half the time of three."""
    x0, y0, x1, y1 = box
    if matrix is None:
        return plate[y0:y1, x0:x1]
    warped = cv2.warpPerspective(plate, cut_to(box) @ matrix, (x1 - x0, y1 - y0), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def plate_path(folder: Path, key: int) -> Path:
    """The file of one key plate."""
    return folder / f"plate-{key:06d}.npy"


def cut_to(box: PixelBox) -> NDArray[np.float64]:
    """(3, 3): moves the box's corner to the origin."""
    return np.array([[1, 0, -box[0]], [0, 1, -box[1]], [0, 0, 1.0]])
