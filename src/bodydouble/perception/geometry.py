"""Square regions of interest, their affine crops, and points between crop and frame."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Affine, Image, Points

HALF_DIAGONAL = 0.71
"""Half the diagonal of a square over its side, sqrt(2) / 2 rounded up."""
REGION_SIDE_MIN = 4
"""Pixels: below this a region shows nothing that a network could recognise."""
COORDINATE_MAX = 20_000
"""Pixels: OpenCV's drawing overflows far outside the picture."""
BILINEAR_SHRINK_MAX = 2
"""Bilinear sampling reads two pixels per axis: beyond this factor it skips pixels."""


@dataclass(frozen=True, kw_only=True)
class Roi:
    """A rotated square in the frame: centre and side in pixels, angle in radians, clockwise on screen."""

    x: float
    y: float
    size: float
    angle: float = 0.0

    def matrix(self, side: int) -> Affine:
        """The map from a crop of ``side`` x ``side`` pixels to the frame."""
        c = np.cos(self.angle) * self.size / side
        s = np.sin(self.angle) * self.size / side
        half = side / 2
        return np.array([[c, -s, self.x - (c - s) * half], [s, c, self.y - (s + c) * half]])

    def inside(self, width: int, height: int) -> bool:
        """Whether any part of the square can be in the frame."""
        reach = self.size * HALF_DIAGONAL
        near = -reach < self.x < width + reach and -reach < self.y < height + reach
        return near and self.size > REGION_SIDE_MIN


def crop(image: Image, matrix: Affine, side: int, *, replicate: bool = False) -> Image:
    """The ``side`` x ``side`` crop that ``matrix`` (crop to frame) describes, anti-aliased where it shrinks.

    Beyond the frame it is black, or with ``replicate`` continues the frame's border.
    """
    shrink = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    border = cv2.BORDER_REPLICATE if replicate else cv2.BORDER_CONSTANT
    if shrink > BILINEAR_SHRINK_MAX:
        k = int(shrink)  # reduce the region by area first
        corners = matrix @ np.array([[0, side, 0, side], [0, 0, side, side], [1, 1, 1, 1]])
        x0, y0 = np.maximum(np.floor(corners.min(1)).astype(int) - 1, 0)
        x1, y1 = np.minimum(np.ceil(corners.max(1)).astype(int) + 2, [image.shape[1], image.shape[0]])
        if x1 - x0 < k or y1 - y0 < k:
            return np.zeros((side, side, 3), np.uint8)
        w, h = (x1 - x0) // k, (y1 - y0) // k
        part = image[y0 : y0 + h * k, x0 : x0 + w * k]
        image = np.asarray(cv2.resize(part, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
        matrix = matrix.copy()
        matrix[:, 2] -= (x0, y0)
        matrix = matrix / k
        matrix[:, 2] -= 0.5 - 0.5 / k
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, matrix, (side, side), flags=flags, borderMode=border), np.uint8)


def transform(matrix: Affine, points: NDArray[np.floating]) -> Points:
    """Points (…, 2) through an affine map."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Euclidean distance of two points (2,), pixels."""
    return float(np.hypot(*(a - b)))


def normalise_angle(angle: float) -> float:
    """The same direction in [-pi, pi)."""
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def rotation(angle: float) -> NDArray[np.float64]:
    """(2, 2): turns frame coordinates into those of a region at ``angle``."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s], [-s, c]])


def in_window(points: Points, origin: tuple[float, float], zoom: float) -> NDArray[np.int32]:
    """``points`` (..., 2) of the frame in whole pixels of a window, which starts at ``origin``, scaled by ``zoom``."""
    return np.round(np.clip((points - origin) * zoom, -COORDINATE_MAX, COORDINATE_MAX)).astype(np.int32)
