"""Pieces of the puppet that somebody in front cuts off, such as the hand of an arm that is only guessed behind them."""

import cv2
import numpy as np

from bodydouble.perception.arrays import Mask, Matte

SHOWN, PERSON = 64, 110
"""Levels (0-255) of the puppet's alpha from which a piece hangs together, and of the matte from which a pixel is the
person's, as for those who pass."""
SEEN_SHARE = 0.5
"""Share of a piece in which the person is seen at least: less is its rim, or a limb that is elsewhere."""
RIM = np.ones((5, 5), np.uint8)
"""Neighbourhood in which a piece touches somebody in front, and in which it is removed with its soft edge."""


def scraps_beside(alpha: Matte, front: Matte, matte: Matte) -> Mask | None:
    """(h, w) the pieces of the puppet that somebody in front cuts off, where the person is not seen; None without one.

    ``alpha`` (h, w) 0-255 is the puppet's before anybody is laid over it, ``front`` (h, w) 0-255 shows those who are
    before it, ``matte`` (h, w) is the person's. The largest piece stays, and so does a limb that is seen in the source
    on another side of who passes.
    """
    hidden = cv2.threshold(front, 127, 255, cv2.THRESH_BINARY)[1]
    if not cv2.countNonZero(cv2.min(alpha, hidden)):
        return None
    shown = cv2.subtract(cv2.threshold(alpha, SHOWN, 255, cv2.THRESH_BINARY)[1], hidden)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(shown)
    if count <= 2:  # what is empty, and one piece
        return None
    label, area = np.asarray(labels, np.int32), stats[:, cv2.CC_STAT_AREA]
    beside = np.bincount(label[cv2.dilate(hidden, RIM) > 0], minlength=count) > 0
    seen = np.bincount(label[matte > PERSON], minlength=count) >= SEEN_SHARE * area
    scraps = beside & ~seen
    scraps[[0, 1 + int(area[1:].argmax())]] = False
    if not scraps.any():
        return None
    kept = ~scraps
    kept[0] = False
    removed = cv2.dilate(scraps.take(label).view(np.uint8), RIM)
    return np.asarray((removed > 0) & ~kept.take(label), np.bool_)
