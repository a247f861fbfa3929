"""The size that the model works at, and the way back to the exact size of the video."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image

STRIDE = 16
"""The VAE halves each side three times, the transformer's patches once more."""
AREA_MAX = 1280 * 720
"""Pixels. The largest size that Wan2.2-Animate-14B was made for; above it the cost grows with the square."""
AREA_MIN = 832 * 480
"""Pixels. The smallest of the two sizes that Wan2.2-Animate-14B was trained on. Wan-Video/Wan2.2 enlarges everything to
its working area; smaller frames show the model features that it never saw."""


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """A video frame in the model's canvas: scaled where it is too large or too small, then padded to whole ``STRIDE``s.

    Padding instead of stretching keeps the aspect and, at scale 1, every pixel. What is padded is cut off again.
    """

    source_width: int
    source_height: int
    scaled_width: int
    scaled_height: int
    left: int
    top: int
    width: int
    height: int

    @property
    def zoom(self) -> tuple[float, float]:
        """Canvas pixels a source pixel, across and down."""
        return self.scaled_width / self.source_width, self.scaled_height / self.source_height

    def place(self, image: Image) -> Image:
        """(height, width, 3) of a source frame; the border repeats the frame's edge."""
        return self._padded(self._scaled(image), cv2.BORDER_REPLICATE)

    def place_mask(self, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, width) of a source mask; nearest pixel, the border repeats the edge."""
        if self.zoom != (1.0, 1.0):
            size = (self.scaled_width, self.scaled_height)
            mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        return self._padded(mask, cv2.BORDER_REPLICATE)

    def place_points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(…, 2) source pixels to canvas pixels; pixel centres are whole numbers in both."""
        return (points + 0.5) * self.zoom - 0.5 + (self.left, self.top)

    def restore(self, image: Image) -> Image:
        """(source_height, source_width, 3) of what the model made in the canvas."""
        inner = image[self.top : self.top + self.scaled_height, self.left : self.left + self.scaled_width]
        if self.zoom == (1.0, 1.0):
            return np.ascontiguousarray(inner)
        size = (self.source_width, self.source_height)
        return np.asarray(cv2.resize(inner, size, interpolation=_interpolation(1 / self.zoom[0])), np.uint8)

    def restore_mask(self, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(source_height, source_width) of a mask in the canvas; nearest pixel."""
        inner = mask[self.top : self.top + self.scaled_height, self.left : self.left + self.scaled_width]
        size = (self.source_width, self.source_height)
        return np.asarray(cv2.resize(inner, size, interpolation=cv2.INTER_NEAREST), np.uint8)

    def _scaled(self, image: Image) -> Image:
        if self.zoom == (1.0, 1.0):
            return image
        size = (self.scaled_width, self.scaled_height)
        return np.asarray(cv2.resize(image, size, interpolation=_interpolation(self.zoom[0])), np.uint8)

    def _padded(self, image: NDArray[np.uint8], border: int) -> NDArray[np.uint8]:
        bottom = self.height - self.scaled_height - self.top
        right = self.width - self.scaled_width - self.left
        return np.asarray(cv2.copyMakeBorder(image, self.top, bottom, self.left, right, border), np.uint8)


def _interpolation(zoom: float) -> int:
    """OpenCV's interpolation for a picture that becomes ``zoom`` times as wide."""
    return cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC


def choose_canvas(width: int, height: int, area_max: int = AREA_MAX, area_min: int = AREA_MIN) -> Canvas:
    """The canvas for frames of ``width`` x ``height`` pixels.

    Frames are scaled only to have at most ``area_max`` pixels, and at least ``area_min`` (or ``area_max`` if less).
    """
    area = width * height
    zoom = (min(max(area, area_min), area_max) / area) ** 0.5
    scaled_width, scaled_height = max(1, round(width * zoom)), max(1, round(height * zoom))
    canvas_width, canvas_height = (-(-n // STRIDE) * STRIDE for n in (scaled_width, scaled_height))
    return Canvas(
        source_width=width,
        source_height=height,
        scaled_width=scaled_width,
        scaled_height=scaled_height,
        left=(canvas_width - scaled_width) // 2,
        top=(canvas_height - scaled_height) // 2,
        width=canvas_width,
        height=canvas_height,
    )
