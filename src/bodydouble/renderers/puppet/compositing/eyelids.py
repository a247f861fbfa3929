"""Closed eyes: the lid's skin over them, and the lashes' line below it.

The face mesh closes an eye by pressing its opening together; of a picture with open eyes that leaves the iris, lashes
and shadow of the open eye as a dark band. Skin from above and below is painted over it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte, Points
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
SHUT, HALF_OPEN = 0.12, 0.4
"""Openings of the lids (1 is open) at which the skin covers an eye completely, and not at all."""
LID_SHADE = 0.94
"""Brightness of a lid over that of the skin around: it curves away from the light."""
CHEEKS = ((117, 118, 50, 101, 205), (346, 347, 280, 330, 425))
"""Points of the cheek below each eye."""
LIGHT_MIN = 0.9
"""Brightness of the skin above and below an eye over that of its cheek, at least: a brow and its shadow, lashes or hair
lie there, and a lid stands out of them. Chosen by eye on paintings and on eyes narrowed by a smile."""
LASH_SHADE, LASH_WIDTH = 0.42, 0.05
"""Brightness of the lashes over the lid's, and their line's thickness in eye widths."""
SOFT = 0.045
"""Standard deviation of the painted skin's edge, in eye widths."""
SOFT_REACH = 4
"""Standard deviations of that edge that the painted box reaches beyond the lid: farther out it has no weight."""
TINY = 1e-6
"""Squared distances in pixels below it count as zero."""
LASH_SOFT_PIXELS = 0.6
"""Standard deviation of the lashes' edge, and the smallest one of the skin's edge."""
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
    outline = np.concatenate([fold, edge[::-1]])
    pad = int(np.ceil(SOFT_REACH * SOFT * width)) + 2
    low = np.maximum(np.floor(outline.min(0)).astype(int) - pad, 0)
    high = np.minimum(np.ceil(outline.max(0)).astype(int) + pad + 1, [colour.shape[1], colour.shape[0]])
    if (high - low).min() < 2:
        return
    here = np.s_[low[1] : high[1], low[0] : high[0]]
    size = (int(high[1] - low[1]), int(high[0] - low[0]))
    least = _skin_at(colour, face[list(CHEEKS[eye])]) * LIGHT_MIN
    lower, upper = (np.maximum(_skin_at(colour, beside), least) for beside in (below, above))
    skin = _between(upper, lower, above, below, low, size) * LID_SHADE
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [fixed_point(outline - low)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    weight = cv2.GaussianBlur(mask, (0, 0), max(LASH_SOFT_PIXELS, SOFT * width)).astype(np.float32) * np.float32(
        closed / 255
    )
    lashes = np.zeros(size, np.uint8)
    thick = max(1, round(LASH_WIDTH * width))
    cv2.polylines(lashes, [fixed_point(edge - low)], False, 255, thick, cv2.LINE_AA, SUBPIXEL_BITS)
    dark = cv2.GaussianBlur(lashes, (0, 0), LASH_SOFT_PIXELS).astype(np.float32) * np.float32(
        closed * (1 - LASH_SHADE) / 255
    )
    if cover is not None:
        seen = 1 - cover[here] * np.float32(1 / 255)
        weight, dark = weight * seen, dark * seen
    shown = colour[here] + (skin - colour[here]) * weight[..., None]
    colour[here] = np.clip(shown * (1 - dark[..., None]) + 0.5, 0, 255).astype(np.uint8)


def _skin_at(colour: Image, points: Points) -> Colour:
    """(3,) the median colour at ``points`` (N, 2): a lash or a wisp of hair among them does not count."""
    at = np.clip(np.round(points).astype(int), 0, [colour.shape[1] - 1, colour.shape[0] - 1])
    return np.asarray(np.median(colour[at[:, 1], at[:, 0]], axis=0), np.float32)


def _between(
    upper: Colour, lower: Colour, above: Points, below: Points, corner: NDArray[np.int64], size: tuple[int, int]
) -> Colour:
    """(h, w, 3) from the ``upper`` colour at the points ``above`` to the ``lower`` one at those ``below``."""
    start, stop = above.mean(0), below.mean(0)
    down = (stop - start) / max(float((stop - start) @ (stop - start)), TINY)
    ys, xs = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    share = np.clip((xs + corner[0] - start[0]) * down[0] + (ys + corner[1] - start[1]) * down[1], 0, 1)
    return np.asarray(upper + (lower - upper) * share[..., None], np.float32)
