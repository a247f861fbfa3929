"""What a picture's last rows show goes on below them: columns of colour, and the texture of cloth."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.regions import narrowed

Array = NDArray[np.float64]

STRIP = 0.25
"""Decimetres above the edge whose mean colours, along the lines that run down to it, go on below it."""
LINES, LINE_SIGMA, LINE_NOISE = 0.5, 0.1, 4.0
"""Decimetres above the edge in which the directions of lines are measured, the standard deviation in decimetres across
which they are averaged, and levels a pixel (0-255) of a gradient that is as weak as noise: lines then run straight
down."""
SLOPE_MAX, STRAIGHT = 0.7, 1.5
"""Pixels to the side for one down of a line at most, and decimetres below the edge over which lines become upright."""
CARRIED = (0.3, 3.5)
"""Decimetres below the edge between which its colours go over into the usual cloth. Chosen by eye on half bodies."""
SIDE_SIGMA = 0.15
"""Decimetres, across columns, over which what goes on goes over into what does not."""
COLLAR = (0.2, 0.6)
"""Decimetres beside skin at the edge within which nothing goes on, and beyond which all does: collars end at it.
Narrower skin is no neckline."""
WEAVE, WEAVE_SIDE = 0.06, 0.35
"""Standard deviation in decimetres of the blur that parts the texture of cloth from its light and shade, and the side
of the patch of it that is repeated."""
WEAVE_QUIET = 0.25
"""That patch has more detail than this share of all patches: the quietest are out of focus, others have seams."""
LINED = 0.65
"""Coherence (0-1) of a patch's gradients, that of their structure tensor, from which on it shows lines: folds, seams or
collars, stripes when repeated. Measured: 0.02 to 0.61 of woven and plain cloth, 0.73 to 0.92 across such lines."""
KNOWN = 0.25
"""Share of a column's pixels near the edge that may go on from which its colour is known."""
TINY = 1e-3
"""Sums of weights below it count as zero."""


def carried_on(
    below: Floats, colour: Floats, shown: Mask, flesh: Mask, cloth: Mask, first: int, scale: float
) -> Floats:
    """``below`` (H, w, 3), the usual cloth, with what ``colour`` (h, w, 3) shows above the row ``first`` going on.

    Changed in place. ``shown`` (h, w) is what may go on, but for ``flesh`` (h, w), which ends in a neckline, and its
    collar. ``cloth`` (h, w) gives the texture. Lines keep the direction that they have at the edge and become upright:
    where they meet, what is between them ends. Farther down all becomes the usual cloth. ``scale``: px of a decimetre.
    """
    rows = len(below) - first
    shown = shown & ~flesh
    if not shown[:first].any() or rows <= 0:
        return below
    slopes = _slopes(colour, shown, first, scale)
    columns, certain = _columns(colour, shown, slopes, first, scale)
    certain *= _beside(flesh[first - 1], scale)
    down = np.arange(rows) / scale
    places = _places(slopes, down, scale)
    own = cv2.remap(columns[None], places, np.zeros_like(places), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.remap(certain[None], places, np.zeros_like(places), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = share * (1 - smoothstep(*CARRIED, down))[:, None]
    below[first:] += (own - below[first:]) * share[..., None].astype(np.float32)
    below[first:] += weave(colour, cloth, (rows, below.shape[1]), scale)
    return np.clip(below, 0, 255, out=below)


def _slopes(colour: Floats, shown: Mask, first: int, scale: float) -> Array:
    """(w,) pixels to the right for one down by which lines run in the last rows above ``first``; 0 where none do."""
    strip = np.s_[max(0, first - max(3, round(LINES * scale))) : first]
    part = colour[strip]
    across, down = (cv2.Sobel(part, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1)))
    inner = narrowed(shown[strip], 2)[..., None]
    product, square = ((across * other * inner).sum((0, 2)) for other in (down, across))
    sigma = LINE_SIGMA * scale
    product, square = (cv2.GaussianBlur(sums[None], (0, 0), sigma)[0].astype(np.float64) for sums in (product, square))
    return np.clip(-product / (square + 3 * len(part) * LINE_NOISE**2), -SLOPE_MAX, SLOPE_MAX)


def _columns(colour: Floats, shown: Mask, slopes: Array, first: int, scale: float) -> tuple[Floats, Floats]:
    """(w, 3) the colours at the row ``first`` along lines of the ``slopes`` (w,), and (w,) 0-1 how sure they are."""
    rows = min(first, max(2, round(STRIP * scale)))
    up = np.arange(rows, 0, -1)[:, None]
    x = (np.arange(len(slopes))[None] - slopes * up).astype(np.float32)
    y = np.broadcast_to(np.arange(rows, dtype=np.float32)[:, None], x.shape).copy()
    weight = shown[first - rows : first].astype(np.float32)
    seen = cv2.remap(weight, x, y, cv2.INTER_LINEAR)
    total = cv2.remap(colour[first - rows : first] * weight[..., None], x, y, cv2.INTER_LINEAR).sum(0)
    count = seen.sum(0)
    known = np.flatnonzero(count > KNOWN * rows)
    if not len(known):
        return colour[first - 1].copy(), np.zeros(len(slopes), np.float32)
    means = total[known] / count[known, None]
    every = np.arange(len(slopes))
    columns = np.stack([np.interp(every, known, means[:, k]) for k in range(3)], 1).astype(np.float32)
    gap = np.abs(every[:, None] - known).min(1)
    return columns, np.exp(-0.5 * (gap / (SIDE_SIGMA * scale)) ** 2).astype(np.float32)


def _beside(flesh: NDArray[np.bool_], scale: float) -> Floats:
    """(w,) 0-1 how far the columns beside the ``flesh`` (w,) are from it."""
    wide = cv2.morphologyEx(
        flesh[None].astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, max(1, round(COLLAR[0] * scale))))
    )
    found, every = np.flatnonzero(wide), np.arange(len(flesh))
    if not len(found):
        return np.ones(len(flesh), np.float32)
    away = np.abs(every[:, None] - found).min(1)
    return smoothstep(COLLAR[0] * scale, COLLAR[1] * scale, away).astype(np.float32)


def _places(slopes: Array, down: Array, scale: float) -> Floats:
    """(rows, w) the column at the edge that each pixel continues, ``down`` (rows,) decimetres below it."""
    x = np.arange(len(slopes), dtype=np.float64)
    places = np.empty((len(down), len(x)), np.float32)
    for row, length in enumerate(STRAIGHT * scale * (1 - np.exp(-down / STRAIGHT))):
        ends = x + slopes * length
        # Lines do not cross: where they meet, both go on as one.
        ends = (np.maximum.accumulate(ends) + np.minimum.accumulate(ends[::-1])[::-1]) / 2
        places[row] = np.interp(x, ends + TINY * x, x)
    return places


def weave(colour: Floats, cloth: Mask, shape: tuple[int, int], scale: float) -> Floats:
    """(*shape, 3) levels of the texture of ``cloth`` (h, w), about 0: a patch without lines, repeated as in mirrors."""
    side, sigma = max(4, round(WEAVE_SIDE * scale)), max(1.0, WEAVE * scale)
    weight = cloth.astype(np.float32)
    mean = cv2.GaussianBlur(colour * weight[..., None], (0, 0), sigma)
    mean /= np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), TINY)[..., None]
    detail = np.where(cloth[..., None], colour - mean, np.float32(0))
    anchor = (0, 0)
    inside = cv2.erode(weight, np.ones((side, side)), anchor=anchor, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    inside &= ~_lined(detail, side)
    if not inside.any():
        return np.zeros((*shape, 3), np.float32)
    power = cv2.boxFilter((detail * detail).sum(2), -1, (side, side), anchor=anchor)
    wanted = np.quantile(power[inside], WEAVE_QUIET)
    row, column = np.unravel_index(np.argmin(np.where(inside, np.abs(power - wanted), np.inf)), cloth.shape)
    y, x = (np.arange(n) % (2 * side) for n in shape)
    y, x = (np.minimum(places, 2 * side - 1 - places) for places in (y, x))
    return detail[row : row + side, column : column + side][y[:, None], x[None]]


def _lined(detail: Floats, side: int) -> Mask:
    """(h, w) whether the patch of ``side`` px whose corner a pixel is shows lines of one direction in ``detail``."""
    across, down = (cv2.Sobel(detail, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    square, upright, mixed = (
        cv2.boxFilter((a * b).sum(2), -1, (side, side), anchor=(0, 0))
        for a, b in ((across, across), (down, down), (across, down))
    )
    return np.asarray(np.hypot(square - upright, 2 * mixed) > LINED * (square + upright), np.bool_)
