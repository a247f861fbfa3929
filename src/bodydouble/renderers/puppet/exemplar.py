"""Fills a hole patch by patch from its surroundings, and returns the source of each pixel.

Exemplar-based inpainting (Criminisi, Pérez and Toyama, "Region Filling and Object Removal by Exemplar-Based Image
Inpainting", IEEE TIP 2004): lines that run into the hole are continued first, each patch is the one that fits what is
there already. Patches far away, above all higher or lower ones, have to fit much better: a street goes on beside
itself, and a sign is not hung up a second time.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask

Numbers = NDArray[np.int32]

RADIUS = 4
"""Radius of a patch in pixels."""
REACH_X, REACH_Y = 70, 12
"""Pixels within which a patch is looked for; beyond, only where there is none."""
FAR_X, FAR_Y = 0.03, 2.0
"""Cost of a patch's way, per squared pixel, in squared CIELAB levels (8 bit) of a mean pixel's misfit."""
NEWS = 0.08
"""Weight of the distance between a patch's new pixels and the mean of the known ones; the misfit has weight 1."""
GOES_ON, GOES_ON_MORE = 1.25, 20.0
"""Factor and squared levels by which a neighbour's shift may cost more than the best: few large copies, few seams."""
LINE_REACH = 5
"""Side in pixels of the square around a place of the front whose lines raise its priority."""
EDGE_BASE, EDGE_FULL = 0.15, 400.0
"""Priority of a front without lines, and the gradient from which a line has all of it."""


@dataclass(frozen=True, kw_only=True)
class Filling:
    """``lab`` (h, w, 3) filled; ``steps`` (h, w, 2) x, y from each pixel to its source; 0 where nothing was filled."""

    lab: Image
    steps: Numbers
    known: Mask  # all, but where no patch of the source is whole


@dataclass(frozen=True, kw_only=True)
class _Given:
    """A picture as it is searched: ``colours`` (h, w, 3), the same apart, and the sum of their squares (h, w)."""

    colours: Floats
    channels: tuple[Floats, ...]
    squares: Floats

    @classmethod
    def of(cls, lab: Image) -> "_Given":
        colours = lab.astype(np.float32)
        channels = tuple(np.asarray(channel, np.float32) for channel in cv2.split(colours))
        return cls(colours=colours, channels=channels, squares=(colours * colours).sum(-1))


def fill_by_patches(lab: Image, source: Mask, spared: Mask | None = None) -> Filling:
    """Fill ``lab`` (h, w, 3) 8 bit CIELAB where it is not ``source`` (h, w).

    What is ``spared`` (h, w) is neither filled nor copied; patches fit to it as to the source.
    """
    given = _Given.of(lab)
    known, trust = source.copy() if spared is None else source | spared, source.astype(np.float32)
    made = np.where(known[..., None], given.colours, 0).astype(np.float32)
    steps = np.zeros((*source.shape, 2), np.int32)
    while not known.all():
        y, x, worth = _next_place(made, known, trust)
        rows, columns = (slice(max(0, c - RADIUS), c + RADIUS + 1) for c in (y, x))
        here = np.s_[rows, columns]
        wanted, there = made[here], known[here].copy()
        step = _best_step(given, source, wanted, there, (rows.start, columns.start), steps[here][there & ~source[here]])
        if step is None:
            break
        new = ~there
        dx, dy = step
        h, w = new.shape
        copied = given.colours[rows.start + dy : rows.start + dy + h, columns.start + dx : columns.start + dx + w]
        made[here][new] = copied[new]
        steps[here][new] = step
        trust[here][new] = worth
        known[here] = True
    return Filling(lab=np.clip(made, 0, 255).astype(np.uint8), steps=steps, known=known)


def _next_place(made: Floats, known: Mask, trust: Floats) -> tuple[int, int, float]:
    """y, x on the hole's border that is filled next, and how far its surroundings are to be trusted, 0-1."""
    x, y, w, h = cv2.boundingRect((~known).astype(np.uint8))
    pad = 2 * RADIUS
    x0, y0 = max(0, x - pad), max(0, y - pad)
    box = np.s_[y0 : y + h + pad, x0 : x + w + pad]
    there, near = known[box].astype(np.uint8), np.ones((3, 3), np.uint8)
    front = (cv2.dilate(there, near) > 0) & (there == 0)
    side = 2 * RADIUS + 1
    trusted = cv2.boxFilter(trust[box], -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    light = np.ascontiguousarray(made[box][..., 0])
    inner = cv2.erode(there, near)
    across, down = (cv2.Sobel(light, -1, *axes) * inner for axes in ((1, 0), (0, 1)))
    lines = cv2.dilate(np.hypot(across, down), np.ones((LINE_REACH, LINE_REACH), np.uint8))
    first = np.where(front, trusted * (EDGE_BASE + np.minimum(lines / EDGE_FULL, 1)), -1)
    row, column = np.unravel_index(int(np.argmax(first)), first.shape)
    return y0 + int(row), x0 + int(column), float(trusted[row, column])


def _best_step(
    given: "_Given", source: Mask, wanted: Floats, there: Mask, corner: tuple[int, int], neighbours: Numbers
) -> tuple[int, int] | None:
    """x, y from the patch at ``corner`` (y, x) to the one that is most like ``wanted`` (h, w, 3) where that is there.

    ``neighbours`` (N, 2) are the steps of what was filled beside it. None where no patch of the source is whole.
    """
    height, width = source.shape
    for reach_y, reach_x in ((REACH_Y, REACH_X), (height, width)):
        window = _window(corner, there.shape, source.shape, reach_y, reach_x)
        whole = _whole_patches(source[window], there.shape)
        if whole.any():
            break
    else:
        return None
    # New content costs something: otherwise the edge of a sign fits as well as a plain wall.
    expected = np.where(there[..., None], wanted, wanted[there].mean(0)).astype(np.float32)
    known = np.count_nonzero(there)
    weight = np.where(there, 1 / max(known, 1), NEWS / max(there.size - known, 1)).astype(np.float32)
    misfit = _misfit(given, window, expected, weight)
    top, left = window[0].start - corner[0], window[1].start - corner[1]
    up, aside = top + np.arange(whole.shape[0])[:, None], left + np.arange(whole.shape[1])[None]
    cost = np.where(whole, misfit + FAR_Y * up**2 + FAR_X * aside**2, np.inf)
    row, column = np.unravel_index(int(np.argmin(cost)), cost.shape)
    allowed = GOES_ON * float(cost[row, column]) + GOES_ON_MORE
    for dx, dy in np.unique(neighbours, axis=0).tolist():
        inside = 0 <= dy - top < cost.shape[0] and 0 <= dx - left < cost.shape[1]
        if inside and cost[dy - top, dx - left] <= allowed:
            return dx, dy
    return left + int(column), top + int(row)


def _misfit(given: "_Given", window: tuple[slice, slice], patch: Floats, weight: Floats) -> Floats:
    """For each place of ``patch`` (h, w, 3) in ``window``: the sum of squared differences times ``weight`` (h, w).

    (a - b)^2 = a^2 - 2ab + b^2: the first two are correlations with small kernels, the last is one number.
    """
    h, w = weight.shape
    total = _correlation(given.squares[window], weight)
    for channel, wanted in zip(given.channels, cv2.split(patch), strict=True):
        total -= _correlation(channel[window], 2 * weight * wanted)
    total += float((weight[..., None] * patch * patch).sum(dtype=np.float64))
    return total[: total.shape[0] - h + 1, : total.shape[1] - w + 1]


def _correlation(image: Floats, kernel: Floats) -> Floats:
    """(H, W) for each pixel: the sum of ``kernel`` times what lies under it with its corner there."""
    zero = cv2.BORDER_CONSTANT
    return np.asarray(cv2.filter2D(image, cv2.CV_32F, kernel, anchor=(0, 0), borderType=zero), np.float32)


def _window(
    corner: tuple[int, int], patch: tuple[int, ...], size: tuple[int, ...], reach_y: int, reach_x: int
) -> tuple[slice, slice]:
    """The part of a picture of ``size`` in which patches lie whose corner is within reach."""
    (y, x), (h, w) = corner, patch
    rows = slice(max(0, y - reach_y), min(size[0], y + reach_y + h))
    return rows, slice(max(0, x - reach_x), min(size[1], x + reach_x + w))


def _whole_patches(source: Mask, patch: tuple[int, ...]) -> Mask:
    """Which corners, each of a ``patch`` within ``source``, have nothing but source."""
    total = cv2.integral(source.astype(np.uint8))
    h, w = patch
    return total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w] == h * w
