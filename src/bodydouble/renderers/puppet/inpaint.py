"""What was never seen: a plausible background for the holes of a plate."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

WHOLE_MIN = 0.98
"""Known share from which on a small picture's pixel counts as known."""
SOFT_SIGMA, SOFT_REACH = 3.0, 12
"""Of the border, in pixels, in which filling and known pixels are blended."""
BLUR_SIGMA = 0.6
"""Of what is filled in, in pixels at ``WORK_WIDTH``."""
WORK_WIDTH, WORK_WIDTH_MIN = 240, 120
"""Patches are moved at this width: enough for a plausible background. Its time grows with the hole's pixels: a hole of
more than ``LARGE_HOLE`` of the picture, most of which the character covers, is filled at a smaller one."""
LARGE_HOLE = 0.1

SLIVER_MAX = 0.006
"""Share of the picture up to which a hole is a sliver at the edge of what was filled before, with nothing to invent."""


def fill_holes(image: Image, known: NDArray[np.bool_], forbidden: NDArray[np.bool_]) -> Image:
    """Fill ``image`` (H, W, 3) where not ``known``, copying nothing from where ``forbidden`` (bystanders).

    Shift-map inpainting (Pritch et al., "Shift-Map Image Editing", ICCV 2009) of opencv-contrib at a small size,
    blended softly into the known pixels, with the known part's grain.
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
    filled = _shift_map(low, source) if hole.mean() > SLIVER_MAX else _diffused(low, ~hole)
    # What is made up is out of focus rather than ragged.
    filled = cv2.GaussianBlur(cv2.medianBlur(filled, 5), (0, 0), BLUR_SIGMA)
    filled = np.where(hole[..., None], filled, low).astype(np.float32)
    return _laid_in(image, known, filled, _grain_level(image, known))


def _laid_in(image: Image, known: NDArray[np.bool_], filled: NDArray[np.float32], grain: float) -> Image:
    """``filled``, small, enlarged into what is not ``known``; only the box around that is computed."""
    height, width = known.shape
    x, y, w, h = cv2.boundingRect((~known).astype(np.uint8))
    x0, y0, x1, y1 = (
        max(0, x - SOFT_REACH),
        max(0, y - SOFT_REACH),
        min(width, x + w + SOFT_REACH),
        min(height, y + h + SOFT_REACH),
    )
    zoom_x, zoom_y = filled.shape[1] / width, filled.shape[0] / height
    matrix = np.array([[zoom_x, 0, (x0 + 0.5) * zoom_x - 0.5], [0, zoom_y, (y0 + 0.5) * zoom_y - 0.5]])
    large = cv2.warpAffine(
        filled,
        matrix,
        (x1 - x0, y1 - y0),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    large += np.random.default_rng(0).normal(0, grain, (*large.shape[:2], 1)).astype(np.float32)
    # Inside the hole the filling alone; towards it a soft border, so that no seam shows.
    here = known[y0:y1, x0:x1].astype(np.float32)
    weight = (cv2.GaussianBlur(here, (0, 0), SOFT_SIGMA) * here)[..., None]
    result = image.copy()
    result[y0:y1, x0:x1] = np.clip(image[y0:y1, x0:x1] * weight + large * (1 - weight) + 0.5, 0, 255)
    return result


def _diffused(image: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Telea's fast marching inpainting: what a few pixels' width needs, and forty times as fast."""
    return np.asarray(cv2.inpaint(image, np.where(known, 0, 255).astype(np.uint8), 3, cv2.INPAINT_TELEA), np.uint8)


def _shift_map(image: NDArray[np.uint8], source: NDArray[np.bool_]) -> NDArray[np.uint8]:
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
    return _diffused(filled, ~left) if left.any() else filled


def _grain_level(image: Image, known: NDArray[np.bool_]) -> float:
    """Standard deviation of the known part's finest detail, at most 3 levels."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.0))[::2, ::2][known[::2, ::2]]
    return min(float(np.median(fine)) * 1.48, 3.0) if len(fine) else 0.0
