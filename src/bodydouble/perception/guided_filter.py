"""The guided filter (He, Sun and Tang, "Fast Guided Filter", 2015), with its linear models fitted at half size."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Alpha, Floats, Image

SHRINK = 2
"""Pixels of the picture for one in which the models are fitted."""
SIDE_MIN = 2 * SHRINK
"""Pixels: a smaller picture is returned as it is."""
PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
"""The pairs of colour channels in the upper half of the covariance matrix. The lower half is the same."""


def guided_filter(guide: Image, values: Alpha, radius: int, epsilon: float) -> Alpha:
    """``values`` (h, w) moved onto the edges of ``guide`` (h, w, 3) 0-255; nearby they are linear in it.

    Nearby is a square that reaches ``radius`` pixels of half the size to each side. ``epsilon`` (squared levels) keeps
    values smooth where the guide's contrast is lower. The result is that of OpenCV's ``ximgproc.guidedFilter`` with
    ``scale=0.5``, to 0.0001, in a quarter of its time.
    """
    height, width = values.shape
    if min(height, width) < SIDE_MIN:
        return values
    size, side = (width // SHRINK, height // SHRINK), 2 * radius + 1
    colours = [channel.astype(np.float32) for channel in cv2.split(guide)]

    def reduced(picture: Floats) -> Floats:
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def mean(picture: Floats) -> Floats:
        return np.asarray(cv2.boxFilter(picture, -1, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    def enlarged(model: Floats) -> Floats:
        return np.asarray(cv2.resize(mean(model), (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    channels, target = [reduced(colour) for colour in colours], reduced(values)
    means, target_mean = [mean(channel) for channel in channels], mean(target)
    spread = [mean(channels[i] * channels[k]) - means[i] * means[k] for i, k in PAIRS]
    for k in (0, 3, 5):
        spread[k] += np.float32(epsilon)
    shared = [mean(channel * target) - own * target_mean for channel, own in zip(channels, means, strict=True)]
    slopes = _solved(spread, shared)
    # Each model's offset, plus its slopes times the colour: OpenCV adds products of planes fastest.
    offset = target_mean - sum(slope * own for slope, own in zip(slopes, means, strict=True))
    result = enlarged(np.asarray(offset, np.float32))
    for slope, colour in zip(slopes, colours, strict=True):
        cv2.accumulateProduct(enlarged(slope), colour, result)
    return result


def _solved(matrix: Sequence[NDArray[np.floating]], right: Sequence[NDArray[np.floating]]) -> list[Floats]:
    """The three unknowns of a symmetric system in each pixel: ``matrix`` as ``PAIRS``, ``right`` its right side."""
    a, b, c, d, e, f = matrix
    x, y, z = right
    # The adjugate matrix over the determinant.
    aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
    bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
    scale = np.float32(1) / (a * aa + b * ab + c * ac)
    unknowns = (
        (aa * x + ab * y + ac * z) * scale,
        (ab * x + bb * y + bc * z) * scale,
        (ac * x + bc * y + cc * z) * scale,
    )
    return [np.asarray(unknown, np.float32) for unknown in unknowns]
