"""Bars and frames around a reference image: screenshots and letterboxed pictures have them."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image

SAME_MAX = 12
"""Levels (0-255) by which any channel of a bar differs from its usual colour: noise of the compression."""
TEXT_MAX = 0.4
"""Share of a bar's line that writing takes at most."""
BESIDE_LINES, BESIDE_TEXT_MAX, BLACK_TEXT_MAX = 4, 0.01, 0.08
"""Lines of a bar beside the picture, and the share of them that may be unlike it: a person would cross them. A black
bar may have writing there."""
BLACK_MAX = 40
"""Level (0-255) that no channel of a black bar exceeds."""
BLEND_LINES, LIKE_MAX = 3, 0.25
"""Lines over which bar and picture are blended, and the share of the next line that may still look like the bar."""
SIDE_MIN, SIDE_MAX = 0.01, 0.35
"""Share of the picture that the bars of one side take: thinner lines do no harm, and a network's results depend on each
pixel of its picture."""
SIDE_BARS_MAX = 3
"""Bars of one side: a screenshot has its own beside those of the picture in it."""


def without_bars(image: Image) -> Image:
    """The part of ``image`` (H, W, 3) that bars or a frame of one colour each surround; a view.

    A bar ends in a straight line from side to side, beside which it shows nothing: neither a wall with a person before
    it nor an empty ground is one.
    """
    rows = _inner(image)
    return np.asarray(image[rows][:, _inner(image[rows].transpose(1, 0, 2))], np.uint8)


def _inner(lines: Image) -> slice:
    """Which of ``lines`` (N, M, 3) are between the bars at their beginning and their end."""
    return slice(_bars(lines), len(lines) - _bars(lines[::-1]))


def _bars(lines: Image) -> int:
    """How many of the first of ``lines`` (N, M, 3) are bars; a bar may follow another."""
    taken, most = 0, int(SIDE_MAX * len(lines))
    for _ in range(SIDE_BARS_MAX):
        bar = _bar(lines[taken:most])
        if not bar:
            break
        taken += bar
    return taken if taken >= SIDE_MIN * len(lines) else 0


def _bar(lines: Image) -> int:
    """How many of the first of ``lines`` (N, M, 3) are one bar with its blend."""
    if len(lines) <= BESIDE_LINES + BLEND_LINES:
        return 0
    colour = np.median(lines[:2].reshape(-1, 3), axis=0)
    like: Floats = (np.abs(lines - colour.astype(np.float32)).max(2) <= SAME_MAX).mean(1, dtype=np.float32)
    calm = like >= 1 - (BLACK_TEXT_MAX if colour.max() <= BLACK_MAX else BESIDE_TEXT_MAX)
    length = _first(like < 1 - TEXT_MAX)
    if length < 2 or length + BLEND_LINES > len(lines) or not calm[max(0, length - BESIDE_LINES) : length - 1].all():
        return 0
    return length + BLEND_LINES - 1 if like[length + BLEND_LINES - 1] <= LIKE_MAX else 0


def _first(mask: NDArray[np.bool_]) -> int:
    """Index of the first True of ``mask`` (N,); N without any."""
    return int(np.argmax(mask)) if mask.any() else len(mask)
