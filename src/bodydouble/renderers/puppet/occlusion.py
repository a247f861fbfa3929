"""What stands in front of the person and has to stay there: a ball, a desk."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.footage import Footage, Image, Mattes
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.looks import Look
from bodydouble.renderers.puppet.plate import Box

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

DIFFERENCE_MIN = 34
"""Largest channel difference (0-255) to the plate from which a pixel cannot be the background."""
SOLID_MIN = 0.72
"""Share of its convex hull that a thing fills; what the matte missed of a person is ragged."""
ACTOR_LIKE_MAX = 0.3
"""Share of a thing's pixels with a colour of the actor, above which it is taken for a part that the matte missed."""
DESK_SAMPLES = 24
DESK_SPREAD_MAX = 0.02  # of the picture's height


def actor_histogram(looks: list[Look]) -> Floats:
    """(16, 16, 16) RGB histogram of the removed person, largest bin 1."""
    total = np.zeros((16, 16, 16), np.float32)
    for look in looks:
        core = cv2.erode(np.where(look.matte > 200, 255, 0).astype(np.uint8), np.ones((7, 7), np.uint8))
        total += cv2.calcHist([look.image], [0, 1, 2], core, [16, 16, 16], [0, 256, 0, 256, 0, 256])
    return np.asarray(total / max(float(total.max()), 1.0), np.float32)


def foreign_things(image: Image, plate: Image, matte: Mask, histogram: Floats, height: int) -> Floats | None:
    """(h, w) 0-1 of things in front of the person within a crop, or None where there are none.

    A thing is not in the matte, not like the plate, compact, not coloured like the actor, and touches or lies within
    the person's outline. ``height`` is the whole picture's.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    difference = cv2.absdiff(cv2.blur(image, (3, 3)), cv2.blur(plate, (3, 3))).max(axis=2)
    candidate = np.where((difference > DIFFERENCE_MIN) & (matte < 100), 255, 0).astype(np.uint8)
    candidate = cv2.morphologyEx(candidate, cv2.MORPH_OPEN, kernel, iterations=max(1, height // 200))
    if not candidate.any():
        return None
    reach = max(7, height // 24) | 1
    near = cv2.dilate(np.where(matte > 127, 255, 0).astype(np.uint8), np.ones((reach, reach), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(candidate)
    result = np.zeros(matte.shape, np.uint8)
    area_min = (height * 0.03) ** 2
    for k in range(1, count):
        if stats[k, cv2.CC_STAT_AREA] < area_min:
            continue
        here = labels == k
        if not (near[here] > 0).any() or _actor_share(image[here], histogram) > ACTOR_LIKE_MAX:
            continue
        outline, _ = cv2.findContours(here.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        hull = cv2.convexHull(np.concatenate(list(outline)))
        if stats[k, cv2.CC_STAT_AREA] > SOLID_MIN * cv2.contourArea(hull):
            cv2.fillConvexPoly(result, hull, 255)
    if not result.any():
        return None
    return np.asarray(cv2.GaussianBlur(result, (0, 0), 1.2), np.float32) / np.float32(255)


def _actor_share(pixels: NDArray[np.uint8], histogram: Floats) -> float:
    bins = pixels // 16
    return float((histogram[bins[:, 0], bins[:, 1], bins[:, 2]] > 0.02).mean())


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A horizontal edge that cuts the person off: rows below ``line`` stay the source's, ``soft`` rows blended."""

    line: float
    soft: float = 3.0

    def shown(self, box: Box) -> Floats:
        """(h, 1) factor for the character's alpha within ``box``."""
        rows = np.arange(box[1], box[3], dtype=np.float32)[:, None]
        return np.asarray(np.clip((self.line + self.soft - rows) / (2 * self.soft), 0, 1), np.float32)


def find_desk(footage: Footage, mattes: Mattes, track: PersonTrack, start: int, stop: int) -> Desk | None:
    """The desk of one shot, where the person's matte always ends at one row above the picture's lower edge.

    Only where the body would go on below: the hips at or under the line, or not seen.
    """
    seen = [i for i in range(start, stop) if track.present[i]]
    chosen = seen[:: max(1, len(seen) // DESK_SAMPLES)]
    ends: list[float] = []
    for index in chosen:
        _, matte = next(mattes.read(index, index + 1))
        left, right = sorted((track.body[index, 11, 0], track.body[index, 12, 0]))
        x0, x1 = int(np.clip(left, 0, footage.width - 2)), int(np.clip(right, 1, footage.width - 1))
        columns = matte[:, x0 : x1 + 1] > 127
        if columns.any():
            ends.append(float(np.median([np.flatnonzero(c).max() for c in columns.T if c.any()])))
    if len(ends) < 3:
        return None
    line = float(np.median(ends))
    steady = np.percentile(ends, 85) - np.percentile(ends, 15) < DESK_SPREAD_MAX * footage.height
    hips = float(np.median(track.body[chosen][:, 23:25, 1]))
    shoulders = float(np.median(track.body[chosen][:, 11:13, 1]))
    goes_on = hips > line - 0.15 * (hips - shoulders)
    return Desk(line=line) if steady and goes_on and line < 0.965 * footage.height else None
