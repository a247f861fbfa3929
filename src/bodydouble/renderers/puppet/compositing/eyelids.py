"""Closed eyes: the lid's skin over them, and the lashes' line below it.

The face mesh closes an eye by pressing its opening together; of a picture with open eyes that leaves the iris, lashes
and shadow of the open eye as a dark band. Skin from above and below is painted over it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte, Points
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.painting import SUBPIXEL_BITS, fixed_point

Colour = NDArray[np.float32]

CREASES = ((247, 30, 29, 27, 28, 56, 190), (414, 286, 258, 257, 259, 260, 467))
"""Face mesh points of the fold above each eye's lid, from image left to right; the eye at image left first."""
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
"""Points of the lower lid's edge, from corner to corner."""
ABOVE = ((225, 224, 223, 222, 221), (441, 442, 443, 444, 445))
"""Points of the skin between brow and fold."""
BELOW = ((110, 24, 23, 22), (252, 253, 254, 339))
"""Points of the skin below the lower lid."""
SHUT, HALF_OPEN = 0.14, 0.32
"""Openings of the lids (1 is open) at which the skin covers an eye completely, and not at all. Between them iris and
lid are seen through each other: a short way. Chosen by eye."""
LID_SHADE = 0.94
"""Brightness of a lid over that of the skin around: it curves away from the light."""
CHEEKS = ((117, 118, 50, 101, 205), (346, 347, 280, 330, 425))
"""Points of the cheek below each eye."""
LIGHT_MIN = 0.9
"""Brightness of the skin above and below an eye over that of its cheek, at least: a brow and its shadow, lashes or hair
lie there, and a lid stands out of them. Chosen by eye on paintings and on eyes narrowed by a smile."""
PAINTED = (0.58, 0.72)
"""Brightness of the lightest point above and below a shut eye over its cheek's, between which the eye's surroundings
come to be dark all around, and the lid with them: make-up, or a deep socket. Measured: .55 in black make-up, .76 and
more below brows, bangs and in paintings."""
FOLD_LIGHT = 0.8
"""Brightness of the skin above a lid over ``LIGHT_MIN``, at least: the fold below a brow lies in its shade."""
OTHER_HUE = 0.4
"""Share by which skin is too dark from which its hue is a brow's or make-up's, and no lid's."""
LASH_SHADE, LASH_WIDTH = 0.5, 0.045
"""Brightness of the lashes over the lid's, and their line's greatest thickness in eye widths."""
LASH_SHAPE = (0.25, 0.8, 1.0, 1.0, 0.5)
"""Thickness of that line at even steps from the inner to the outer corner, over the greatest."""
FEATHERS = (0.3, 0.5, 0.7, 0.9)
"""Shares of the way from the fold up to the skin below the brow at which painted skin becomes less: the lashes of the
open eye lie there, and an edge at the fold would show."""
BELOW_EDGE = 0.035
"""Eye widths that painted skin reaches below the lid's edge: its own edge is soft, and the white would shine
through."""
STREAK = 0.14
"""Eye widths of the dark streaks that are taken away above a shut lid, at most: lashes of the open eye are drawn out
there."""
SOFT = 0.06
"""Standard deviation of the painted skin's edge, in eye widths."""
SOFT_PIXELS = 1.0
"""Pixels of that, at least."""
SOFT_REACH = 4
"""Standard deviations of that edge that the painted box reaches beyond the lid: farther out it has no weight."""
TINY = 1e-6
"""Squared distances in pixels below it count as zero."""
LASH_SOFT, LASH_SOFT_PIXELS = 0.025, 0.6
"""Standard deviation of the lashes' edge in eye widths, and the smallest one of the lashes' and the skin's edge: in a
close-up a hard line looks pasted on."""
WIDTH_MIN_PIXELS = 5.0
"""Narrower eyes are left as the mesh has them."""


def paint_closed_lids(colour: Image, face: Points, lids: NDArray[np.float64], cover: Matte | None) -> None:
    """Paint the lids of closed eyes into ``colour`` (h, w, 3).

    ``face`` (478, 2) px is the face mesh in ``colour``; ``lids`` (2,) are openings, 1 open and 0 shut. ``cover`` (h, w)
    0-255 is what hides the face, or None.
    """
    for eye in range(2):
        closed = float(np.clip((HALF_OPEN - lids[eye]) / (HALF_OPEN - SHUT), 0, 1))
        edge = face[list(LOWER_LIDS[eye])]
        width = float(np.hypot(*(edge[-1] - edge[0])))
        if closed > 0 and width >= WIDTH_MIN_PIXELS:
            _paint_lid(colour, face, eye, width, closed, cover)


def _paint_lid(colour: Image, face: Points, eye: int, width: float, closed: float, cover: Matte | None) -> None:
    fold, edge = face[list(CREASES[eye])], face[list(LOWER_LIDS[eye])]
    above, below = face[list(ABOVE[eye])], face[list(BELOW[eye])]
    down = below.mean(0) - above.mean(0)
    lower_edge = edge + down * (BELOW_EDGE * width / max(float(np.hypot(*down)), TINY))
    # Least at the corners: there the fold meets the skin around the eye.
    raised = (above.mean(0) - fold.mean(0)) * np.sin(np.linspace(0, np.pi, len(fold)))[:, None]
    outlines = [np.concatenate([fold + share * raised, lower_edge[::-1]]) for share in FEATHERS]
    pad = int(np.ceil(SOFT_REACH * max(SOFT_PIXELS, SOFT * width)))
    every = np.concatenate(outlines)
    low = np.maximum(np.floor(every.min(0)).astype(int) - pad, 0)
    high = np.minimum(np.ceil(every.max(0)).astype(int) + pad + 1, [colour.shape[1], colour.shape[0]])
    if (high - low).min() < 2:
        return
    here = np.s_[low[1] : high[1], low[0] : high[0]]
    size = (int(high[1] - low[1]), int(high[0] - low[0]))
    cheek, upper, lower = (_skin_at(colour, face[list(points[eye])]) for points in (CHEEKS, ABOVE, BELOW))
    least = cheek * LIGHT_MIN * _unpainted(colour, np.concatenate([above, below]), cheek)
    lid = _as_light(lower if lower.sum() > upper.sum() else upper, least)
    skin = _between(_as_light(upper, least * FOLD_LIGHT), lid, above, edge, low, size) * LID_SHADE
    weight = np.zeros(size, np.float32)
    mask = np.zeros(size, np.uint8)
    for outline in outlines:
        mask[:] = 0
        cv2.fillPoly(mask, [fixed_point(outline - low)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
        weight += mask
    weight *= np.float32(closed / (255 * len(outlines)))
    weight = np.asarray(cv2.GaussianBlur(weight, (0, 0), max(SOFT_PIXELS, SOFT * width)), np.float32)
    lashes = np.zeros(size, np.uint8)
    cv2.fillPoly(lashes, [fixed_point(_lash_line(edge, down, eye, width) - low)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    dark = cv2.GaussianBlur(lashes, (0, 0), max(LASH_SOFT_PIXELS, LASH_SOFT * width)).astype(np.float32) * np.float32(
        closed / 255
    )
    if cover is not None:
        seen = 1 - cover[here] * np.float32(1 / 255)
        weight, dark = weight * seen, dark * seen
    wide = max(3, round(STREAK * width)) | 1
    bare = cv2.morphologyEx(colour[here], cv2.MORPH_CLOSE, np.ones((1, wide), np.uint8)).astype(np.float32)
    shown = colour[here] + (bare - colour[here]) * np.sqrt(weight)[..., None]
    shown += (skin - shown) * weight[..., None]
    shown += (skin * LASH_SHADE - shown) * dark[..., None]  # in the skin's hue: what is below may be a blue iris
    colour[here] = np.clip(shown + 0.5, 0, 255).astype(np.uint8)


def _lash_line(edge: Points, down: Points, eye: int, width: float) -> Points:
    """(N, 2) px outline of the lashes along the lid's ``edge`` (9, 2), which lie ``down`` (2,) from the brow."""
    shape = np.array(LASH_SHAPE if eye else LASH_SHAPE[::-1])
    thick = np.interp(np.linspace(0, 1, len(edge)), np.linspace(0, 1, len(shape)), shape)
    # Thinner than a pixel, a line would break.
    half = down / max(float(np.hypot(*down)), TINY) * np.maximum(LASH_WIDTH * width * thick, 1)[:, None] / 2
    return np.concatenate([edge - half, (edge + half)[::-1]])


def _unpainted(colour: Image, around: Points, cheek: Colour) -> np.float32:
    """0-1: how far the lightest of the points ``around`` (N, 2) an eye is as light as its ``cheek`` (3,)."""
    at = np.clip(np.round(around).astype(int), 0, [colour.shape[1] - 1, colour.shape[0] - 1])
    lightest = float(colour[at[:, 1], at[:, 0]].mean(1).max()) / max(float(cheek.mean()), 1.0)
    return np.float32(smoothstep(*PAINTED, lightest))


def _skin_at(colour: Image, points: Points) -> Colour:
    """(3,) the median colour at ``points`` (N, 2): a lash or a wisp of hair among them does not count."""
    at = np.clip(np.round(points).astype(int), 0, [colour.shape[1] - 1, colour.shape[0] - 1])
    return np.asarray(np.median(colour[at[:, 1], at[:, 0]], axis=0), np.float32)


def _as_light(skin: Colour, least: Colour) -> Colour:
    """(3,) ``skin`` (3,) at least as light as ``least`` (3,), and the more of its hue the darker it is."""
    lack = float(least.sum()) / max(float(skin.sum()), 1.0)
    share = min(max((lack - 1) / OTHER_HUE, 0.0), 1.0)
    return skin if lack <= 1 else np.asarray(skin * (lack * (1 - share)) + least * share, np.float32)


def _between(
    upper: Colour, lower: Colour, above: Points, below: Points, corner: NDArray[np.int64], size: tuple[int, int]
) -> Colour:
    """(h, w, 3) from the ``upper`` colour at the points ``above`` to the ``lower`` one at those ``below``."""
    start, stop = above.mean(0), below.mean(0)
    down = (stop - start) / max(float((stop - start) @ (stop - start)), TINY)
    ys, xs = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    share = np.clip((xs + corner[0] - start[0]) * down[0] + (ys + corner[1] - start[1]) * down[1], 0, 1)
    return np.asarray(upper + (lower - upper) * share[..., None], np.float32)
