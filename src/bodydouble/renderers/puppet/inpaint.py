"""What was never seen: a plausible background for the holes of a plate.

Where to copy from is decided in a small picture, what is copied are the plate's own pixels: what is made up is as sharp
as what is beside it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.seams import LIGHT_STEP, match_light

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

WHOLE_MIN = 0.98
"""Known share from which on a small picture's pixel counts as known."""
SOFT_SIGMA, SOFT_REACH = 3.0, 12
"""Of the border, in pixels, in which filling and known pixels are blended."""
BLUR_SIGMA = 0.6
"""Of what is filled in from the small picture alone, in its pixels: out of focus rather than ragged."""
WORK_WIDTH, WORK_WIDTH_MIN = 240, 120
"""Patches are moved at this width: enough for a plausible background. Its time grows with the hole's pixels: a hole of
more than ``LARGE_HOLE`` of the picture, most of which the character covers, is filled at a smaller one."""
LARGE_HOLE = 0.1

SLIVER_MAX = 0.006
"""Share of the picture up to which a hole is a sliver at the edge of what was filled before, with nothing to invent."""
SHIFTS_MAX = 64
"""As many places are copied from at most: opencv-contrib chooses among 60."""
OTHER_MIN = 45.0
"""Levels of difference from which what is copied and what is there are two things, not one in two lights."""
SUPPORT = 5
"""Side in small pixels of the neighbourhood that a shift has to explain best."""


def fill_holes(image: Image, known: Mask, forbidden: Mask) -> Image:
    """Fill ``image`` (H, W, 3) where not ``known``, copying nothing from where ``forbidden`` (bystanders).

    Shift-map inpainting (Pritch et al., "Shift-Map Image Editing", ICCV 2009) of opencv-contrib at a small size; the
    shifts that it chose are read off its result and carried out in the picture itself, in the light beside the hole.
    """
    height, width = known.shape
    w = round(max(WORK_WIDTH_MIN, WORK_WIDTH * min(1.0, LARGE_HOLE / max(1 - float(known.mean()), 1e-6)) ** 0.5))
    h = max(16, round(height * w / width))
    sure = known.astype(np.uint8) * np.uint8(255)
    share = cv2.resize(sure, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    low = cv2.resize(cv2.copyTo(image, sure), (w, h), interpolation=cv2.INTER_AREA)
    low = np.clip(low / np.maximum(share, 1e-3)[..., None], 0, 255).astype(np.uint8)
    taken = cv2.resize(forbidden.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST) > 0
    source = (share > WHOLE_MIN) & ~taken
    if source.mean() < 0.05:
        return image
    hole = share <= WHOLE_MIN
    shifts = None
    if hole.mean() > SLIVER_MAX:
        filled, shifts = _shift_map(low, source)
    else:
        filled = _diffused(low, ~hole)
    soft = cv2.GaussianBlur(cv2.medianBlur(filled, 5), (0, 0), BLUR_SIGMA)
    soft = np.where(hole[..., None], soft, low).astype(np.float32)
    return _laid_in(image, known, soft, shifts)


def _laid_in(image: Image, known: Mask, soft: Floats, shifts: "_Shifts | None") -> Image:
    """``image`` with what is not ``known`` filled; only the box around that is computed.

    ``soft`` (h, w, 3), small, is enlarged; where ``shifts`` lead to known pixels, those are copied instead.
    """
    height, width = known.shape
    x, y, w, h = cv2.boundingRect((~known).astype(np.uint8))
    x0, y0 = max(0, x - SOFT_REACH), max(0, y - SOFT_REACH)
    x1, y1 = min(width, x + w + SOFT_REACH), min(height, y + h + SOFT_REACH)
    zoom_x, zoom_y = soft.shape[1] / width, soft.shape[0] / height
    to_small = np.array([[zoom_x, 0, (x0 + 0.5) * zoom_x - 0.5], [0, zoom_y, (y0 + 0.5) * zoom_y - 0.5]])
    large = cv2.warpAffine(
        soft,
        to_small,
        (x1 - x0, y1 - y0),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    grain = _grain_level(image, known)
    large += np.random.default_rng(0).normal(0, grain, (*large.shape[:2], 1)).astype(np.float32)
    here = np.s_[y0:y1, x0:x1]
    if shifts is not None:
        copied, weight = _copied(image, known, shifts, to_small, (x0, y0, x1, y1))
        large = copied + large * (1 - weight)[..., None]
        unlike = cv2.blur(cv2.absdiff(large, image[here].astype(np.float32)).max(-1), (LIGHT_STEP, LIGHT_STEP))
        shared = (known[here] & (weight > 0) & (unlike < OTHER_MIN)).astype(np.uint8) * np.uint8(255)
        large = match_light(np.clip(large + 0.5, 0, 255).astype(np.uint8), image[here], shared).astype(np.float32)
    # Inside the hole the filling alone; towards it a soft border, so that no seam shows.
    inside = known[here].astype(np.float32)
    weight = (cv2.GaussianBlur(inside, (0, 0), SOFT_SIGMA) * inside)[..., None]
    result = image.copy()
    result[here] = np.clip(image[here] * weight + large * (1 - weight) + 0.5, 0, 255)
    return result


@dataclass(frozen=True, kw_only=True)
class _Shifts:
    """Where the small picture's hole was copied from."""

    steps: NDArray[np.int64]  # (N, 2) small pixels x, y
    label: NDArray[np.int32]  # (h, w) which of them; outside the hole that of the nearest pixel inside


def _copied(
    image: Image, known: Mask, shifts: _Shifts, to_small: NDArray[np.float64], box: tuple[int, int, int, int]
) -> tuple[Floats, Floats]:
    """(h, w, 3) within ``box`` what ``shifts`` copy there, times its weight (h, w): 1, or 0 where that is not known."""
    x0, y0, x1, y1 = box
    size = (x1 - x0, y1 - y0)
    total, colour = np.zeros(size[::-1], np.float32), np.zeros((*size[::-1], 3), np.float32)
    sure = known.astype(np.uint8)
    for k in np.unique(shifts.label):
        mine = (shifts.label == k).astype(np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        share = cv2.warpAffine(mine, to_small, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        step = np.round(shifts.steps[k] / [to_small[0, 0], to_small[1, 1]])
        move = np.array([[1, 0, x0 + step[0]], [0, 1, y0 + step[1]]])
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        # Steep at the borders between two shifts: a wide blend of two textures is neither.
        share = share**3 * cv2.warpAffine(sure, move, size, flags=flags)
        colour += cv2.warpAffine(image, move, size, flags=flags) * share[..., None]
        total += share
    there = total > 1e-3
    colour[there] /= total[there][:, None]
    colour[~there] = 0
    return colour, there.astype(np.float32)


def _diffused(image: Image, known: Mask) -> Image:
    """Telea's fast marching inpainting: what a few pixels' width needs, and forty times as fast."""
    return np.asarray(cv2.inpaint(image, np.where(known, 0, 255).astype(np.uint8), 3, cv2.INPAINT_TELEA), np.uint8)


def _shift_map(image: Image, source: Mask) -> tuple[Image, _Shifts | None]:
    """``image``, small, filled where it is not ``source``, and how; None where it cannot be told how."""
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2Lab), np.uint8)
    result = np.zeros_like(lab)
    cv2.setRNGSeed(0)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # its nearest-neighbour search is not ordered between threads
    try:
        cv2.xphoto.inpaint(lab, np.where(source, 255, 0).astype(np.uint8), result, cv2.xphoto.INPAINT_SHIFTMAP)
    finally:
        cv2.setNumThreads(threads)
    left = (result == 0).all(-1)  # of a large hole it leaves pixels black, which in CIELAB is no colour
    filled = np.asarray(cv2.cvtColor(result, cv2.COLOR_Lab2RGB), np.uint8)
    return (_diffused(filled, ~left) if left.any() else filled), _shifts_of(lab, result, source)


def _shifts_of(image: Image, filled: Image, source: Mask) -> _Shifts | None:
    """How the pixels of ``filled`` that are not ``source`` came from ``image``: by the few shifts that explain most.

    What opencv-contrib answers is pixels alone. Those are copies: a block of 3 x 3 of them that is found in the source
    tells its shift, and of the shifts told often each pixel has the one by which most about it is explained.
    """
    own, made = _numbers(image), _numbers(filled)
    inner = (
        cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
        for mask in (source, ~source)
    )
    (from_y, from_x), (to_y, to_x) = (np.nonzero(mask) for mask in inner)
    blocks = _blocks(own)[from_y, from_x]
    order = np.argsort(blocks, kind="stable")
    wanted = _blocks(made)[to_y, to_x]
    at = order[np.minimum(np.searchsorted(blocks, wanted, sorter=order), max(len(order) - 1, 0))]
    hit = blocks[at] == wanted
    if not hit.any():
        return None
    told = np.stack([from_x[at] - to_x, from_y[at] - to_y], 1)[hit]
    steps, often = np.unique(told, axis=0, return_counts=True)
    steps = steps[np.argsort(-often, kind="stable")[:SHIFTS_MAX]]
    label, best = np.full(source.shape, -1, np.int32), np.zeros(source.shape, np.float32)
    for k, (dx, dy) in enumerate(steps):
        move = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(np.where(source, own, -1), move, source.shape[::-1], flags=flags, borderValue=-1)
        same = ((moved == made) & ~source).astype(np.float32)
        support = cv2.blur(same, (SUPPORT, SUPPORT)) * same
        better = support > best
        label[better], best[better] = k, support[better]
    return _Shifts(steps=steps, label=_spread_labels(label))


def _numbers(lab: Image) -> NDArray[np.float32]:
    """(h, w) one whole number for each colour (h, w, 3); of 24 bits, which a float32 holds."""
    wide = lab.astype(np.int32)
    return np.asarray((wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2], np.float32)


def _blocks(numbers: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(h, w) a hash of the 3 x 3 pixels about each, wrapping around at the edges."""
    whole, result = numbers.astype(np.uint64), np.zeros(numbers.shape, np.uint64)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            result = result * np.uint64(1099511628211) + np.roll(whole, (dy, dx), (0, 1))  # FNV's prime
    return result


def _spread_labels(label: NDArray[np.int32]) -> NDArray[np.int32]:
    """``label`` (h, w) with each -1 replaced by what the nearest other pixel has."""
    lost = (label < 0).astype(np.uint8)
    if not lost.any():
        return label
    _, nearest = cv2.distanceTransformWithLabels(lost, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.asarray(nearest, np.int32)
    table = np.zeros(int(nearest.max()) + 1, np.int32)
    table[nearest[lost == 0]] = label[lost == 0]
    return table[nearest]


def _grain_level(image: Image, known: Mask) -> float:
    """Standard deviation of the known part's finest detail, at most 3 levels."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.0))[::2, ::2][known[::2, ::2]]
    return min(float(np.median(fine)) * 1.48, 3.0) if len(fine) else 0.0
