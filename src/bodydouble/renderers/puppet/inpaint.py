"""What was never seen: a plausible background for the holes of a plate."""

import cv2
import numpy as np
from numpy.typing import NDArray

WORK_WIDTH = 240
"""Patches are moved at this width: enough for a plausible background, and some 50 ms."""

SLIVER_MAX = 0.006
"""Share of the picture up to which a hole is a sliver at the edge of what was filled before, with nothing to invent."""


def fill_holes(
    image: NDArray[np.float32], known: NDArray[np.bool_], forbidden: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Fill ``image`` (H, W, 3) 0-255 where not ``known``, copying nothing from where ``forbidden`` (bystanders).

    Shift-map inpainting (Pritch et al., "Shift-Map Image Editing", ICCV 2009) of opencv-contrib at a small size,
    blended softly into the known pixels, with the known part's grain.
    """
    height, width = known.shape
    w, h = WORK_WIDTH, max(16, round(height * WORK_WIDTH / width))
    share = cv2.resize(known.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
    low = (
        cv2.resize(image * known[..., None], (w, h), interpolation=cv2.INTER_AREA) / np.maximum(share, 1e-3)[..., None]
    )
    low = np.clip(low, 0, 255).astype(np.uint8)
    taken = cv2.resize(forbidden.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST) > 0
    source = (share > 0.98) & ~taken
    if source.mean() < 0.05:
        return image
    filled = _shift_map(low, source) if (share <= 0.98).mean() > SLIVER_MAX else _diffused(low, share > 0.98)
    filled = np.where((share > 0.98)[..., None], low, filled).astype(np.float32)
    large = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC)
    large = large + _grain(image, known)
    # Inside the hole the filling alone; towards it a soft border, so that no seam shows.
    soft = cv2.GaussianBlur(known.astype(np.float32), (0, 0), 3) * known
    weight = np.clip(soft, 0, 1)[..., None]
    return np.clip(image * weight + large * (1 - weight), 0, 255).astype(np.float32)


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
    return np.asarray(cv2.cvtColor(result, cv2.COLOR_Lab2RGB), np.uint8)


def _grain(image: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H, W, 1) noise as strong as the known part's finest detail, at most 3 levels; always the same."""
    grey = image.mean(2)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.0)
    strength = min(float(np.median(np.abs(fine[known]))) * 1.48, 3.0) if known.any() else 0.0
    return np.random.default_rng(0).normal(0, strength, (*known.shape, 1)).astype(np.float32)
