"""The character's cut-out: the person of the reference image with exact outlines."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from cv2.typing import MatLike

from bodydouble.perception import Portrait
from bodydouble.perception.arrays import Floats, Image, Mask
from bodydouble.renderers.puppet.picture.backdrop import with_backdrop
from bodydouble.renderers.puppet.picture.matting import closed_form_alpha, estimate_foreground
from bodydouble.renderers.puppet.picture.regions import REDUCED_SIDE_MIN, widened
from bodydouble.tasks.atomic_files import atomic_file

MATTING_SIDE_MAX = 720
"""Longer side at which the matting is solved: its cost grows with the band's pixels, its gain does not."""
FAINT, SOLID = 0.14, 0.94
"""Alpha (0-1) of the solver up to which a pixel is background, and from which it is the person. Chosen by eye."""
BAND = 70
"""The mask's sure parts are shrunk by a 70th of the height, about as far as its outline is off. Chosen by eye."""
MASK_SURE, MASK_NEVER = 0.85, 0.12
"""Mask (0-1) from which a pixel is surely the person, and up to which surely not."""
FOOT_SURE, FOOT_BAND, FOOT_APART = 0.8, 140, 3
"""``MASK_SURE`` and ``BAND`` about the feet, and pixels that stay unknown beside the background there: the usual band
holds most of a narrow shoe, and a shoe of the floor's colour would be half transparent. Chosen by eye on seventeen
pictures."""
PIECE_ALPHA = 0.1
"""Alpha from which pixels are connected with each other."""
CACHE_NAME = "cutout.npz"


@dataclass(frozen=True, kw_only=True)
class Cutout:
    """The reference image's person: ``alpha`` (h, w) 0-1, ``colour`` (h, w, 3) 0-255 of the foreground alone."""

    alpha: Floats
    colour: Floats


def resized(image: Image, zoom: float) -> Image:
    """``image`` (h, w, 3) reduced by ``zoom``; never enlarged."""
    return image if zoom >= 1 else np.asarray(np.round(shrunk(image.astype(np.float32), zoom)), np.uint8)


def shrunk(image: Floats, zoom: float) -> Floats:
    """``image`` (h, w, ...) reduced by ``zoom``, each side to at least ``REDUCED_SIDE_MIN`` pixels; never enlarged."""
    if zoom >= 1:
        return image
    size = (max(REDUCED_SIDE_MIN, round(image.shape[1] * zoom)), max(REDUCED_SIDE_MIN, round(image.shape[0] * zoom)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


def trimap_of(mask: Floats) -> Floats:
    """(h, w) of 0, 0.5 and 1 from a coarse mask 0-1; the unknown band is about a 35th of the height wide."""
    disc = _band(mask, BAND)
    sure, never = _shrunk_by(disc, mask > MASK_SURE), _shrunk_by(disc, mask < MASK_NEVER)
    return np.where(sure > 0, 1.0, np.where(never > 0, 0.0, 0.5)).astype(np.float32)


def _band(mask: Floats, share: int) -> MatLike:
    """A disc whose diameter is the height of ``mask`` (h, w) over ``share``."""
    size = max(3, mask.shape[0] // share) | 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def _shrunk_by(disc: MatLike, mask: Mask) -> MatLike:
    """``mask`` (h, w) as 0 and 1, shrunk by ``disc`` but not at the picture's border."""
    return cv2.erode(mask.astype(np.uint8), disc, borderType=cv2.BORDER_REPLICATE)


def surer_feet(trimap: Floats, mask: Floats, feet: Mask) -> Floats:
    """``trimap`` (h, w) of 0, 0.5 and 1 with a narrower unknown band inside the ``feet`` (h, w) of a ``mask`` 0-1."""
    disc = _band(mask, FOOT_BAND)
    sure = cv2.morphologyEx(_shrunk_by(disc, mask > FOOT_SURE), cv2.MORPH_OPEN, disc) > 0
    return np.where(feet & sure & ~widened(trimap == 0, FOOT_APART), 1, trimap).astype(np.float32)


def largest_piece(alpha: Floats) -> Floats:
    """``alpha`` without the islands that are not connected with its largest part."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > PIECE_ALPHA).astype(np.uint8))
    if count <= 2:
        return alpha
    main = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    near = cv2.dilate((labels == main).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.where(near > 0, alpha, 0).astype(np.float32)


def cut_out(image: Image, portrait: Portrait, bones: Mask, feet: Mask | None = None) -> Cutout:
    """The person that the masks of ``portrait`` (h, w) mark in ``image`` (h, w, 3).

    Before an even backdrop colours decide about all that the mask found, elsewhere passes of the network vote on it.
    ``bones`` (h, w): pixels that are surely within the person. ``feet`` (h, w): pixels about the feet, if any.
    """
    height, width = portrait.mask.shape
    zoom = min(1.0, MATTING_SIDE_MAX / max(height, width))
    size = (max(REDUCED_SIDE_MIN, round(width * zoom)), max(REDUCED_SIDE_MIN, round(height * zoom)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    mask, agreed = (
        np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_AREA), np.float32)
        for coarse in (portrait.mask, portrait.agreed)
    )
    inner = cv2.resize(bones.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    trimap = with_backdrop(trimap_of(mask), small, inner)
    trimap = trimap_of(agreed) if trimap is None else trimap
    if feet is not None:
        near = cv2.resize(feet.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        trimap = surer_feet(trimap, mask, near)
    alpha = closed_form_alpha(small, trimap)
    full = np.asarray(cv2.resize(largest_piece(alpha), (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    # A faint veil over the whole band comes from the solver, not from hair.
    full = np.clip((full - FAINT) / (SOLID - FAINT), 0, 1).astype(np.float32)
    return Cutout(alpha=full, colour=estimate_foreground(image, full))


def cached_cut_out(image: Image, portrait: Portrait, bones: Mask, feet: Mask, folder: Path) -> Cutout:
    """The cut-out of ``cut_out``, stored in ``folder`` completely or not at all, and reused from there."""
    path = folder / CACHE_NAME
    if path.is_file():
        with np.load(path) as stored:
            if stored["alpha"].shape == portrait.mask.shape:
                return Cutout(alpha=stored["alpha"], colour=stored["colour"].astype(np.float32))
    made = cut_out(image, portrait, bones, feet)
    made = Cutout(alpha=made.alpha, colour=np.round(made.colour).astype(np.float32))
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as part, part.open("wb") as file:
        np.savez_compressed(file, alpha=made.alpha, colour=made.colour.astype(np.uint8))
    return made
