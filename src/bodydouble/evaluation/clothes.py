"""Whether the character wears its own clothes: colours by body part."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.evaluation.appearance import lab_histogram
from bodydouble.perception.arrays import Alpha, Image, Mask, Matte
from bodydouble.perception.interpolation import body_width
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.track import PersonTrack

PART_WIDTH = 0.16
"""Thickness of a limb's line in body widths: inside sleeves and trouser legs of any cut."""
TRUNK_SHRINK = 0.6
"""The trunk's corners move towards its middle by this factor, away from arms and background."""
SEEN_MIN = 0.5
"""Visibility of both ends from which a part is measured."""
CERTAIN_LEVEL = 204
"""Matte level (0-255) from which a pixel surely belongs to the person."""
PIXELS_MIN = 60
"""Pixels: a part with fewer is too small to have a colour."""
SPREAD_BINS = (3, 3, 3)
"""Neighbouring bins that blur a histogram: the scene's light shifts colours a little."""
SUM_MIN = 1e-9
"""Keeps the quotient finite for an empty histogram."""

LINES = {
    "upper arms": (
        (BodyPoint.LEFT_SHOULDER, BodyPoint.LEFT_ELBOW),
        (BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_ELBOW),
    ),
    "forearms": ((BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST), (BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST)),
    "thighs": ((BodyPoint.LEFT_HIP, BodyPoint.LEFT_KNEE), (BodyPoint.RIGHT_HIP, BodyPoint.RIGHT_KNEE)),
    "shins": ((BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE), (BodyPoint.RIGHT_KNEE, BodyPoint.RIGHT_ANKLE)),
    "feet": ((BodyPoint.LEFT_HEEL, BodyPoint.LEFT_TOE), (BodyPoint.RIGHT_HEEL, BodyPoint.RIGHT_TOE)),
}
TRUNK = "trunk"
TRUNK_CORNERS = [
    BodyPoint.LEFT_SHOULDER,
    BodyPoint.RIGHT_SHOULDER,
    BodyPoint.RIGHT_HIP,
    BodyPoint.LEFT_HIP,
]


def part_masks(track: PersonTrack, i: int, certain: Mask) -> dict[str, Mask]:
    """The pixels (H, W) of each visible part of the person in row ``i`` that are ``certain`` to be the person's."""
    points, visibility = track.body[i, :, :2].astype(np.float64), track.visibility[i]
    height, width = certain.shape
    inside = ((points >= 0) & (points < (width, height))).all(1) & (visibility > SEEN_MIN)
    pixels = np.round(np.clip(points, -width, 2 * width)).astype(np.int32)
    thickness = max(1, round(PART_WIDTH * body_width(points)))
    result: dict[str, Mask] = {}
    for name, lines in LINES.items():
        canvas = np.zeros((height, width), np.uint8)
        for a, b in lines:
            if inside[a] and inside[b]:
                cv2.line(canvas, pixels[a].tolist(), pixels[b].tolist(), 255, thickness)
        result[name] = (canvas > 0) & certain
    if inside[TRUNK_CORNERS[:2]].all():
        corners = points[TRUNK_CORNERS]
        corners = corners.mean(0) + TRUNK_SHRINK * (corners - corners.mean(0))
        canvas = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(canvas, np.round(corners).astype(np.int32), 255)
        result[TRUNK] = (canvas > 0) & certain
    return {name: mask for name, mask in result.items() if np.count_nonzero(mask) >= PIXELS_MIN}


def colour_likeness(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Intersection of two blurred Lab histograms, 0-1."""
    p, q = (_spread(histogram) for histogram in (a, b))
    return float(np.minimum(p, q).sum())


def _spread(histogram: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(histogram, 1)
    blurred = sum(
        padded[i : i + histogram.shape[0], j : j + histogram.shape[1], k : k + histogram.shape[2]]
        for i, j, k in np.ndindex(SPREAD_BINS)
    )
    blurred = np.asarray(blurred, np.float64)
    return blurred / max(float(blurred.sum()), SUM_MIN)


class ClothesLikeness:
    """Collects the likeness of each part for output and actor over the frames."""

    def __init__(self, reference: Image, track: PersonTrack, mask: Alpha) -> None:
        """``track`` is of one frame, ``mask`` (H, W) 0-1 the person in ``reference``."""
        parts = part_masks(track, 0, np.asarray(mask > CERTAIN_LEVEL / 255, np.bool_))
        self._own = {name: lab_histogram(reference, part) for name, part in parts.items()}
        self._scores: dict[str, dict[str, list[float]]] = {"output": {}, "actor": {}}

    def add(self, who: str, image: Image, track: PersonTrack, i: int, matte: Matte) -> None:
        """``who`` is ``output`` or ``actor``: the person in row ``i`` of ``track``, with their ``matte``."""
        if not track.present[i]:
            return
        for name, part in part_masks(track, i, np.asarray(matte > CERTAIN_LEVEL, np.bool_)).items():
            if name in self._own:
                likeness = colour_likeness(lab_histogram(image, part), self._own[name])
                self._scores[who].setdefault(name, []).append(likeness)

    def by_part(self, who: str) -> dict[str, float]:
        """Mean likeness of each part that picture and video show, 0-1."""
        return {name: float(np.mean(scores)) for name, scores in self._scores[who].items()}

    def result(self, who: str) -> float | None:
        """Mean over the parts, 0-1."""
        parts = self.by_part(who)
        return float(np.mean(list(parts.values()))) if parts else None
