"""How large the actor appears in each frame: distance from the camera and zoom."""

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes
from bodydouble.perception.footage import Mattes
from bodydouble.perception.landmark_indices import KNEES
from bodydouble.perception.smoothing import fill_gaps, gaussian_smoothed
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.trunk import shoulder_centre, shoulder_vector, spine_vector

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SIZE_SIGMA = 5.0
"""Frames, sigma of the Gaussian weights of ``along_trend`` for sizes. Chosen by eye on an actor who walks away."""
FACE_GAP_FRAMES_MAX = 12
"""Frames up to which a gap without a face is bridged. Chosen by eye on the development clips."""
KNEES_UNSEEN_MAX = 0.2
"""Visibility of both knees below which the frame's edge or something else hides the lower body. The network then
squeezes trunk and legs into what it sees. Measured on an actor whom the lower edge cuts at the chest: 0.01 to 0.14."""
OUTLINE_MEDIAN = 5
"""Frames over which widths of outlines are the median: single mattes fail."""
OUTLINE_ALPHA_MIN = 128
"""Matte (0-255) from which a pixel is inside the outline."""
OUTLINE_WIDTH_MIN = 4
"""Pixels: narrower tops of outlines are hands or noise, not heads."""
OUTLINE_OF_TRUNK = (0.2, 0.8)
"""Bounds of the heads' widths over the trunk's length, usually: beyond them the mattes show something else on top.
Measured from behind: 0.34 to 0.42; of a child before a bed 1.15."""
SHOULDERS_ABOVE = 0.15
"""Trunk lengths from the frame's upper edge down to the shoulders below which the edge cuts off a head without a face.
The network then squeezes head and trunk into what it sees. Chosen by eye on a dancer whom the camera leaves upwards."""
TRUNK_PERCENTILE = 75
"""Percentile of the trunk's length over the head's outline: the network squeezes cut-off trunks and stretches none."""
USUAL_PERCENTILE = 90
"""Percentile of the trunk's height and width that counts as not foreshortened."""
TINY = 1e-9
"""Determinants below it have no trend."""


def along_trend(values: Array, sigma: float) -> Array:
    """(F,) ``values`` smoothed by a straight line through each value's neighbours (weights: Gaussian of ``sigma``).

    A steady growth stays as it is, also at both ends, where a plain Gaussian flattens it.
    Source: local linear regression (Cleveland, "Robust Locally Weighted Regression", JASA 1979).
    """
    place = np.arange(len(values), dtype=np.float64)

    def blurred(x: Array) -> Array:
        return gaussian_smoothed(x, sigma, beyond="constant")

    ones, first = blurred(np.ones(len(values))), blurred(place)
    offset = first - place * ones
    spread = blurred(place**2) - 2 * place * first + place**2 * ones
    level = blurred(values)
    slope = blurred(place * values) - place * level
    determinant = ones * spread - offset**2
    fitted = (spread * level - offset * slope) / np.maximum(determinant, TINY)
    return np.where(determinant > TINY, fitted, values)


def near_found(found: Flags, frames_max: int = FACE_GAP_FRAMES_MAX) -> Flags:
    """Which entries lie in a hole of at most ``frames_max`` between two found ones, or are found."""
    index = np.flatnonzero(found)
    if len(index) == 0:
        return np.zeros(len(found), np.bool_)
    at = np.arange(len(found))
    after = index[np.clip(np.searchsorted(index, at), 0, len(index) - 1)]
    before = index[np.clip(np.searchsorted(index, at, side="right") - 1, 0, len(index) - 1)]
    return found | ((before < at) & (at < after) & (after - before - 1 <= frames_max))


def cut_off_above(track: PersonTrack) -> Flags:
    """(F,) where the frame's upper edge cuts head and shoulders off: their landmarks are guesses inside the frame."""
    body, present = track.body[..., :2].astype(np.float64), track.present
    if not present.any():
        return np.zeros(len(track), np.bool_)
    trunk = float(np.median(np.linalg.norm(spine_vector(body)[present], axis=1)))
    return present & ~track.face_found & (shoulder_centre(body)[:, 1] < SHOULDERS_ABOVE * trunk)


def outline_widths(track: PersonTrack, mattes: Mattes) -> Array:
    """(F,) px, width of the head in the matte, where neither a face nor the whole body tells the actor's size.

    NaN in all other frames, whose mattes are not read, and throughout where the widths are no heads'.
    """
    result = np.full(len(track), np.nan)
    knees = track.visibility[:, KNEES].max(1)
    faceless = track.present & ~near_found(track.face_found & track.present)
    wanted = np.flatnonzero(faceless & near_found(faceless & (knees < KNEES_UNSEEN_MAX)))
    if len(wanted) == 0:
        return result
    needed = set(wanted.tolist())
    for index, matte in mattes.read(int(wanted[0]), int(wanted[-1]) + 1):
        if index in needed:
            result[index] = head_outline(matte)
    usual = np.nanmedian((result / trunk_lengths(track.body[..., :2].astype(np.float64), track.present))[wanted])
    heads = OUTLINE_OF_TRUNK[0] < usual < OUTLINE_OF_TRUNK[1]
    return result if heads else np.full(len(track), np.nan)


def head_outline(matte: Bytes) -> float:
    """Width in pixels of the upper end of the largest outline in ``matte`` (h, w) 0-255; NaN where there is none.

    The width of a head is about its height: the median width of the first w rows is w. Needs no landmarks.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats((matte >= OUTLINE_ALPHA_MIN).astype(np.uint8))
    if len(stats) < 2:
        return np.nan
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y, w, h = (int(value) for value in stats[largest, : cv2.CC_STAT_AREA])
    inside = labels[y : y + h, x : x + w] == largest
    middle = float(np.flatnonzero(inside[0]).mean())
    widths: list[int] = []
    for row in inside:
        edges = np.flatnonzero(np.diff(np.r_[0, row.astype(np.int8), 0])).reshape(-1, 2)
        start, stop = min(edges, key=lambda edge: max(edge[0] - middle, middle - edge[1] + 1, 0))
        widths.append(int(stop - start))
        middle = 0.5 * middle + 0.25 * float(start + stop - 1)
        if len(widths) >= OUTLINE_WIDTH_MIN and np.median(widths) <= len(widths):
            return float(len(widths))
    return np.nan


def trunk_lengths(body: Array, present: Flags) -> Array:
    """(F,) px, length of the spine of ``body`` (F, 33, 2), as spine or shoulders tell it: the less foreshortened.

    Bending shortens the spine, turning the shoulders; neither makes the actor smaller. NaN where the actor is not
    ``present`` (F,).
    """
    spine = np.maximum(np.linalg.norm(spine_vector(body), axis=1), 1.0)
    width = np.maximum(np.linalg.norm(shoulder_vector(body), axis=1), 1.0)
    if not present.any():
        return spine
    usual = [float(np.percentile(cue[present], USUAL_PERCENTILE)) for cue in (spine, width)]
    return np.maximum(spine, width * usual[0] / usual[1])


def outline_sizes(widths: Array, trunk_sizes: Array) -> Array:
    """(F,) head sizes that follow the outlines' ``widths`` (F,) px and agree with the ``trunk_sizes`` (F,) px.

    ``trunk_sizes`` are head sizes by the trunk's length; they stay where ``widths`` is NaN, and where few are known.
    """
    known = np.isfinite(widths)
    if np.count_nonzero(known) < OUTLINE_MEDIAN:
        return trunk_sizes  # in so few frames one bad matte decides
    filled = np.pad(fill_gaps(np.where(known, widths, 0.0), known), OUTLINE_MEDIAN // 2, mode="edge")
    steady = np.median(sliding_window_view(filled, OUTLINE_MEDIAN), axis=1)
    share = float(np.percentile(trunk_sizes[known] / steady[known], TRUNK_PERCENTILE))
    return np.where(known, share * steady, trunk_sizes)
