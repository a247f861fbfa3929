"""Single hairs in front of an even wall that the mask of the removed person misses: they are no background.

Where the same hair lies beside the person in many frames, no comparison of frames tells it from the wall.
"""

import cv2
import numpy as np
from cv2.typing import MatLike

from bodydouble.perception.arrays import Image, Matte
from bodydouble.renderers.puppet.compositing.reduction import reduced

STEP = 2
"""Pixels of the frame for one of the picture in which hairs are looked for."""
REACH = 1 / 15
"""Picture heights from the mask in which a hair has to end. What goes on is a line of the wall."""
THIN, UNLIKE_MIN, FAINT_MIN = np.ones((5, 5), np.uint8), 8, 4
"""Square that is wider than a hair; levels (0-255) by which a hair differs from what is about it, and by which its ends
do. A hair before a wall differs by 10 to 50."""
EVEN_SIDE, EVEN_MAX = 33, 2.0
"""Pixels of the square about a hair, and mean difference in it, cut off at ``UNLIKE_MIN``, up to which a wall is even.
Measured: 1.5 to 2.2 about hairs, 3.7 to 8 of gravel, fence, grass, carpet. Up to 2.5, folds of curtains count too."""
GAP = np.ones((5, 5), np.uint8)
"""A hair goes on beyond gaps that are narrower, and is widened by as much: its blend with the wall is no wall."""
OUTER_SHARE_MAX, PIXELS_MIN = 0.02, 8
"""Share of a hair that may lie at the end of the reach, and the least number of its sure pixels."""


def strands_beside(image: Image, person: Matte, lowest: float) -> Matte:
    """(H, W) 0 or 255: hairs of ``image`` (H, W, 3) that touch the mask ``person`` (H, W), 0 or 255, from outside.

    They are looked for above row ``lowest``, in pixels: that of the hips.
    """
    found, end = np.zeros_like(person), round(min(max(lowest, 0), len(person)))
    x, y, w, h = cv2.boundingRect(person[:end]) if end else (0, 0, 0, 0)
    reach = max(1, round(REACH * len(image) / STEP))
    margin = STEP * (reach + EVEN_SIDE)
    left, top = max(0, x - margin), max(0, y - margin)
    here = np.s_[top : min(end, y + h + margin), left : x + w + margin]
    if w == 0 or min(found[here].shape) < STEP * EVEN_SIDE:
        return found
    grey = reduced(np.ascontiguousarray(cv2.cvtColor(image[here], cv2.COLOR_RGB2GRAY)), STEP)
    inside = cv2.threshold(reduced(np.ascontiguousarray(person[here]), STEP), 0, 255, cv2.THRESH_BINARY)[1]
    bare = cv2.bitwise_not(inside)
    # What is darker or lighter than all about it, at most so wide: a median says nearly the same in 40 times the time.
    detail = cv2.max(*(cv2.morphologyEx(grey, hat, THIN) for hat in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT)))
    detail = cv2.min(detail, bare)
    side = (EVEN_SIDE, EVEN_SIDE)
    # Both means count the person as 0: their ratio is the mean of what is beside.
    low = cv2.threshold(detail, UNLIKE_MIN, 0, cv2.THRESH_TRUNC)[1]
    mean, share = (cv2.boxFilter(x, cv2.CV_32F, side) for x in (low, bare))
    even = cv2.compare(mean, np.asarray(share) * np.float32(EVEN_MAX / 255), cv2.CMP_LE)
    thin = cv2.min(cv2.threshold(detail, FAINT_MIN, 255, cv2.THRESH_BINARY)[1], even)
    sure = cv2.threshold(detail, UNLIKE_MIN, 255, cv2.THRESH_BINARY)[1]
    hairs = _ending_beside(np.asarray(thin, np.uint8), sure, np.asarray(inside, np.uint8), reach)
    if cv2.countNonZero(hairs):
        wide = cv2.dilate(hairs, GAP)
        large = cv2.resize(wide, (STEP * wide.shape[1], STEP * wide.shape[0]), interpolation=cv2.INTER_NEAREST)
        rows, columns = large.shape
        found[top : top + rows, left : left + columns] = large
    return found


def _ending_beside(thin: Matte, sure: MatLike, person: Matte, reach: int) -> Matte:
    """(h, w) 0 or 255: those pieces of ``thin`` (h, w) that touch ``person`` (h, w) and end within ``reach`` px.

    Enough of each is ``sure`` (h, w).
    """
    beside = cv2.dilate(person, GAP)
    if not cv2.countNonZero(cv2.min(thin, beside)):
        return np.zeros_like(thin)
    near, within = (cv2.dilate(person, np.ones((k, k), np.uint8)) for k in (2 * reach + 1, 2 * reach - 1))
    thin = np.asarray(cv2.min(thin, near), np.uint8)
    count, labels = cv2.connectedComponents(cv2.dilate(thin, GAP))
    places = np.flatnonzero(thin)
    label = np.asarray(labels, np.int32).ravel().take(places)
    size, certain, outer, touching = (
        np.bincount(label[mask], minlength=count)
        for mask in (
            np.ones(len(places), np.bool_),
            np.asarray(sure).ravel().take(places) > 0,
            np.asarray(within).ravel().take(places) == 0,
            np.asarray(beside).ravel().take(places) > 0,
        )
    )
    kept = (touching > 0) & (outer <= OUTER_SHARE_MAX * size) & (certain >= PIXELS_MIN)
    result = np.zeros_like(thin)
    result.ravel()[places] = kept.take(label) * np.uint8(255)
    return result
