"""How unsteady the person's region is from frame to frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask

PIXELS_MIN = 100
"""A smaller region is not measured."""
FLOW_MARGIN = 16
"""Pixels around the region that optical flow near its border needs."""


class Flicker:
    """Mean absolute error (0-255) between a frame and the previous one after motion compensation (DIS optical flow).

    The source's own value is what noise, motion blur and flow errors cause without any replacement.
    """

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._errors: list[float] = []

    def add(self, before: Image, now: Image, region: Mask) -> None:
        """Two consecutive frames of one shot and the person's region in the later one."""
        rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
        if np.count_nonzero(region) < PIXELS_MIN:
            return
        pad = FLOW_MARGIN
        box = (
            slice(max(0, int(rows[0]) - pad), int(rows[-1]) + pad + 1),
            slice(max(0, int(columns[0]) - pad), int(columns[-1]) + pad + 1),
        )
        earlier, later = np.ascontiguousarray(before[box]), np.ascontiguousarray(now[box])
        error = self._warped_error(earlier, later)
        self._errors.append(float(error[region[box]].mean()))

    def _warped_error(self, before: Image, now: Image) -> NDArray[np.float32]:
        grey = [np.asarray(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), np.uint8) for x in (now, before)]
        flow = self._flow.calc(grey[0], grey[1], np.zeros((*grey[0].shape, 2), np.float32))
        yy, xx = np.mgrid[0 : now.shape[0], 0 : now.shape[1]].astype(np.float32)
        compensated = cv2.remap(
            before, xx + flow[..., 0], yy + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(cv2.absdiff(compensated, now).astype(np.float32).mean(-1), np.float32)

    def result(self) -> float | None:
        """Mean over the pairs."""
        return float(np.mean(self._errors)) if self._errors else None
