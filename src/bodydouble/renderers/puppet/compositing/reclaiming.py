"""Pieces of other people that the removed person's matte claims: they go back to the others.

The pose network's segmentation spills onto somebody who touches the person. Such a piece is away from what the person's
own landmarks cover, has not rather the person's colours, and more of its outline is somebody else's than the person's.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask, MaskImage, Matte
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.renderers.puppet.compositing.colours import LEVELS, colour_codes
from bodydouble.renderers.puppet.compositing.occlusion import OUTSIDE, part_labels
from bodydouble.renderers.puppet.compositing.reduction import reduced
from bodydouble.renderers.puppet.compositing.removal import VISIBLE_MIN, shoulder_width
from bodydouble.renderers.puppet.discs import disc, distance_to

STEP = 2
"""Pixels of the frame for one of the picture in which pieces are told apart."""
FAR = 0.2
"""Shoulder widths about the person's parts, which are as wide as clothes, in which no piece begins."""
BODY = 0.3
"""Shoulder widths: radius of what is in somebody's body. Locks of hair and rims of sleeves are narrower."""
AREA_MIN = 0.03
"""Squared shoulder widths of a piece, at least: smaller ones are cloth that hangs loose."""
RATIO_MIN, RARE, MIXED = 0.5, 0.002, (5, 5)
"""Logarithm of how much more often the person has a colour than the others, from which it is rather the person's. Share
that is added to each colour's, because rarer ones say nothing. Square of pixels whose mean decides."""
HALF = 127
"""Level (0-255) of a reduced mask from which a pixel is in it."""
AROUND = np.ones((3, 3), np.uint8)
"""What widens a piece by its outline."""
FOREARMS = (
    (BodyPoint.LEFT_ELBOW, (BodyPoint.LEFT_WRIST, BodyPoint.LEFT_INDEX)),
    (BodyPoint.RIGHT_ELBOW, (BodyPoint.RIGHT_WRIST, BodyPoint.RIGHT_INDEX)),
)
"""Elbows, and what of an arm is guessed far off where it is hidden."""


def reclaimed(
    image: Image, claimed: Matte, others: Matte, body: NDArray[np.floating], visibility: NDArray[np.floating]
) -> Matte | None:
    """(h, w) 0 or 255: what of ``claimed`` belongs to somebody among the ``others``; None where nothing does.

    ``claimed`` (h, w) is what both the person's matte and a mask of everybody hold, ``others`` (h, w) what only the
    latter does, of ``image`` (h, w, 3). ``body`` (33, 2) are the person's landmarks in its pixels, and ``visibility``
    (33,) 0-1 is the landmarks'. Hidden hands are left out: the network guesses them in whoever hides them.
    """
    size, unit = (claimed.shape[1] // STEP, claimed.shape[0] // STEP), shoulder_width(body) / STEP
    if min(size) < 1 or not np.isfinite(body).all():
        return None
    mine, somebody = (np.asarray(reduced(mask, STEP) > HALF, np.uint8) for mask in (claimed, others))
    seen = body / STEP
    for elbow, hand in FOREARMS:
        seen[[joint for joint in hand if visibility[joint] < VISIBLE_MIN]] = seen[elbow]
    place = part_labels(seen, size) != OUTSIDE
    far = mine & (distance_to(place) > FAR * unit).view(np.uint8)
    if np.count_nonzero(far) < AREA_MIN * unit * unit:
        return None
    # A rim of the person that the matte misses is nobody.
    bodies = cv2.erode(somebody, disc(BODY * unit, 1))
    if not bodies.any():
        return None
    each = np.asarray(cv2.connectedComponents(somebody)[1], np.int32)
    somebody = np.isin(each, np.unique(each[bodies > 0])).view(np.uint8)
    own = _rather(np.ascontiguousarray(reduced(image, STEP)), mine & place.view(np.uint8), somebody)
    far[own] = 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(far)
    label, found = np.asarray(labels, np.int32), np.zeros_like(mine)
    for k in range(1, count):
        x, y, w, h, area = stats[k].tolist()
        here = np.s_[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1]
        piece = (label[here] == k).view(np.uint8)
        outline = cv2.dilate(piece, AROUND) > piece
        shared = np.count_nonzero(somebody[here][outline])
        if area >= AREA_MIN * unit * unit and shared > np.count_nonzero(mine[here][outline]):
            found[here][piece > 0] = 255
    if not found.any():
        return None
    # A piece goes on up to what the landmarks cover.
    wide = np.where(place | own, 0, cv2.dilate(found, disc(FAR * unit, 1))).astype(np.uint8)
    result = np.zeros_like(claimed)
    whole = STEP * size[0], STEP * size[1]
    result[: whole[1], : whole[0]] = cv2.resize(wide, whole, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.min(result, claimed), np.uint8)


def _rather(image: Image, mine: MaskImage, others: MaskImage) -> Mask:
    """(h, w) where ``image`` (h, w, 3) has rather colours of the pixels ``mine`` (h, w) than of ``others`` (h, w)."""
    codes = colour_codes(image)
    own, theirs = (
        np.bincount(codes[mask > 0], minlength=LEVELS**3) / max(cv2.countNonZero(mask), 1) for mask in (mine, others)
    )
    leaning = np.log((own + RARE) / (theirs + RARE)).astype(np.float32)
    return np.asarray(cv2.blur(leaning.take(codes), MIXED) > RATIO_MIN, np.bool_)
