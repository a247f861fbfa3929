"""Pictures reduced by whole factors or to one channel, and blurred masks, in the ways that cost OpenCV least."""

from typing import Any

import cv2
import numpy as np
from cv2.typing import MatLike

from bodydouble.perception.arrays import Matte

BOXED_SIGMA_MIN = 1.9
"""Pixels: standard deviation of a blur from which two boxes give it. The side of narrower boxes is too coarse."""


def reduced(picture: MatLike, step: int) -> Any:
    """``picture`` (h, w, ...) with the mean of ``step`` x ``step`` pixels for one; the rest at the ends is left out.

    Halved as often as ``step`` allows: to halve three times takes OpenCV a third of the time of one step by eight.
    """
    size = picture.shape[1] // step, picture.shape[0] // step
    picture = picture[: size[1] * step, : size[0] * step]
    while step > 1:
        step = step // 2 if step % 2 == 0 else 1
        picture = cv2.resize(picture, (size[0] * step, size[1] * step), interpolation=cv2.INTER_AREA)
    return picture


def reduced_to(picture: MatLike, size: tuple[int, int]) -> Any:
    """``picture`` (h, w, ...) averaged to ``size``, width and height; halved first where it is four times as large.

    OpenCV averages by whole factors twenty times as fast as by others.
    """
    if picture.shape[1] >= 4 * size[0] and picture.shape[0] >= 4 * size[1]:
        picture = reduced(picture, 2)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def largest_channel(picture: MatLike) -> Any:
    """(h, w) the largest of the three channels of each pixel of ``picture`` (h, w, 3)."""
    first, second, third = cv2.split(picture)
    return cv2.max(cv2.max(first, second), third)


def softened(mask: Matte, sigma: float) -> Matte:
    """``mask`` (h, w) blurred by about ``sigma`` px: wide blurs are two boxes, in a fifth of a Gaussian's time."""
    if sigma < BOXED_SIGMA_MIN:
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.uint8)
    # The variance of a box is (side² - 1) / 12, and two add up.
    side = 2 * round(((6 * sigma * sigma + 1) ** 0.5 - 1) / 2) + 1
    return np.asarray(cv2.blur(cv2.blur(mask, (side, side)), (side, side)), np.uint8)
