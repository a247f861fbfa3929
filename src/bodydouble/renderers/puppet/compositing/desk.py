"""A desk or counter before the person: the character ends at its edge too."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.looks import Look
from bodydouble.renderers.puppet.compositing.plate import Box

Floats = NDArray[np.float32]

DROP_MIN = 0.3
"""Share of its width that a person loses at the edge; reflections in the desk keep the rest."""
SPREAD_MAX = 0.04
"""How far the row of one frame may lie from that of another, of the picture's height."""
KNEES_SEEN_MAX = 0.2
EDGE_SEARCH = 0.03
"""Where the edge's straight line is looked for around the matte's end, of the picture's height."""
SAMPLES_MIN = 3


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A horizontal edge that cuts the person off: rows below ``line`` stay the source's, ``soft`` rows blended."""

    line: float
    soft: float = 2.0

    def shown(self, box: Box) -> Floats:
        """(h, 1) factor for the character's alpha within ``box``."""
        rows = np.arange(box[1], box[3], dtype=np.float32)[:, None]
        return np.asarray(np.clip((self.line + self.soft - rows) / (2 * self.soft), 0, 1), np.float32)


def find_desk(looks: list[Look], track: PersonTrack) -> Desk | None:
    """The desk of the shot that ``looks`` are from.

    The matte loses much of its width at the same row throughout, above the picture's lower edge, where the body would
    go on: the hips at or under that row and no knees seen (a hem above legs is no desk).
    """
    if len(looks) < SAMPLES_MIN:
        return None
    chosen = [look.index for look in looks]
    height = looks[0].matte.shape[0]
    shoulders = float(np.median(track.body[chosen][:, 11:13, 1]))
    hips = float(np.median(track.body[chosen][:, 23:25, 1]))
    if float(np.median(track.visibility[chosen][:, 25:27])) > KNEES_SEEN_MAX or not hips > shoulders:
        return None
    top = int(np.clip(shoulders + 0.35 * (hips - shoulders), 0, height - 1))
    k = max(2, height // 60)
    if height - 2 * k - top < 4:
        return None
    ends = [_narrowing(look.matte, top, k) for look in looks]
    rows, drops = np.array([e[0] for e in ends]), np.array([e[1] for e in ends])
    line = float(np.median(rows))
    steady = np.percentile(rows, 80) - np.percentile(rows, 20) < SPREAD_MAX * height
    goes_on = hips > line - 0.15 * (hips - shoulders)
    if not (steady and goes_on and float(np.median(drops)) > DROP_MIN):
        return None
    return Desk(line=_straight_edge(looks, line))


def _narrowing(matte: NDArray[np.uint8], top: int, k: int) -> tuple[int, float]:
    """The row below ``top`` where the matte loses most of its width within ``2k`` rows, and the share that it loses."""
    width = np.concatenate([[0], np.cumsum((matte > 127).sum(1))]).astype(np.float64)
    rows = np.arange(top, matte.shape[0] - 2 * k)
    above = (width[rows] - width[np.maximum(rows - k, 0)]) / k
    below = (width[rows + 2 * k] - width[rows + k]) / k
    lost = above - below
    best = int(lost.argmax())
    return int(rows[best]), float(lost[best] / max(above[best], 1.0))


def _straight_edge(looks: list[Look], line: float) -> float:
    """The row near ``line`` with the longest horizontal edge beside the person; ``line`` where there is none."""
    height, width = looks[0].matte.shape
    reach = max(3, round(EDGE_SEARCH * height))
    y0, y1 = max(1, int(line) - reach), min(height - 1, int(line) + reach + 1)
    total, seen = np.zeros(y1 - y0), np.zeros(y1 - y0)
    for look in looks:
        grey = cv2.cvtColor(look.image[y0 - 1 : y1 + 1], cv2.COLOR_RGB2GRAY)
        steep = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 0, 1), np.float32)[1:-1]
        free = (look.matte[y0:y1] < 24).astype(np.float64)
        total += (np.minimum(np.abs(steep), 120.0) * free).sum(1)
        seen += free.sum(1)
    strength = total / np.maximum(seen, 1)
    clear = seen.min() > 0.1 * width * len(looks) and strength.max() > 2.5 * np.median(strength)
    return float(y0 + strength.argmax()) if clear else line
