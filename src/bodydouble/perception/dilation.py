"""Masks grown by wide discs, in less time than OpenCV takes for them."""

import cv2
import numpy as np

from bodydouble.perception.arrays import Matte

DIRECT_SIDE_MAX = 9
"""Pixels: discs of up to this side take OpenCV less time."""


def dilated(mask: Matte, side: int) -> Matte:
    """``mask`` (h, w) grown by OpenCV's ellipse of ``side`` x ``side`` pixels, an odd number.

    OpenCV compares each pixel with each of the disc. This compares whole pictures: the disc's rows become wider towards
    its middle, so each one's maxima are made of those of the narrower one before. A disc of 25 pixels takes 0.4 of the
    time, one of 41 pixels 0.25.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    if side <= DIRECT_SIDE_MAX:
        return np.asarray(cv2.dilate(mask, disc), np.uint8)
    radius, columns = side // 2, mask.shape[1]
    padded = cv2.copyMakeBorder(mask, 0, 0, radius, radius, cv2.BORDER_CONSTANT, value=0)
    result, row, reach = np.zeros_like(mask), mask.copy(), 0
    for away in range(min(radius, len(mask) - 1), -1, -1):
        half_width = int(disc[radius + away].sum()) // 2
        while reach < half_width:
            reach += 1
            for start in (radius - reach, radius + reach):
                cv2.max(row, padded[:, start : start + columns], dst=row)
        below, above = np.s_[away:], np.s_[: len(mask) - away]
        cv2.max(result[below], row[above], dst=result[below])
        cv2.max(result[above], row[below], dst=result[above])
    return result
