"""A plausible background for the holes of a plate: the parts that no frame shows.

In a small picture the lines that enter a hole are continued first. Then sources to copy from are chosen, which are like
that. The plate's own pixels are copied, so that a filled part is as sharp as its surroundings.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask, PixelBox
from bodydouble.renderers.puppet.compositing.completion import Completion, complete
from bodydouble.renderers.puppet.compositing.continued_lines import continue_lines
from bodydouble.renderers.puppet.compositing.pieces import boxes_about
from bodydouble.renderers.puppet.compositing.plain import plainness
from bodydouble.renderers.puppet.compositing.seams import LIGHT_STEP, SEAM_REACH, match_light

WHOLE_MIN = 0.98
"""Known share from which a pixel of the small picture counts as known."""
SOFT_SIGMA = 3.0
"""Standard deviation in pixels of the border in which filling and known pixels are blended."""
WORK_WIDTH, WORK_WIDTH_MIN = 200, 160
"""Sources are chosen at this width: enough for a plausible background. The time grows with the hole's pixels: a hole of
more than ``LARGE_HOLE`` of the picture, most of which the character covers, is filled at a smaller one."""
LARGE_HOLE = 0.15
GUIDE_WIDTH = 200
"""Width of the picture in which lines are continued into the hole. At half of it, the stripes of a floor and the edge
of a door are a pixel or two wide, and are lost. Chosen by eye on the development clips."""
WORK_HEIGHT_MIN = 16
"""Smallest height in pixels of the small picture, for very wide pictures. Chosen by eye on the development clips."""
HOLE_SHARE_MIN = 1e-6
"""Smallest share of the picture of a hole, as a divisor."""
WEIGHT_MIN = 1e-8
"""Share of known pixels and weight of copies (0-1) below which there is nothing."""
SOURCE_MIN = 0.05
"""Smallest known share of the picture from which parts are copied."""
DIFFUSION_RADIUS = 3
"""Reach in pixels of the small picture of Telea's inpainting."""
SLIVER_MAX = 0.006
"""Share of the picture up to which a hole is a sliver next to a part that is filled already, and only diffused."""
OTHER_MIN = 45.0
"""Levels of difference from which a copy and its surroundings are two things, not one in two lights."""
LIGHT_SIDE, LIGHT_CHANGE, LIGHT_LEVELS = (9, 9), (5, 5), 12.0
"""Squares, in pixels of the small picture, in which copies are compared with the guide, and over which the change of
light is spread; levels (0-255) of difference from which a copy is another thing. Measured on drawn scenes."""
OVERLAPS = (-1, 0, 1)
"""Steps, in pixels of the small picture, to the neighbours in rows and columns whose copies are blended at a pixel."""


@dataclass(frozen=True, kw_only=True)
class _Copies:
    """How known pixels are copied into a hole, at the small size (h, w)."""

    found: Completion  # the places that are copied
    plain: Floats  # (h, w) 0-1 share that is not copied, because the surroundings are plain
    light: Floats  # (h, w, 3) levels to add to copied pixels


def fill_holes(image: Image, known: Mask, forbidden: Mask) -> Image:
    """Fill ``image`` (H, W, 3) where not ``known``, copying nothing from where ``forbidden`` (bystanders).

    Sources are chosen at a small size; their pixels are copied in the picture, in the light beside the hole.
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
    if hole.mean() <= SLIVER_MAX:
        filled = cv2.inpaint(low, hole.astype(np.uint8) * np.uint8(255), DIFFUSION_RADIUS, cv2.INPAINT_TELEA)
        return _laid_in(image, known, np.asarray(filled, np.uint8), None)
    lab = np.asarray(cv2.cvtColor(low, cv2.COLOR_RGB2Lab), np.uint8)
    guide = _guide(lab, hole | taken)
    found = complete(lab, hole, source, guide)
    rough = np.asarray(cv2.cvtColor(guide, cv2.COLOR_Lab2RGB), np.uint8)
    if found is None:
        return _laid_in(image, known, rough, None)
    smooth, plain = rough.astype(np.float32), plainness(low, hole)
    filled = np.asarray(cv2.cvtColor(found.picture, cv2.COLOR_Lab2RGB), np.float32)
    light = _light(filled, smooth, hole)
    filled += light
    filled += (smooth - filled) * plain[..., None]
    copies = _Copies(found=found, plain=plain, light=light)
    return _laid_in(image, known, np.clip(filled + 0.5, 0, 255).astype(np.uint8), copies)


def _guide(lab: Image, hole: Mask) -> Image:
    """(h, w, 3) roughly what is in the ``hole`` (h, w) of ``lab`` (h, w, 3): lines that enter it go on."""
    height, width = hole.shape
    size = GUIDE_WIDTH, max(1, round(height * GUIDE_WIDTH / width))
    known = (~hole).astype(np.float32)
    share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(lab * known[..., None], size, interpolation=cv2.INTER_AREA)
    small /= np.maximum(share, WEIGHT_MIN)[..., None]
    rough = continue_lines(np.asarray(small, np.float32), share < WHOLE_MIN)
    large = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(large + np.float32(0.5), 0, 255).astype(np.uint8)


def _light(filled: Floats, smooth: Floats, hole: Mask) -> Floats:
    """(h, w, 3) levels to add to what was copied, ``filled`` (h, w, 3), in the ``hole`` (h, w).

    Copies of parts of a wall in unlike light meet in edges. Where on average they are nearly as ``smooth`` (h, w, 3),
    they become so. A larger difference is another thing.
    """
    difference = cv2.blur(smooth - filled, LIGHT_SIDE)
    largest = np.abs(difference).max(-1) / np.float32(LIGHT_LEVELS)
    share = cv2.blur(np.exp(-largest * largest), LIGHT_CHANGE) * hole
    return np.asarray(difference * share[..., None], np.float32)


def _laid_in(image: Image, known: Mask, filled: Image, copies: _Copies | None) -> Image:
    """``image`` with what is not ``known`` completed; only boxes around that are computed.

    ``filled`` (h, w, 3), small, is enlarged; where ``copies`` lead to known pixels, those are copied instead.
    """
    result = image.copy()
    for x0, y0, x1, y1 in boxes_about(~known, SEAM_REACH):
        here = np.s_[y0:y1, x0:x1]
        large = _enlarged(image, known, filled, copies, (x0, y0, x1, y1))
        # Inside the hole the filling alone; towards it a soft border, so that no seam shows.
        inside = known[here].astype(np.float32)
        weight = (cv2.GaussianBlur(inside, (0, 0), SOFT_SIGMA) * inside)[..., None]
        result[here] = np.clip(image[here] * weight + large.astype(np.float32) * (1 - weight) + 0.5, 0, 255)
    return result


def _enlarged(image: Image, known: Mask, filled: Image, copies: _Copies | None, box: PixelBox) -> Image:
    """``filled`` in ``box`` at the size of ``image``, as ``_laid_in`` needs it."""
    height, width = known.shape
    x0, y0, x1, y1 = box
    here, size = np.s_[y0:y1, x0:x1], (x1 - x0, y1 - y0)
    zoom_x, zoom_y = filled.shape[1] / width, filled.shape[0] / height
    to_small = np.array([[zoom_x, 0, (x0 + 0.5) * zoom_x - 0.5], [0, zoom_y, (y0 + 0.5) * zoom_y - 0.5]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    large = np.asarray(cv2.warpAffine(filled, to_small, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    if copies is None:
        return large
    copied, weight = _copied(image, known, copies.found, to_small, box)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    changes = np.dstack([copies.light, copies.plain])
    changes = cv2.warpAffine(changes, to_small, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    copied = np.asarray(cv2.add(copied, changes[..., :3], dtype=cv2.CV_8U), np.uint8)
    share = np.where(weight > WEIGHT_MIN, 1 - changes[..., 3], 0)[..., None]
    large = np.clip(large + (copied - large.astype(np.float32)) * share + 0.5, 0, 255).astype(np.uint8)
    unlike = cv2.blur(cv2.absdiff(large, image[here]).max(-1).astype(np.float32), (LIGHT_STEP, LIGHT_STEP))
    shared = (known[here] & (weight > WEIGHT_MIN) & (unlike < OTHER_MIN)).astype(np.uint8) * np.uint8(255)
    return match_light(large, image[here], shared)


def _copied(
    image: Image, known: Mask, found: Completion, to_small: NDArray[np.float64], box: PixelBox
) -> tuple[Image, Floats]:
    """In ``box`` (x0, y0, x1, y1), the known pixels of ``image`` to which the steps lead (h, w, 3), and their weight.

    Several patches lie over a pixel; each says another source. Where they agree the copy is sharp.
    """
    x0, y0, x1, y1 = box
    zoom = to_small.diagonal()
    columns, rows = np.meshgrid(np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32))
    steps = [(found.steps[..., axis] / zoom[1 - axis]).round().astype(np.float32) for axis in range(2)]
    across = _neighbours(zoom[0] * np.arange(x1 - x0) + to_small[0, 2], found.weight.shape[1])
    down = _neighbours(zoom[1] * np.arange(y1 - y0) + to_small[1, 2], found.weight.shape[0])
    # Four channels: what is known counts 1, so that the sums of weights come with those of colours.
    sure = known.view(np.uint8)
    source = cv2.merge([*cv2.split(cv2.copyTo(image, sure)), sure])
    total = np.zeros((*rows.shape, 4), np.float32)
    for row, near_row in down:
        for column, near_column in across:
            right, below = (step[row].take(column, axis=1) for step in steps[::-1])
            weight = found.weight[row].take(column, axis=1) * (near_row[:, None] * near_column)
            copied = cv2.remap(source, columns + right, rows + below, cv2.INTER_NEAREST)
            cv2.add(total, cv2.multiply(copied, cv2.merge([weight] * 4), dtype=cv2.CV_32F), dst=total)
    weight = total[..., 3]
    mean = total[..., :3] / np.maximum(weight, WEIGHT_MIN)[..., None]
    return np.clip(mean + np.float32(0.5), 0, 255).astype(np.uint8), weight


def _neighbours(places: NDArray[np.float64], count: int) -> list[tuple[NDArray[np.intp], Floats]]:
    """The pixels, of ``count`` along one axis, about each of the ``places`` (N,), and weights that fall with distance.

    A pixel has lost all its weight where it is a neighbour no more: copies change over without an edge.
    """
    nearest = np.floor(places + 0.5).astype(np.intp)
    result: list[tuple[NDArray[np.intp], Floats]] = []
    for offset in OVERLAPS:
        weight = 1 - np.abs(nearest + offset - places) / (OVERLAPS[-1] + 0.5)
        result.append((np.clip(nearest + offset, 0, count - 1), weight.astype(np.float32)))
    return result
