"""Joins parts of different frames without a visible seam.

Light changes during a shot: the camera's exposure, and the shade of the person that is removed. A patch from another
frame is therefore brought to the light of its surroundings before it is laid in.
"""

import cv2
import numpy as np
from cv2.typing import MatLike

from bodydouble.perception.arrays import Floats, Image, Matte
from bodydouble.renderers.puppet.compositing.reduction import reduced

LIGHT_STEP = 8
"""Pixels of the frame, a power of two, for one of the picture in which differences of light are spread: finer ones are
things."""
SEAM_REACH = 24
"""Pixels around a hole in which the light of a patch is compared with its surroundings."""
LIGHT_MAX = 60.0
"""Largest change of a patch in levels (0-255): a larger difference means that another thing is at that place."""
OTHERS_MAX = 0.5
"""Share of the compared places from which so large differences are those of the light nevertheless: a flash."""
MIDDLE = 128
"""The byte that stands for no change, where changes are stored in halves of a level."""
SHARED_MIN = 0.3
"""Share of such a pixel that has to be seen in both: of less, the rounded mean says nothing."""
TINY = 1e-6
"""Weights below it count as zero."""
PIXELS_MERGED = 4
"""Pixels that become one in the pyramid's next level: one known among them is enough for the whole."""


def match_light(patch: Image, beside: Image, shared: Matte) -> Image:
    """``patch`` (h, w, 3) in the light of its neighbour ``beside`` (h, w, 3). ``shared`` (h, w), 0 or 255, has both.

    The difference between them is spread smoothly over what is not shared, as a membrane hung on its border would be.
    """
    height, width = shared.shape
    size = (width // LIGHT_STEP, height // LIGHT_STEP)
    if min(size) < 1:
        return patch
    whole = np.s_[: size[1] * LIGHT_STEP, : size[0] * LIGHT_STEP]
    mask = shared[whole]
    weight = reduced(mask, LIGHT_STEP).astype(np.float32) / np.float32(255)
    weight[weight < SHARED_MIN] = 0
    if not weight.any():
        return patch
    here, there = (reduced(cv2.copyTo(x[whole], mask), LIGHT_STEP).astype(np.float32) for x in (patch, beside))
    mean = cv2.divide(there - here, cv2.merge([np.maximum(weight, np.float32(SHARED_MIN))] * 3))
    another = cv2.max(mean, -mean).max(-1) > LIGHT_MAX
    if np.count_nonzero(another & (weight > 0)) < OTHERS_MAX * np.count_nonzero(weight):
        weight[another] = 0
    mean = np.asarray(np.clip(mean, np.float32(-LIGHT_MAX), np.float32(LIGHT_MAX)), np.float32)
    # Enlarged in bytes: a floating point field is four times as large as the picture.
    halves = np.clip(np.rint(2 * spread(mean, weight)) + MIDDLE, 0, 255).astype(np.uint8)
    field = cv2.resize(halves, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(patch, 1, field, 0.5, -MIDDLE / 2), np.uint8)


def spread(value: Floats, weight: Floats) -> Floats:
    """``value`` (h, w, C) where ``weight`` (h, w) is 1, and smoothly continued to where it is 0.

    Pull and push over a pyramid (Gortler et al., "The Lumigraph", SIGGRAPH 1996).
    """
    if value.shape[2] == 1:  # OpenCV drops the axis of a single channel
        return _spread(value[..., 0], weight)[..., None]
    return _spread(value, weight)


def _spread(value: Floats, weight: Floats) -> Floats:
    """As ``spread``, of a ``value`` (h, w) or (h, w, C) with several channels."""
    if weight.min() >= 1:
        return value
    share = np.minimum(weight, 1)
    known, left = cv2.multiply(value, _each(share, value)), 1 - share
    if min(weight.shape) < 2:
        mean = known.sum((0, 1)) / max(float(share.sum()), TINY)
        return np.asarray(known + mean * (left if value.ndim == 2 else left[..., None]), np.float32)
    low = np.asarray(cv2.pyrDown(share), np.float32)
    low_value = cv2.divide(cv2.pyrDown(known), _each(np.maximum(low, np.float32(TINY)), value))
    coarse = _spread(np.asarray(low_value, np.float32), np.minimum(PIXELS_MERGED * low, 1))
    filled = cv2.pyrUp(coarse, dstsize=weight.shape[::-1])
    return np.asarray(cv2.add(known, cv2.multiply(filled, _each(left, value))), np.float32)


def _each(share: Floats, value: Floats) -> MatLike:
    """``share`` (h, w) for each channel of ``value``: OpenCV multiplies so several times faster than broadcasting."""
    return share if value.ndim == 2 else cv2.merge([share] * value.shape[2])
