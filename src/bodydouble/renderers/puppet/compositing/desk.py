"""A desk or counter before the person: the character ends at its edge too."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, PixelBox
from bodydouble.perception.landmark_indices import KNEES, BodyPoint
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.samples import SampleFrame

DROP_MIN = 0.3
"""Share of its width that a person loses at the edge; reflections in the desk keep the rest."""
SEARCH_ROWS_MIN = 4
"""Smallest number of rows in which an edge is searched. Chosen by eye on the development clips."""
SPREAD_FROM, SPREAD_TO = 20, 80
"""Percentiles of the samples' edge rows between which their spread is measured. Chosen by eye on the development
clips."""
SPREAD_MAX = 0.04
"""Largest distance between the edge's rows in two frames, as a share of the picture's height."""
KNEES_SEEN_MAX = 0.2
"""Median visibility (0-1) of the knees from which legs are seen below a hem. Chosen by eye on the development clips."""
EDGE_SEARCH = 0.03
"""Picture heights around the matte's end in which the edge's straight line is searched."""
SAMPLES_MIN = 3
"""Number of sampled frames from which a desk is searched. Chosen by eye on the development clips."""
TRUNK_FROM, TRUNK_HIDDEN = 0.35, 0.15
"""Share of the way from shoulders to hips below which a desk may begin, and by which the hips may be above its edge:
the landmarks of hidden hips are guesses."""
NARROWING_ROWS = 60
"""The loss of width is measured over a 60th of the picture's height: an edge is that sharp, a waist is not."""
FREE_MATTE = 24
"""Matte level (0-255) below which a pixel is not the person's."""
PERSON_MATTE = 127
"""Matte level (0-255) above which a pixel is the person's: half of the range."""
STEEP_MAX = 120.0
"""Largest gradient that counts: one bright rim must not outweigh a long edge."""
FREE_MIN, CLEAR_MIN = 0.1, 2.5
"""Conditions of a clear edge: smallest share of its row without the person, and its strength over the median row's."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A horizontal edge that hides the person below it: there the source's pixels stay."""

    line: float  # px, row of the edge
    soft: float = 2.0  # px on either side of ``line`` over which character and source are blended

    def shown(self, box: PixelBox) -> Floats:
        """(h, 1) factor 0-1 for the character's alpha in each row of ``box``: 1 above the edge, 0 below it."""
        rows = np.arange(box[1], box[3], dtype=np.float32)[:, None]
        return np.asarray(np.clip((self.line + self.soft - rows) / (2 * self.soft), 0, 1), np.float32)


def find_desk(samples: list[SampleFrame], track: PersonTrack) -> Desk | None:
    """The desk of the shot that ``samples`` are from.

    The matte loses much of its width at the same row throughout, above the picture's lower edge, where the body would
    go on: the hips at or under that row and no knees seen (a hem above legs is no desk).
    """
    if len(samples) < SAMPLES_MIN:
        return None
    chosen = [sample.index for sample in samples]
    height = samples[0].matte.shape[0]
    shoulders = _median_row(track, chosen, BodyPoint.LEFT_SHOULDER)
    hips = _median_row(track, chosen, BodyPoint.LEFT_HIP)
    if float(np.median(track.visibility[chosen][:, KNEES])) > KNEES_SEEN_MAX or not hips > shoulders:
        return None
    top = int(np.clip(shoulders + TRUNK_FROM * (hips - shoulders), 0, height - 1))
    k = max(2, height // NARROWING_ROWS)
    if height - 2 * k - top < SEARCH_ROWS_MIN:
        return None
    ends = [_narrowing(sample.matte, top, k) for sample in samples]
    rows, drops = np.array([e[0] for e in ends]), np.array([e[1] for e in ends])
    line = float(np.median(rows))
    steady = np.percentile(rows, SPREAD_TO) - np.percentile(rows, SPREAD_FROM) < SPREAD_MAX * height
    goes_on = hips > line - TRUNK_HIDDEN * (hips - shoulders)
    if not (steady and goes_on and float(np.median(drops)) > DROP_MIN):
        return None
    return Desk(line=_straight_edge(samples, line))


def _median_row(track: PersonTrack, chosen: list[int], left: BodyPoint) -> float:
    """The median y in px of a joint of both sides in the frames ``chosen``; ``left`` is the left one."""
    return float(np.median(track.body[chosen][:, left : left + 2, 1]))


def _narrowing(matte: NDArray[np.uint8], top: int, k: int) -> tuple[int, float]:
    """The row below ``top`` where the matte loses most of its width within ``2k`` rows, and the share that it loses."""
    width = np.concatenate([[0], np.cumsum((matte > PERSON_MATTE).sum(1))]).astype(np.float64)
    rows = np.arange(top, matte.shape[0] - 2 * k)
    above = (width[rows] - width[np.maximum(rows - k, 0)]) / k
    below = (width[rows + 2 * k] - width[rows + k]) / k
    lost = above - below
    best = int(lost.argmax())
    return int(rows[best]), float(lost[best] / max(above[best], 1.0))


def _straight_edge(samples: list[SampleFrame], line: float) -> float:
    """The row near ``line`` with the longest horizontal edge next to the person; ``line`` if there is none."""
    height, width = samples[0].matte.shape
    reach = max(3, round(EDGE_SEARCH * height))
    y0, y1 = max(1, int(line) - reach), min(height - 1, int(line) + reach + 1)
    total, seen = np.zeros(y1 - y0), np.zeros(y1 - y0)
    for sample in samples:
        grey = cv2.cvtColor(sample.image[y0 - 1 : y1 + 1], cv2.COLOR_RGB2GRAY)
        steep = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 0, 1), np.float32)[1:-1]
        free = (sample.matte[y0:y1] < FREE_MATTE).astype(np.float64)
        total += (np.minimum(np.abs(steep), STEEP_MAX) * free).sum(1)
        seen += free.sum(1)
    strength = total / np.maximum(seen, 1)
    clear = seen.min() > FREE_MIN * width * len(samples) and strength.max() > CLEAR_MIN * np.median(strength)
    return float(y0 + strength.argmax()) if clear else line
