"""How the camera moves: homographies of the background from frame to frame, with everybody masked out.

Points are followed by their surroundings (Lucas-Kanade). On an edge these tell the movement across it, and nothing of
the movement along it: each point is weighted by the structure tensor of its surroundings. A striped floor would
otherwise pull the camera along its stripes.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image

Array = NDArray[np.float64]
Homography = NDArray[np.float64]  # (3, 3)

SIDE = 400
"""Approximate longer side, in pixels, of the grey pictures in which features are followed."""
FEATURES_MAX, FEATURES_MIN = 200, 20
"""Corners that are followed, and of them those that a homography needs."""
QUALITY_MIN, FEATURE_DISTANCE = 0.001, 6
"""Corner strength over the strongest corner's, and pixels between two corners (``cv2.goodFeaturesToTrack``). Points on
edges are taken, too."""
RETURN_ERROR_MAX, FIT_ERROR_MAX = 0.7, 0.5
"""Pixels by which a point followed there and back may miss its start, and miss the homography, across its edge."""
FIT_ROUNDS, FIRST_ERRORS = 7, 3.0
"""Rounds of reweighted least squares; the error beyond which a point counts for nothing in the first, in median errors.
It is half as large in each round that follows."""
STIFFNESS = np.array([1, 4, 4, 1, 4, 4, 16, 16]) * 0.0001
"""Weight, in points, of no movement: for shift, linear change and perspective. It decides where no point does."""
FLOW_WINDOW, FLOW_LEVELS = (15, 15), 3
"""Window and pyramid levels of the Lucas-Kanade flow: movement up to an eighth of the picture."""
STILL_SHARE = 0.8
"""Share of the steps with less motion than ``STILL_PIXELS`` from which the camera stands still."""
AROUND = np.stack(np.meshgrid(np.arange(-6, 7, 2), np.arange(-6, 7, 2)), 0).reshape(2, -1)
"""(2, M) steps, in pixels right and down, to the places around a point whose gradients make its tensor."""
TENSOR_MIN = 1e-6
"""Smallest eigenvalue of a structure tensor, as a divisor."""
REFERENCE_SQUARE = 1000
"""Side in pixels of the square by whose corners homographies are interpolated."""
STILL_PIXELS = 0.09
"""Median motion across edges between two pictures, at ``SIDE``, below which the camera stands still: noise."""


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
        there = _flow(self._grey, grey, points, points, FLOW_LEVELS)
        back = _flow(grey, self._grey, there, points, 0)
        tensors = _tensors(self._grey, points)
        good = _squared((back - points)[:, 0], tensors) < RETURN_ERROR_MAX**2
        if good.sum() < FEATURES_MIN:
            return None
        start, moved, tensors = points[good, 0], (there - points)[good, 0], tensors[good]
        self._moves.append(float(np.median(_squared(moved, tensors))) ** 0.5)
        return _homography(_fitted(_basis(start, self._size), moved, tensors), self._size)

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


def _flow(
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    points: NDArray[np.float32],
    expected: NDArray[np.float32],
    levels: int,
) -> NDArray[np.float32]:
    """Where ``points`` (N, 1, 2) of one grey picture are in the other; the search begins at ``expected`` (N, 1, 2)."""
    moved: Any = cv2.calcOpticalFlowPyrLK(
        before, after, points, expected.copy(), winSize=FLOW_WINDOW, maxLevel=levels, flags=cv2.OPTFLOW_USE_INITIAL_FLOW
    )
    return np.asarray(moved[0], np.float32)


def _tensors(grey: NDArray[np.uint8], points: NDArray[np.float32]) -> Array:
    """(N, 3) structure tensors xx, xy, yy around ``points`` (N, 1, 2), with 1 as the larger eigenvalue."""
    across, down = cv2.spatialGradient(grey)
    columns, rows = np.round(points[:, 0]).astype(int).T[:, None] + AROUND[..., None]
    np.clip(columns, 0, grey.shape[1] - 1, out=columns)
    np.clip(rows, 0, grey.shape[0] - 1, out=rows)
    x, y = across[rows, columns].astype(np.float64), down[rows, columns].astype(np.float64)
    xx, xy, yy = (x * x).sum(0), (x * y).sum(0), (y * y).sum(0)
    largest = (xx + yy) / 2 + np.hypot((xx - yy) / 2, xy)
    return np.stack([xx, xy, yy], 1) / np.maximum(largest, TENSOR_MIN)[:, None]


def _squared(steps: NDArray[np.floating], tensors: Array) -> Array:
    """(N,) squared lengths in pixels of ``steps`` (N, 2), measured by ``tensors`` (N, 3): across edges only."""
    x, y = steps.T
    return np.asarray(tensors[:, 0] * x * x + 2 * tensors[:, 1] * x * y + tensors[:, 2] * y * y, np.float64)


def _basis(points: NDArray[np.floating], size: tuple[int, int]) -> Array:
    """(2, N, 8) how far x and y of ``points`` (N, 2) move in a picture of ``size`` for each number of a homography."""
    x, y = (points.astype(np.float64) - np.array(size) / 2).T * (2 / max(size))
    one, none = np.ones_like(x), np.zeros_like(x)
    return np.array(
        [[one, x, y, none, none, none, x * x, x * y], [none, none, none, one, x, y, x * y, y * y]]
    ).transpose(0, 2, 1)


def _fitted(basis: Array, moved: NDArray[np.floating], tensors: Array) -> Array:
    """(8,) numbers of the homography by which most points move, of which each ``moved`` (N, 2) by itself.

    Iteratively reweighted least squares with Tukey's weights.
    """
    numbers = np.zeros(basis.shape[2])
    numbers[[0, 3]] = np.median(moved, axis=0)
    errors = _squared(moved - (basis @ numbers).T, tensors)
    limit = FIRST_ERRORS * float(np.median(errors)) ** 0.5
    xx, xy, yy = tensors.T[:, :, None]
    weighted = np.array([xx * basis[0] + xy * basis[1], xy * basis[0] + yy * basis[1]])
    stiff = np.diag(STIFFNESS) * len(moved)
    for _ in range(FIT_ROUNDS):
        weights = np.square(np.clip(1 - errors / max(limit, FIT_ERROR_MAX) ** 2, 0, None))
        turned = (weighted * weights[:, None]).transpose(0, 2, 1)
        normal = turned[0] @ basis[0] + turned[1] @ basis[1]
        numbers = np.linalg.solve(normal + stiff, turned[0] @ moved[:, 0] + turned[1] @ moved[:, 1])
        errors, limit = _squared(moved - (basis @ numbers).T, tensors), limit / 2
    return numbers


def _homography(numbers: Array, size: tuple[int, int]) -> Homography:
    """The matrix that moves the corners of a picture of ``size`` as ``numbers`` (8,) say."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64) * size
    moved = corners + (_basis(corners, size) @ numbers).T
    return np.asarray(cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32)), np.float64)
