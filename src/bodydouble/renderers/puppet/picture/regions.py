"""Masks of a picture: widened, narrowed, filled. Radii are in pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.renderers.puppet.body.surface import continued
from bodydouble.renderers.puppet.discs import DISC_RIM, disc

FAR = 4.0
"""Pixels from which on a disc is laid by distances: OpenCV's time for a disc grows with its area."""
FILL_SHRINK = (3, 3)
"""Diffusion runs at a third of width and height: it gives cloth's colour, not its threads."""
FILL_ROUNDS, FILL_SIGMA = 12, 1.5
"""Blurs of the diffusion, and their standard deviation in reduced pixels."""
BLEND_SIGMA, BLEND_REACH = 0.8, 3
"""Standard deviation in pixels by which what is filled fades out, and how far that reaches."""
REDUCED_SIDE_MIN = 8
"""Shortest side in pixels of a reduced picture. Chosen by eye on the development clips."""
SHARE_MIN, SURE_SHARE = 0.05, 0.3
"""Known share of a reduced pixel that is divided by at least, and above which its colour is kept. Chosen by eye on the
development clips."""


def widened(mask: Mask, radius: float) -> Mask:
    """``mask`` grown by a disc."""
    if radius >= FAR:
        reach = round(radius) + DISC_RIM
        here = _box_around(mask, int(reach) + 1)
        result = np.zeros(mask.shape, np.bool_)
        if here is not None:
            result[here] = _far(mask[here]) <= reach
        return result
    return cv2.dilate(mask.astype(np.uint8), disc(radius, 0)) > 0


def narrowed(mask: Mask, radius: float) -> Mask:
    """``mask`` shrunk by a disc; what touches the picture's border stays."""
    if radius >= FAR:
        here = _box_around(mask, 1)
        result = np.zeros(mask.shape, np.bool_)
        if here is not None:
            result[here] = _far(~mask[here]) > round(radius) + DISC_RIM
        return result
    return cv2.erode(mask.astype(np.uint8), disc(radius, 0), borderType=cv2.BORDER_REPLICATE) > 0


def opened(mask: Mask, radius: float) -> Mask:
    """``mask`` without what is thinner than a disc."""
    return widened(narrowed(mask, radius), radius)


def closed(mask: Mask, radius: float) -> Mask:
    """``mask`` with the gaps that are narrower than a disc."""
    return narrowed(widened(mask, radius), radius)


def softened(mask: Mask, sigma: float = 1.0) -> Floats:
    """``mask`` as 0-1 with a soft rim."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma), np.float32)


def filled(colour: Floats, known: Mask, wanted: Mask, shrink: tuple[int, int] = FILL_SHRINK) -> Floats:
    """``colour`` (h, w, 3) 0-255 with what is ``wanted`` and not ``known`` diffused from what is known.

    ``shrink``: factors by which width and height are reduced; colours go farther along the one that shrinks more.
    """
    missing = wanted & ~known
    if not missing.any() or not known.any():
        return colour
    height, width = known.shape
    size = (max(REDUCED_SIDE_MIN, width // shrink[0]), max(REDUCED_SIDE_MIN, height // shrink[1]))
    share = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    kept = cv2.copyTo(colour, known.astype(np.uint8))
    small = np.asarray(cv2.resize(kept, size, interpolation=cv2.INTER_AREA), np.float32)
    small = small / np.maximum(share, SHARE_MIN)[..., None]
    sure = share > SURE_SHARE
    if not sure.any():
        return colour
    spread = continued(small, sure)
    for _ in range(FILL_ROUNDS):
        spread = np.where(sure[..., None], small, cv2.GaussianBlur(spread, (0, 0), FILL_SIGMA))
    wide = cv2.resize(spread.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    x, y, w, h = cv2.boundingRect(widened(missing, BLEND_REACH).astype(np.uint8))
    here = np.s_[y : y + h, x : x + w]
    soft = np.maximum(softened(missing[here], BLEND_SIGMA), missing[here].astype(np.float32))
    blend = np.where(known[here], np.float32(0), soft)[..., None]
    result = colour.copy()
    result[here] += (wide[here] - colour[here]) * blend
    return np.clip(result, 0, 255, out=result)


def disc_about(centre: NDArray[np.float64], radius: float, shape: tuple[int, ...]) -> Mask:
    """(h, w) a disc about ``centre`` (2,) px, of a pixel's radius at least. ``shape`` starts with h and w."""
    disc = np.zeros(shape[:2], np.uint8)
    cv2.circle(disc, np.round(centre).astype(int).tolist(), max(1, round(radius)), 1, -1)
    return disc > 0


def pieces(mask: Mask) -> tuple[int, NDArray[np.int32]]:
    """How many connected pieces ``mask`` has, and (h, w) the number of each pixel's piece from 1; 0 outside."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    return count - 1, np.asarray(labels, np.int32)


def touching(mask: Mask, other: Mask) -> Mask:
    """The pieces of ``mask`` that touch the ``other``."""
    _, labels = pieces(mask | other)
    return mask & np.isin(labels, np.unique(labels[other]))


def large_pieces(mask: Mask, share: float) -> Mask:
    """The pieces of ``mask`` that have at least ``share`` (0-1) of the largest one's pixels."""
    _, labels = pieces(mask)
    area = np.bincount(labels.ravel())
    area[0] = 0
    return (area >= max(1.0, share * area.max()))[labels]


def _box_around(mask: Mask, reach: int) -> tuple[slice, slice] | None:
    """The box around ``mask``, ``reach`` pixels wider; None where it is empty."""
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    return np.s_[max(0, y - reach) : y + h + reach, max(0, x - reach) : x + w + reach] if w else None


def _far(mask: Mask) -> Floats:
    """(h, w) px to the nearest pixel of ``mask``, exactly."""
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
