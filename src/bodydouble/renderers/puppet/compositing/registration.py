"""How the camera moves: homographies of the background from frame to frame, with everybody masked out."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image

Homography = NDArray[np.float64]  # (3, 3)

SIDE = 400
"""Approximate longer side, in pixels, of the grey pictures in which features are followed."""
FEATURES_MAX, FEATURES_MIN = 300, 20
"""Corners that are followed, and of them those that a homography needs."""
QUALITY_MIN, FEATURE_DISTANCE = 0.005, 6
"""Corner strength over the strongest corner's, and pixels between two corners (``cv2.goodFeaturesToTrack``)."""
RETURN_ERROR_MAX, FIT_ERROR_MAX = 0.7, 1.0
"""Pixels by which a corner followed there and back may miss its start, and miss the homography."""
FLOW_WINDOW, FLOW_LEVELS = (15, 15), 3
"""Window and pyramid levels of the Lucas-Kanade flow: movement up to an eighth of the picture."""
STILL_SHARE = 0.8
"""Share of the steps with less motion than ``STILL_PIXELS`` from which the camera stands still."""
REFERENCE_SQUARE = 1000
"""Side in pixels of the square by whose corners homographies are interpolated."""
STILL_PIXELS = 0.12
"""Median motion between two pictures, at ``SIDE``, below which the camera stands still: the features' own noise."""


@dataclass(frozen=True, kw_only=True)
class CameraPath:
    """``to_first[i]`` maps frame ``start + i`` to the first frame of its shot, in working pixels."""

    start: int
    to_first: NDArray[np.float64]  # (F, 3, 3)
    still: bool
    share_followed: float  # 0-1, of the steps in which enough features were found

    def between(self, a: int, b: int) -> Homography:
        """Maps frame ``a`` to frame ``b``."""
        result = np.linalg.inv(self.to_first[b - self.start]) @ self.to_first[a - self.start]
        return result / result[2, 2]


class CameraTracker:
    """Receives the frames of one shot at a fixed step, and returns the camera's path."""

    def __init__(self, width: int, height: int) -> None:
        self._step = max(1, round(max(width, height) / SIDE))  # whole: OpenCV averages twenty times as fast then
        self._zoom, self._size = 1 / self._step, (width // self._step, height // self._step)
        self._grey: NDArray[np.uint8] | None = None
        self._free: NDArray[np.uint8] | None = None
        self._indices: list[int] = []
        self._chain: list[Homography] = []
        self._moves: list[float] = []
        self._steps = 0

    def add(self, index: int, image: Image, taken: NDArray[np.uint8]) -> None:
        """``taken`` (H, W) is non-zero where people are."""
        whole = cv2.cvtColor(image[: self._size[1] * self._step, : self._size[0] * self._step], cv2.COLOR_RGB2GRAY)
        grey = cv2.resize(whole, self._size, interpolation=cv2.INTER_AREA)
        free = np.where(cv2.resize(taken, self._size, interpolation=cv2.INTER_NEAREST) > 0, 0, 255).astype(np.uint8)
        step = np.eye(3)
        if self._grey is not None:
            self._steps += 1
            found = self._follow(np.asarray(grey, np.uint8))
            if found is not None:
                step = found
        before = self._chain[-1] if self._chain else np.eye(3)
        self._chain.append(before @ np.linalg.inv(step))
        self._indices.append(index)
        self._grey, self._free = np.asarray(grey, np.uint8), free

    def _follow(self, grey: NDArray[np.uint8]) -> Homography | None:
        """The homography from the picture before to this one, both small; None where too little can be followed."""
        assert self._grey is not None
        points: Any = cv2.goodFeaturesToTrack(self._grey, FEATURES_MAX, QUALITY_MIN, FEATURE_DISTANCE, mask=self._free)
        if points is None or len(points) < FEATURES_MIN:
            return None
        points = np.asarray(points, np.float32)
        there = _flow(self._grey, grey, points)
        back = _flow(grey, self._grey, there)
        good = np.linalg.norm((back - points).reshape(-1, 2), axis=1) < RETURN_ERROR_MAX
        if good.sum() < FEATURES_MIN:
            return None
        self._moves.append(float(np.median(np.linalg.norm((there - points)[good].reshape(-1, 2), axis=1))))
        cv2.setRNGSeed(0)  # RANSAC draws from OpenCV's generator: the same frames must give the same path
        matrix: Any = cv2.findHomography(points[good], there[good], cv2.RANSAC, FIT_ERROR_MAX)[0]
        return None if matrix is None else np.asarray(matrix, np.float64)

    def path(self, start: int, stop: int) -> CameraPath:
        """The path of frames ``start`` to ``stop``, interpolated between the pictures added."""
        frames = stop - start
        share = len(self._moves) / self._steps if self._steps else 1.0
        still = not self._moves or float(np.mean(np.array(self._moves) < STILL_PIXELS)) > STILL_SHARE
        if still or len(self._chain) < 2:
            return CameraPath(
                start=start, to_first=np.tile(np.eye(3), (frames, 1, 1)), still=True, share_followed=share
            )
        scale = np.diag([self._zoom, self._zoom, 1.0])
        corners = REFERENCE_SQUARE * np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)[None]
        looked = [np.linalg.inv(scale) @ m @ scale for m in self._chain]
        moved = np.array([cv2.perspectiveTransform(corners, m)[0] for m in looked])
        at = np.arange(start, stop)
        flat = moved.reshape(len(moved), -1)
        between = np.stack([np.interp(at, self._indices, flat[:, k]) for k in range(8)], 1).reshape(-1, 4, 2)
        matrices = [cv2.getPerspectiveTransform(corners[0], b.astype(np.float32)) for b in between]
        return CameraPath(start=start, to_first=np.array(matrices, np.float64), still=False, share_followed=share)


def _flow(before: NDArray[np.uint8], after: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where ``points`` (N, 1, 2) of one grey picture are in the other."""
    moved: Any = cv2.calcOpticalFlowPyrLK(
        before, after, points, np.empty_like(points), winSize=FLOW_WINDOW, maxLevel=FLOW_LEVELS
    )
    return np.asarray(moved[0], np.float32)
