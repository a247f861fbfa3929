"""A plausible background for the holes of a plate: the parts that no frame shows.

The sources to copy from are chosen in a small picture. The plate's own pixels are copied, so that a filled part is as
sharp as its surroundings.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask
from bodydouble.renderers.puppet.compositing.seams import LIGHT_STEP, match_light
from bodydouble.renderers.puppet.exemplar import fill_by_patches

WHOLE_MIN = 0.98
"""Known share from which a pixel of the small picture counts as known."""
SOFT_SIGMA, SOFT_REACH = 3.0, 12
"""Standard deviation and reach, in pixels, of the border in which filling and known pixels are blended."""
BLUR_SIGMA = 0.6
"""Blur of the parts that come from the small picture alone, in its pixels: soft edges look better than ragged ones."""
WORK_WIDTH, WORK_WIDTH_MIN = 240, 120
"""Patches are moved at this width: enough for a plausible background. The time grows with the hole's pixels: a hole of
more than ``LARGE_HOLE`` of the picture, most of which the character covers, is filled at a smaller one."""
LARGE_HOLE = 0.1
WORK_HEIGHT_MIN = 16
"""Smallest height in pixels of the small picture, for very wide pictures. Chosen by eye on the development clips."""
HOLE_SHARE_MIN = 1e-6
"""Smallest share of the picture of a hole, as a divisor."""
WEIGHT_MIN = 1e-3
"""Share of known pixels and weight of copies (0-1) below which there is nothing. Chosen by eye on the development
clips."""

SOURCE_MIN = 0.05
"""Smallest known share of the picture from which parts are copied."""
MEDIAN_SIDE, DIFFUSION_RADIUS = 5, 3
"""Pixels of the small picture: the median that removes single wrong pixels, and the reach of Telea's inpainting."""
GRAIN_MAX, MEDIAN_TO_DEVIATION = 3.0, 1.48
"""Largest standard deviation of added grain in levels; standard over median deviation of a normal distribution."""
CLASH, CLASH_SIDE = (1.5, 4.0), 15
"""Mean levels (0-255) of the edges between copies, over a square of so many pixels of the small picture, from which
they are blurred, and blurred altogether: a blurred background is seen less than streaks of wrong things. Chosen by eye
on the development clips: grass, walls and carpets stay below."""
TEXTURE_SIDE, TEXTURE_EDGES = 61, 1.5
"""Pixels of the small picture around a place whose known part says how strong the edges of its texture are, and the
factor on them below which an edge between copies is no clash."""
REPEATED = (8.0, 20.0)
"""Pixels of the small picture from the nearest known one from which copies are blurred, and blurred altogether. Chosen
by eye on the development clips: what lies so deep in a hole is mostly behind the character."""
CLASH_SIGMA = 3.0
"""Standard deviation of that blur, in pixels of the small picture."""
SLIVER_MAX = 0.006
"""Share of the picture up to which a hole is a sliver next to a part that is filled already, and only diffused."""
OTHER_MIN = 45.0
"""Levels of difference from which a copy and its surroundings are two things, not one in two lights."""


def fill_holes(image: Image, known: Mask, forbidden: Mask) -> Image:
    """Fill ``image`` (H, W, 3) where not ``known``, copying nothing from where ``forbidden`` (bystanders).

    Patches are chosen at a small size; their shifts are carried out in the picture, in the light beside the hole.
    """
    height, width = known.shape
    w = round(
        max(WORK_WIDTH_MIN, WORK_WIDTH * min(1.0, LARGE_HOLE / max(1 - float(known.mean()), HOLE_SHARE_MIN)) ** 0.5)
    )
    h = max(WORK_HEIGHT_MIN, round(height * w / width))
    sure = known.astype(np.uint8) * np.uint8(255)
    share = cv2.resize(sure, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    low = cv2.resize(cv2.copyTo(image, sure), (w, h), interpolation=cv2.INTER_AREA)
    low = np.clip(low / np.maximum(share, WEIGHT_MIN)[..., None], 0, 255).astype(np.uint8)
    taken = cv2.resize(forbidden.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST) > 0
    source = (share > WHOLE_MIN) & ~taken
    if source.mean() < SOURCE_MIN:
        return image
    hole = share <= WHOLE_MIN
    shifts, clash = None, np.zeros((h, w), np.float32)
    if hole.mean() > SLIVER_MAX:
        filled, shifts = _by_patches(low, source)
        if shifts is not None:
            clash = clashing(filled, shifts.label, hole)
    else:
        filled = _diffused(low, ~hole)
    soft = cv2.GaussianBlur(cv2.medianBlur(filled, MEDIAN_SIDE), (0, 0), BLUR_SIGMA)
    vague = cv2.GaussianBlur(soft, (0, 0), CLASH_SIGMA)
    soft = soft + (vague.astype(np.float32) - soft) * clash[..., None]
    soft = np.where(hole[..., None], soft, low).astype(np.float32)
    return _laid_in(image, known, soft, shifts, clash)


def clashing(filled: Image, label: NDArray[np.int32], hole: Mask) -> Floats:
    """(h, w) 0-1: how far the copies in the ``hole`` (h, w) of ``filled`` (h, w, 3) are not to be trusted.

    ``label`` (h, w) says which copy a pixel is from. Copies that fit have no edge where they meet. What is far from all
    that is known is not trusted either.
    """
    step, border = np.zeros(label.shape, np.float32), np.zeros(label.shape, np.bool_)
    values = filled.astype(np.float32)
    for axis, here in ((0, np.s_[1:, :]), (1, np.s_[:, 1:])):
        step[here] = np.maximum(step[here], np.abs(np.diff(values, axis=axis)).max(-1))
        border[here] |= np.diff(label, axis=axis) != 0
    # Grass has edges everywhere: only those that its surroundings do not have count.
    seen = cv2.blur((~hole).astype(np.float32), (TEXTURE_SIDE, TEXTURE_SIDE))
    usual = cv2.blur(step * ~hole, (TEXTURE_SIDE, TEXTURE_SIDE)) / np.maximum(seen, WEIGHT_MIN)
    jump = np.maximum(step - TEXTURE_EDGES * usual, 0) * (border & hole)
    inside = cv2.blur(hole.astype(np.float32), (CLASH_SIDE, CLASH_SIDE))
    mean = cv2.blur(jump, (CLASH_SIDE, CLASH_SIDE)) / np.maximum(inside, WEIGHT_MIN)
    share = np.clip((mean - CLASH[0]) / (CLASH[1] - CLASH[0]), 0, 1) * hole
    # Far from all that is known one small patch is repeated: cloth, it seems, rather than hills.
    away = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    share = np.maximum(share, np.clip((away - REPEATED[0]) / (REPEATED[1] - REPEATED[0]), 0, 1))
    return np.asarray(cv2.GaussianBlur(share, (0, 0), CLASH_SIGMA), np.float32)


def _laid_in(image: Image, known: Mask, soft: Floats, shifts: "_Shifts | None", clash: Floats) -> Image:
    """``image`` with what is not ``known`` filled; only the box around that is computed.

    ``soft`` (h, w, 3), small, is enlarged; where ``shifts`` lead to known pixels, those are copied instead, but for the
    share ``clash`` (h, w), small, of copies that do not fit each other.
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
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (x1 - x0, y1 - y0)
        weight *= 1 - cv2.warpAffine(clash, to_small, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        large += (copied - large) * weight[..., None]
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
    total, colour = np.zeros((y1 - y0, x1 - x0), np.float32), np.zeros((y1 - y0, x1 - x0, 3), np.float32)
    zoom, offset = to_small.diagonal(), to_small[:, 2]
    sure = known.astype(np.uint8)
    for k in np.unique(shifts.label):
        mine = (shifts.label == k).astype(np.float32)
        # Each shift where it is alone: there are many, and most of them are small.
        x, y, w, h = cv2.boundingRect(mine.astype(np.uint8))
        u0, v0 = np.clip(np.floor(([x - 1, y - 1] - offset) / zoom), 0, [x1 - x0, y1 - y0]).astype(int)
        u1, v1 = np.clip(np.ceil(([x + w, y + h] - offset) / zoom) + 1, 0, [x1 - x0, y1 - y0]).astype(int)
        if u1 <= u0 or v1 <= v0:
            continue
        size, there = (int(u1 - u0), int(v1 - v0)), np.s_[v0:v1, u0:u1]
        own = to_small.copy()
        own[:, 2] += zoom * [u0, v0]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        share = cv2.warpAffine(mine, own, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        step = np.round(shifts.steps[k] / zoom)
        move = np.array([[1, 0, x0 + u0 + step[0]], [0, 1, y0 + v0 + step[1]]])
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        # Steep at the borders between two shifts: a wide blend of two textures is neither.
        share = share**3 * cv2.warpAffine(sure, move, size, flags=flags)
        colour[there] += cv2.warpAffine(image, move, size, flags=flags) * share[..., None]
        total[there] += share
    found = total > WEIGHT_MIN
    colour[found] /= total[found][:, None]
    colour[~found] = 0
    return colour, found.astype(np.float32)


def _diffused(image: Image, known: Mask) -> Image:
    """Telea's fast marching inpainting: what a few pixels' width needs, and forty times as fast."""
    return np.asarray(
        cv2.inpaint(image, np.where(known, 0, 255).astype(np.uint8), DIFFUSION_RADIUS, cv2.INPAINT_TELEA), np.uint8
    )


def _by_patches(image: Image, source: Mask) -> tuple[Image, _Shifts | None]:
    """``image``, small, filled where it is not ``source``, and how; None where there is nothing to copy."""
    filling = fill_by_patches(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2Lab), np.uint8), source)
    filled = np.asarray(cv2.cvtColor(filling.lab, cv2.COLOR_Lab2RGB), np.uint8)
    made = filling.known & ~source
    if not made.any():
        return _diffused(image, source), None
    steps, number = np.unique(filling.steps[made], axis=0, return_inverse=True)
    label = np.full(source.shape, -1, np.int32)
    label[made] = number.ravel()
    return (filled if filling.known.all() else _diffused(filled, filling.known)), _Shifts(
        steps=steps.astype(np.int64), label=_spread_labels(label)
    )


def _spread_labels(label: NDArray[np.int32]) -> NDArray[np.int32]:
    """``label`` (h, w) with each -1 replaced by what the nearest other pixel has."""
    lost = (label < 0).astype(np.uint8)
    if not lost.any():
        return label
    _, nearest = cv2.distanceTransformWithLabels(lost, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.asarray(nearest, np.int32)
    table = np.zeros(int(nearest.max()) + 1, np.int32)
    table[nearest[lost == 0]] = label[lost == 0]
    return table[nearest]


def _grain_level(image: Image, known: Mask) -> float:
    """Standard deviation in levels of the known part's finest detail, at most ``GRAIN_MAX``."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.0))[::2, ::2][known[::2, ::2]]
    return min(float(np.median(fine)) * MEDIAN_TO_DEVIATION, GRAIN_MAX) if len(fine) else 0.0
