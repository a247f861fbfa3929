"""The key plates of a shot complete each other: what one of them lacks, an earlier or a later one may show.

Only what none of them shows is made up, once, and carried on from plate to plate. A hole that is filled before all is
known about it would be larger than it has to be, and its filling would stay beside what later plates show.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask, PixelBox
from bodydouble.renderers.puppet.compositing.inpaint import fill_holes
from bodydouble.renderers.puppet.compositing.plain import plain_places
from bodydouble.renderers.puppet.compositing.registration import CameraPath
from bodydouble.renderers.puppet.compositing.seams import SEAM_REACH, match_light
from bodydouble.renderers.puppet.compositing.stored_plates import cut_to, plate_path
from bodydouble.tasks.atomic_files import atomic_file

WHOLE_ALPHA = 252
"""Alpha (0-255) of a moved plate from which a pixel is the plate's alone: the border is blended."""
SEEN_ALPHA, PLAIN_ALPHA = 255, 150
"""Alpha (0-255) of a plate where some frame shows the background, and where none does, but a plain wall goes on."""


def store_draft(folder: Path, key: int, image: Image, known: Mask) -> None:
    """Keep what frames about ``key`` show, ``image`` (H, W, 3) where ``known`` (H, W), until ``complete_plates``."""
    np.save(_draft_path(folder, key), _with_alpha(image, known.view(np.uint8) * np.uint8(SEEN_ALPHA)))


def complete_plates(
    folder: Path, path: CameraPath, keys: Sequence[int], bystanders: Callable[[int], Mask], *, know_later: bool = False
) -> Iterator[int]:
    """Complete the drafts of ``keys`` and store them as plates; yields the key that it is at.

    ``bystanders`` answers (H, W) where other people are at a key: nothing is copied from there. Drafts that
    ``know_later`` frames already have nothing to learn from later ones.
    """
    neighbour: tuple[int, NDArray[np.uint8]] | None = None
    for key in () if know_later else reversed(keys):
        plate = np.load(_draft_path(folder, key))
        if neighbour is not None and _laid_in(path, *neighbour, key, plate, plate[..., 3] > 0, seen_only=True).any():
            np.save(_draft_path(folder, key), plate)
        neighbour = key, plate
        yield key
    neighbour = None
    for key in keys:
        plate = np.load(_draft_path(folder, key))
        known = plate[..., 3] > 0
        if neighbour is not None:
            known |= _laid_in(path, *neighbour, key, plate, known, seen_only=False)
        if not known.all():
            image, seen = np.ascontiguousarray(plate[..., :3]), plate[..., 3].copy()
            seen[plain_places(image, ~known)] = PLAIN_ALPHA
            plate = _with_alpha(fill_holes(image, known, bystanders(key)), seen)
        with atomic_file(plate_path(folder, key)) as part, part.open("wb") as stream:
            np.save(stream, plate)
        _draft_path(folder, key).unlink()
        neighbour = key, plate
        yield key


def _laid_in(
    path: CameraPath,
    other: int,
    lender: NDArray[np.uint8],
    key: int,
    plate: NDArray[np.uint8],
    known: Mask,
    *,
    seen_only: bool,
) -> Mask:
    """(H, W) where the plate ``lender`` of key ``other`` completes ``plate``, both (H, W, 4), in place.

    Only what is not ``known`` (H, W) of ``plate`` is completed. With ``seen_only``, the lender gives what frames
    showed; without, all that it has.
    """
    added = np.zeros_like(known)
    box = _hole_box(known, SEAM_REACH)
    if box is None:
        return added
    x0, y0, x1, y1 = box
    here, size = np.s_[y0:y1, x0:x1], (x1 - x0, y1 - y0)
    if path.still:
        both, whole = lender[here], np.full(size[::-1], True)
    else:
        matrix = cut_to(box) @ path.between(other, key)
        both = np.asarray(cv2.warpPerspective(lender, matrix, size), np.uint8)
        whole = cv2.warpPerspective(np.full(known.shape, 255, np.uint8), matrix, size) > WHOLE_ALPHA
    lent = whole & (both[..., 3] > WHOLE_ALPHA) if seen_only else whole
    new, shared = lent & ~known[here], (lent & known[here]).view(np.uint8) * np.uint8(255)
    if not new.any():
        return added
    target = plate[here]
    image, colours = (np.ascontiguousarray(x[..., :3]) for x in (target, both))
    target[new] = _with_alpha(match_light(colours, image, shared), both[..., 3])[new]
    added[here] = new
    return added


def _with_alpha(image: Image, alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 4) of ``image`` (H, W, 3) and ``alpha`` (H, W)."""
    return np.asarray(cv2.merge([*cv2.split(image), alpha]), np.uint8)


def _draft_path(folder: Path, key: int) -> Path:
    """The file of what frames about a key show, until its plate is complete."""
    return folder / f"draft-{key:06d}.npy"


def _hole_box(known: Mask, pad: int) -> PixelBox | None:
    """The box around what is not known, ``pad`` pixels wider; None where all is known."""
    x, y, w, h = cv2.boundingRect((~known).view(np.uint8))
    height, width = known.shape
    return (max(0, x - pad), max(0, y - pad), min(width, x + w + pad), min(height, y + h + pad)) if w else None
