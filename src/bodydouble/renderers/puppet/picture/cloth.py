"""Cloth that an arm or hand covers, made up with the texture of the cloth beside it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.renderers.puppet.exemplar import fill_by_patches
from bodydouble.renderers.puppet.picture.regions import opened

DEEP = 0.25
"""Decimetres: narrower gaps show no texture. Chosen by eye on pictures with hands before the chest."""
SOURCE_REACH = 1.2
"""Decimetres around a gap in which cloth is looked for."""
PIXELS_MAX = 5000
"""Pixels of a gap at which patches are chosen: the time grows with them. Larger gaps are reduced for it."""
SOURCE_MIN = 0.5
"""Area of the cloth beside a gap, over the gap's, below which there is none to copy."""
TEXTURE_SIGMA = 0.15
"""Standard deviation in decimetres of the blur that parts texture from light: finer detail is copied, what is coarser
stays as it is."""
MIDDLE = 128
"""Level of a pixel without detail."""
WHOLE = 0.98
"""Share of a reduced pixel that is cloth from which on it is cloth."""
WEIGHT_MIN = 1e-3
"""Smallest share of cloth that is divided by."""


def with_texture(colour: Floats, gap: Mask, cloth: Mask, scale: float) -> Floats:
    """``colour`` (h, w, 3) 0-255 with the texture of ``cloth`` (h, w) in the deep parts of the ``gap`` (h, w).

    Light and shade in the gap stay: only detail is copied. ``scale`` is the px of a decimetre.
    """
    deep = gap & opened(gap, DEEP * scale)
    x, y, w, h = cv2.boundingRect(deep.astype(np.uint8))
    if w == 0:
        return colour
    reach = round(SOURCE_REACH * scale)
    here = np.s_[max(0, y - reach) : y + h + reach, max(0, x - reach) : x + w + reach]
    hole, source, part = deep[here], cloth[here] & ~gap[here], colour[here]
    if np.count_nonzero(source) < SOURCE_MIN * np.count_nonzero(hole):
        return colour
    detail = detail_of(part, source, scale)
    steps, found = _steps(detail, hole, source)
    rows, columns = np.nonzero(hole)
    down, across = rows + steps[rows, columns, 1], columns + steps[rows, columns, 0]
    inside = (down >= 0) & (down < len(hole)) & (across >= 0) & (across < hole.shape[1]) & found[rows, columns]
    inside[inside] = source[down[inside], across[inside]]
    rows, columns, down, across = (numbers[inside] for numbers in (rows, columns, down, across))
    result = colour.copy()
    result[here][rows, columns] = np.clip(part[rows, columns] + detail[down, across], 0, 255)
    return result


def detail_of(colour: Floats, source: Mask, scale: float) -> Floats:
    """(h, w, 3) what ``colour`` has of detail, from the ``source`` (h, w) alone; elsewhere without meaning."""
    sigma = max(TEXTURE_SIGMA * scale, 1.0)
    weight = cv2.GaussianBlur(source.astype(np.float32), (0, 0), sigma)
    mean = cv2.GaussianBlur(colour * source[..., None].astype(np.float32), (0, 0), sigma)
    return np.asarray(colour - mean / np.maximum(weight, WEIGHT_MIN)[..., None], np.float32)


def _steps(detail: Floats, hole: Mask, source: Mask) -> tuple[NDArray[np.intp], Mask]:
    """(h, w, 2) px x, y from each pixel of the ``hole`` (h, w) to the one it is copied from, and where there is one."""
    height, width = hole.shape
    zoom = min(1.0, (PIXELS_MAX / np.count_nonzero(hole)) ** 0.5)
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    plain = np.where(source[..., None], detail, 0).astype(np.float32)
    small = np.clip(cv2.resize(plain, size, interpolation=cv2.INTER_AREA) + MIDDLE, 0, 255).astype(np.uint8)
    wanted = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    share = cv2.resize(source.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    known = (share > WHOLE) & ~wanted
    filling = fill_by_patches(small, known, ~known & ~wanted)
    steps = cv2.resize(filling.steps.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST) / zoom
    found = cv2.resize(filling.known.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    return np.round(steps).astype(np.intp), found
