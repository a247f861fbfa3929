"""Head and trunk without limbs: what lay under an arm is painted in, what hung beside the body is gone."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.motion.head import OVAL
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.head_region import head_region
from bodydouble.renderers.puppet.picture.limb_cutting import LimbSet

Floats = NDArray[np.float32]

INPAINT_SHRINK = 4
"""Inpainting runs at a quarter of the size: it is to give cloth's colour, not its threads."""
INPAINT_RADIUS = 6
COLLAR_BELOW_CHIN = 0.35
"""Face widths from the chin to the collar: a usual neck."""
CHIN = 152
"""The face mesh's lowest point."""
CLOTH_ROWS_MIN = 4
"""Rows that are continued at least, where the picture ends above the collar."""
REPEATS_MAX = 4
"""Times that the rows below the collar are mirrored at most: more shows as a pattern."""
NECKLINE_DEPTH = 0.4
"""Shoulder widths below the picture's edge in which a neckline closes: a usual shirt's."""
OPAQUE_MIN, EDGE_PIXELS = 0.8, 3
"""Alpha from which a column is the person's, and columns at its edge whose colours are half background."""
MEAN_PIXELS = 9
"""Columns over which rows that are drawn out are averaged, so that no column shows as a line."""
GRAIN_SIGMA = 0.8
GRAIN_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Trunk:
    """``colour`` (h, w, 3) 0-255 and ``alpha`` (h, w) 0-1; higher than the reference where it had to be continued."""

    colour: Floats
    alpha: Floats


def paint_trunk(anatomy: Anatomy, cutout: Cutout, limbs: LimbSet) -> Trunk:
    """The trunk that is drawn under the arms and over the legs."""
    height, width = cutout.alpha.shape
    grown = _rows_to_add(anatomy, cutout)
    collar = collar_row(anatomy, height)
    colour, alpha, arms = (rows_continued(x, collar, grown) for x in (cutout.colour, cutout.alpha, limbs.arm_mask))
    if grown > REPEATS_MAX * (height - collar):
        depth = round(NECKLINE_DEPTH * anatomy.unit)
        colour[height:] = neckline_closed(colour[height:], alpha[height], float(anatomy.shoulders[0]), depth)
    legs = np.pad(limbs.leg_mask, ((0, grown), (0, 0)))
    hull = trunk_hull(anatomy, height + grown, width)
    soft = np.asarray(cv2.GaussianBlur(hull.astype(np.float32), (0, 0), 2.0))
    alpha[height:] *= soft[height:]
    own = alpha * (1 - arms) * (1 - legs)
    hidden = np.clip(arms * 3, 0, 1) * (alpha > 0.02)
    # Remains of a sleeve's edge float beside the body when the arm moves away.
    rim = np.clip(1.5 * cv2.dilate(arms, np.ones((5, 5), np.uint8)), 0, 1) * (1 - np.clip(soft * 2, 0, 1))
    head = np.pad(head_region(anatomy, cutout.alpha), ((0, grown), (0, 0))) > 0
    own = np.where(head, own, own * (1 - rim))
    own = np.where((hull > 0) | head, own, _without_islands(np.asarray(own, np.float32)))
    painted = _inpainted(colour, own, hidden * (hull > 0))
    result_alpha = np.maximum(own, soft * hidden * (1 - legs))
    share = np.clip(own / 0.85, 0, 1)[..., None]
    result = np.where(hidden[..., None] > 0, painted * (1 - share) + colour * share, colour)
    if anatomy.face is not None:
        oval = np.zeros(alpha.shape, np.uint8)
        cv2.fillConvexPoly(oval, cv2.convexHull(np.round(anatomy.face[OVAL, :2]).astype(np.int32)), 1)
        result_alpha = np.maximum(result_alpha, cv2.GaussianBlur(oval.astype(np.float32), (0, 0), 1.2))
    return Trunk(colour=np.asarray(result, np.float32), alpha=np.asarray(np.clip(result_alpha, 0, 1), np.float32))


def collar_row(anatomy: Anatomy, height: int) -> int:
    """The first row of the picture that is chest from side to side: below the shoulders' landmarks and the chin."""
    lowest = float(anatomy.shoulders[1])
    if anatomy.face is not None:
        lowest = max(lowest, float(anatomy.face[CHIN, 1]) + COLLAR_BELOW_CHIN * anatomy.head.width)
    return int(np.clip(np.ceil(lowest), 0, height - CLOTH_ROWS_MIN))


def rows_continued(rows: Floats, collar: int, count: int) -> Floats:
    """``rows`` (h, w, ...) and ``count`` more: those from ``collar`` on, mirrored back and forth, and nothing above.

    Few rows would repeat as stripes: their mean is drawn out instead.
    """
    below = rows[collar:]
    if count > REPEATS_MAX * len(below):
        mean = cv2.blur(below.mean(0, keepdims=True), (MEAN_PIXELS, 1)).reshape(1, *rows.shape[1:])
        return np.asarray(np.concatenate([rows, np.repeat(mean, count, axis=0)]), np.float32)
    more = np.pad(below, ((0, count), *(((0, 0),) * (rows.ndim - 1))), mode="symmetric")
    return np.asarray(np.concatenate([rows[:collar], more]), np.float32)


def neckline_closed(rows: Floats, alpha: Floats, centre: float, depth: int) -> Floats:
    """``rows`` (h, w, 3), all alike, with what is about column ``centre`` narrowing to a point ``depth`` rows below.

    A picture that ends at the neck would have a neck down to the hips: cloth from both sides closes below it. Columns
    are taken from where ``alpha`` (w,) is opaque.
    """
    opaque = np.flatnonzero(alpha > OPAQUE_MIN)
    if len(opaque) == 0:
        return rows
    open_share = np.maximum(1 - np.arange(len(rows))[:, None] / max(depth, 1), 1e-3)
    middle = np.floor(centre) + 0.5  # between two columns: none is the point itself
    columns = middle + (np.arange(rows.shape[1])[None] - middle) / open_share
    columns = np.clip(columns, opaque[0] + EDGE_PIXELS, max(opaque[-1] - EDGE_PIXELS, opaque[0] + EDGE_PIXELS))
    lines = np.broadcast_to(np.arange(len(rows))[:, None], columns.shape)
    return np.asarray(
        cv2.remap(rows, columns.astype(np.float32), lines.astype(np.float32), cv2.INTER_LINEAR), np.float32
    )


def _rows_to_add(anatomy: Anatomy, cutout: Cutout) -> int:
    """How many mirrored rows the trunk needs below the picture to reach down over the hips."""
    height = len(cutout.alpha)
    if cutout.alpha[-3:].max() < 0.5:
        return 0
    wanted = float(anatomy.hips[1]) + 0.3 * anatomy.unit - height
    return int(np.clip(wanted, 0, 0.95 * height))


def trunk_hull(anatomy: Anatomy, height: int, width: int) -> NDArray[np.uint8]:
    """(h, w) 0 or 1: where the trunk is under the arms, from the neck to below the hips."""
    body, unit = anatomy.body[:, :2], anatomy.unit
    side = float(np.sign(body[11, 0] - body[12, 0])) or 1.0
    inset = 0.10 * unit
    neck, hips = anatomy.shoulders, anatomy.hips
    half_hips = max(0.30 * unit, abs(float(body[23, 0] - body[24, 0])) / 2 + 0.10 * unit)
    right, left = np.array([side, 0.0]), np.array([-side, 0.0])
    points = [
        neck + right * 0.28 * unit + [0, -1.9 * inset],
        body[11] + right * 0.2 * inset + [0, -inset],
        body[11] + right * 0.8 * inset + [0, 0.4 * inset],
        hips + right * half_hips,
        hips + right * 0.85 * half_hips + [0, 0.2 * unit],
        hips + [0, 0.26 * unit],
        hips + left * 0.85 * half_hips + [0, 0.2 * unit],
        hips + left * half_hips,
        body[12] + left * 0.8 * inset + [0, 0.4 * inset],
        body[12] + left * 0.2 * inset + [0, -inset],
        neck + left * 0.28 * unit + [0, -1.9 * inset],
    ]
    hull = np.zeros((height, width), np.uint8)
    cv2.fillPoly(hull, [cv2.convexHull(np.round(np.array(points)).astype(np.int32))], 1)
    return hull


def _without_islands(alpha: Floats) -> Floats:
    """Only what is connected with the largest part."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.25).astype(np.uint8))
    if count <= 2:
        return alpha
    main = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    near = cv2.dilate((labels == main).astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.where(near > 0, alpha, 0).astype(np.float32)


def _inpainted(colour: Floats, own: Floats, hidden: Floats) -> Floats:
    """``colour`` with what lies under the arms continued from the trunk beside it, with the cloth's own grain."""
    if not (hidden > 0).any():
        return colour
    height, width = own.shape
    size = (max(4, width // INPAINT_SHRINK), max(4, height // INPAINT_SHRINK))
    small = np.clip(cv2.resize(colour, size, interpolation=cv2.INTER_AREA), 0, 255).astype(np.uint8)
    unknown = cv2.resize((own < 0.85).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    unknown = cv2.dilate(unknown, np.ones((3, 3), np.uint8))
    # Colours of nothing but background must not flow in either: everything not the trunk's own is unknown.
    filled = cv2.inpaint(small, unknown, INPAINT_RADIUS, cv2.INPAINT_TELEA)
    wide = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    sure = own > 0.95
    strength = float((colour - cv2.GaussianBlur(colour, (0, 0), 4))[sure].std()) if sure.any() else 0.0
    noise = np.random.default_rng(GRAIN_SEED).normal(0, 1, (height, width)).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), GRAIN_SIGMA) * strength * 0.8
    return np.asarray(wide + grain[..., None], np.float32)
