"""Whether a skirt, dress or robe hangs over both legs, down to which row, and how the legs move it."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask
from bodydouble.perception.body_template import BONES, BodyTemplate
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.trunk import SHOULDERS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import SIDES
from bodydouble.renderers.puppet.body.surface import LIMB_BONES, Surface, limb_triangles
from bodydouble.renderers.puppet.compositing.light import lab_of
from bodydouble.renderers.puppet.motion.expression import smoothstep

Array = NDArray[np.float64]

GAP_MIN = 0.25
"""Decimetres between the body's legs from which on the picture can tell a skirt from trousers."""
GAP_SEEN = 0.08
"""Decimetres of background between the legs' middles that are a gap where the body's legs leave none."""
SKIRT_FILL = 0.7
"""Share of the gap between the legs that cloth fills where there is a skirt."""
HEM_FILL, HEM_BELOW = 0.15, 0.15
"""Share of the gap that a slanted hem still fills farther down, and decimetres below that down to which its rim and
corners may reach."""
FLARE = 1.18
"""Width of the cloth over that of legs that stand together from which on it is a skirt: wide trousers have 1.12."""
FLARED, STAND_OFF, HANGING = 1.5, 1.25, 0.85
"""The same where the picture shows no gap between the legs: surely, and where the cloth has at least this share of the
widest row above. Measured: a narrow skirt 1.26 to 1.35, others 1.6 to 2.6; legs that cross up to 1.43, but narrower row
by row."""
TAPER = 0.6
"""Width of the cloth at the edge over that of both thighs below which it covers two legs: nothing hangs so."""
EVIDENCE_MIN = 0.02
"""Square decimetres between the legs from which on what fills them, or stands off them, tells a skirt: less is a row or
two at the picture's edge, where only the cloth's colour tells. Measured: 0.004 in a small picture of a dress; half a
decimetre of cloth that stands off the legs gives 0.04."""
HEM_MIN = 1.2
"""Smallest length of a skirt below the crotch, in decimetres."""
MINI_MIN, MINI_STEP = 0.5, 0.72
"""The same of one that is clearly wider than the legs below it, and their width over its own. Measured: 0.64 to 1.0 dm
and 0.64 to 0.69 of short skirts, 0.54 and 0.83 of wide shorts, 0.34 and 0.73 of a coat's corner."""
HEM_ROWS, HEM_STEP = 0.3, 0.8
"""Decimetres above a hem, and below it after as many more, in which widths are compared, and the share of the upper one
up to which there is a hem. Measured: 0.4 to 0.7 below skirts, 0.9 below the crotch of wide trousers."""
HANGS_SHARE = 0.75
"""Share of the rows from the crotch to a hem in which a garment shows as one, from which on legs of its own colour may
go on below it: tights below a dark skirt. Measured: 0.83 to 1.0 of skirts, 0.29 of crossed legs with wide pockets."""
HEM_ABOVE, HEM_UNDER = (-0.8, -0.2), (0.3, 1.2)
"""Decimetres from a hem between which the colours above it, and those of the legs below it, are taken."""
OTHER_LIGHTNESS, OTHER_CHROMA = 10.0, 8.0
"""Distances in CIELAB's L*, and in a and b together, from which on legs are not the garment's cloth. Measured: 22 to 38
and 14 to 25 below skirts, up to 3.5 and 3.5 below a crotch."""
HEM_NEAR = 0.3
"""Decimetres above the picture's edge within which a hem is the edge's."""
CROTCH = 0.9
"""Decimetres from the hips' line down to the crotch of the template."""
CLOTH_END = 0.2
"""Share of the largest width that the person has in the lowest row that counts. Chosen by eye on the development
clips."""
EDGE_ROWS = 3
"""Rows at the lower edge whose colours the picture's own border spoils."""
ONE_PIECE_MIN = 0.7
"""Share of the body's middle, from chest to edge, that has the colour of the cloth at the edge in a dress or robe.
Measured: dresses and robes 0.79 to 1.0, shirts or jackets over trousers 0.32 to 0.51."""
SAME_CHROMA, SAME_LIGHTNESS = 12.0, 25.0
"""Distances in CIELAB's a and b together, and in L*, up to which cloth has one colour in light and shade."""
SHIRT_END = 0.7
"""Decimetres below the crotch at which shirts and jackets have ended: what goes on there in one colour is a dress."""
HIPS_SHOWN = -1.0
"""Decimetres below the crotch down to which the picture must show the person: higher up no garment can be judged."""
HIPS_ROWS = 0.5
"""Decimetres below the crotch in which the width of both thighs is taken."""
MIDDLE_WIDTH, MIDDLE_TOP = 0.3, 0.2
"""Half width of the body's middle in shoulder widths, and its upper end in spine lengths below the shoulders."""
CLOTH_PIXELS_MIN = 20
"""Pixels of cloth without which nothing is said about its colour. Chosen by eye on the development clips."""
LEFT_LEG = (BodyPoint.LEFT_HIP, BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE)
RIGHT_LEG = (BodyPoint.RIGHT_HIP, BodyPoint.RIGHT_KNEE, BodyPoint.RIGHT_ANKLE)
LEGS_APART_MIN = 0.5
"""Decimetres between the legs' axes over which a skirt's weights are blended at least. Chosen by eye on the development
clips."""
SWING_REACH = 0.3
"""Distances between the legs' axes beyond an axis within which a skirt still follows the other leg: hems have no
corners. Chosen by eye on the development clips."""
HEM_FADE = 0.3
"""Decimetres below the hem over which the blended weights fade out. Chosen by eye on the development clips."""
TINY = 1e-9
"""Lengths in pixels below it count as zero."""


def legs_mask(fit: BodyFit, template: BodyTemplate, shape: tuple[int, int]) -> dict[str, Mask]:
    """Side → (h, w) the pixels of the body model's leg."""
    return {
        side: fit.labels(template.triangles[limb_triangles(template, "leg", side, 0.5)], shape) > 0 for side in SIDES
    }


def garment_hem(
    image: Image, cloth: Mask, bare: Mask, background: Mask, edge: int, fit: BodyFit, template: BodyTemplate
) -> float | None:
    """The row down to which one garment covers both legs; None where the picture shows none.

    ``image`` (h, w, 3) has the person's colours, ``cloth`` (h, w) is the person without the arms, down to the
    picture's own lower ``edge``, ``bare`` (h, w) what of it has the colour of skin, ``background`` (h, w) nobody's.
    """
    shape = (cloth.shape[0], cloth.shape[1])
    legs = legs_mask(fit, template, shape)
    rows, filled = _skirt_evidence(cloth[:edge], bare, background, legs, fit)
    evidence = np.cumsum(rows)
    if evidence.max(initial=0) > EVIDENCE_MIN * fit.scale**2:
        row = int(np.argmax(evidence))
        if _hangs(rows, filled, row, fit) and (floor := _on_the_floor(row, cloth, fit)) is not None:
            return floor
        hem = _hem_at(row, cloth, fit)
        if hem is None or not (_hangs(rows, filled, row, fit) or _ends_at(hem, image, cloth, legs, fit)):
            return None
        below = np.flatnonzero(filled[row + 1 :] < HEM_FILL)  # a hem may be slanted
        lowest = row + int(below[0]) + round(HEM_BELOW * fit.scale) if len(below) else edge - 1
        return _hem_at(min(lowest, edge - 1), cloth, fit) or hem
    apart = len(evidence) > 0 and evidence[-1] < 0
    if apart or np.count_nonzero(cloth[edge - EDGE_ROWS - 1]) == 0:
        return None
    return float(edge - 1) if _one_piece_at_edge(image, cloth, edge, legs, fit) else None


def shirt_at_edge(
    image: Image, cloth: Mask, bare: Mask, background: Mask, edge: int, fit: BodyFit, template: BodyTemplate
) -> bool:
    """Whether the picture's edge cuts off a shirt, or a bare chest, that hangs over hips that are not seen yet.

    It has one colour from the chest on, no legs part in it, and it ends no lower than shirts reach. The arguments are
    those of ``garment_hem``, which finds no garment there.
    """
    below = (edge - fit.joints.hips[1]) / fit.scale > CROTCH + SHIRT_END
    if below or one_piece_share(image, cloth, edge, fit) < ONE_PIECE_MIN:
        return False
    rows, _ = _skirt_evidence(cloth[:edge], bare, background, legs_mask(fit, template, cloth.shape[:2]), fit)
    return float(rows.sum()) >= 0


def _skirt_evidence(
    cloth: Mask, bare: Mask, background: Mask, legs: dict[str, Mask], fit: BodyFit
) -> tuple[Array, Array]:
    """(h,) for each row of ``cloth`` (h, w) the pixels for one garment over both legs less those against it.

    And (h,) the share (0-1) of the gap between the legs that cloth fills; 0 where there is none.
    From the crotch to the ankles, in the gap between the legs; where there is none, cloth that stands off the legs
    or ``background`` (h, w) tells. Shade between ``bare`` (h, w) legs is no cloth.
    """
    rows, filled = np.zeros(len(cloth)), np.zeros(len(cloth))
    swap = fit.joints.points[BodyPoint.LEFT_KNEE, 0] < fit.joints.points[BodyPoint.RIGHT_KNEE, 0]
    left, right = (legs["l"], legs["r"]) if swap else (legs["r"], legs["l"])  # in the picture
    widest = 0
    ankles = float(fit.joints.points[[LEFT_LEG[2], RIGHT_LEG[2]], 1].max())
    for y in range(max(0, int(fit.joints.hips[1] + CROTCH * fit.scale)), min(len(cloth), int(ankles))):
        a, b = np.flatnonzero(left[y]), np.flatnonzero(right[y])
        if not len(a) or not len(b):
            continue
        start, stop = int(a.max()) + 1, int(b.min())
        width = np.count_nonzero(cloth[y])
        widest = max(widest, width)
        legs_width = int(b.max()) - int(a.min())
        stands_off = width > min(FLARED * legs_width, max(STAND_OFF * legs_width, HANGING * widest))
        shown = (left[y] | right[y]) & cloth[y]
        if not stands_off and 2 * np.count_nonzero(bare[y] & shown) > np.count_nonzero(shown):
            rows[y] = -SKIRT_FILL * max(stop - start, GAP_MIN * fit.scale)
        elif stop - start >= GAP_MIN * fit.scale:
            filled[y] = np.count_nonzero(cloth[y, start:stop]) / (stop - start)
            rows[y] = (filled[y] - SKIRT_FILL) * (stop - start)
        elif np.count_nonzero(background[y, round(a.mean()) : round(b.mean())]) > GAP_SEEN * fit.scale:
            rows[y] = -SKIRT_FILL * GAP_MIN * fit.scale
        elif stands_off:
            rows[y] = (1 - SKIRT_FILL) * GAP_MIN * fit.scale
    return rows, filled


def _hem_at(row: int, cloth: Mask, fit: BodyFit) -> float | None:
    """The hem where the gap between the legs is filled with ``cloth`` (h, w) down to ``row``; None for a crotch."""
    # A gap that is filled for a hand's breadth only is a crotch, unless the picture's edge cuts the cloth off there.
    widths = np.count_nonzero(cloth, axis=1)
    last = int(np.flatnonzero(widths > CLOTH_END * widths.max(initial=0)).max(initial=0))
    if row + max(2, HEM_NEAR * fit.scale) >= last:
        return float(last)
    reach = max(2, round(HEM_ROWS * fit.scale))
    above, below = (
        float(np.median(widths[rows])) for rows in (np.s_[row - reach : row], np.s_[row + reach : row + 2 * reach])
    )
    if below > HEM_STEP * above:  # the crotch of wide trousers
        return None
    shortest = MINI_MIN if below < MINI_STEP * above else HEM_MIN
    return float(row) if row - fit.joints.hips[1] > (CROTCH + shortest) * fit.scale else None


def _on_the_floor(row: int, cloth: Mask, fit: BodyFit) -> float | None:
    """The hem of ``cloth`` (h, w) that fills the gap between the legs down to the ankles' ``row``; None above these."""
    ankles = [float(fit.joints.points[leg[2], 1]) for leg in (LEFT_LEG, RIGHT_LEG)]
    widths = np.count_nonzero(cloth, axis=1)
    if row + 2 < min(max(ankles), len(cloth)) - 1 or not widths[row]:
        return None
    hem = int(np.flatnonzero(widths > HEM_STEP * widths[row])[-1])
    return float(min(hem + round(HEM_BELOW * fit.scale), len(cloth) - 1))


def _hangs(rows: Array, filled: Array, row: int, fit: BodyFit) -> bool:
    """Whether cloth fills the gap between the legs, or stands off them, in most rows from the crotch to ``row``.

    ``rows`` and ``filled`` are those of ``_skirt_evidence``. Pockets of trousers stand off in a few.
    """
    crotch = min(int(fit.joints.hips[1] + CROTCH * fit.scale), row)
    return float(np.mean((rows > 0)[crotch : row + 1] | (filled > SKIRT_FILL)[crotch : row + 1])) > HANGS_SHARE


def _ends_at(hem: float, image: Image, cloth: Mask, legs: dict[str, Mask], fit: BodyFit) -> bool:
    """Whether the legs below the ``hem`` have other colours in ``image`` (h, w, 3) than the ``cloth`` above it."""
    away = (np.arange(len(cloth))[:, None] - hem) / fit.scale
    shown = (legs["l"] | legs["r"]) & cloth
    above, below = (shown & (away > start) & (away < stop) for start, stop in (HEM_ABOVE, HEM_UNDER))
    if min(np.count_nonzero(above), np.count_nonzero(below)) < CLOTH_PIXELS_MIN:
        return True
    lab = lab_of(image)
    step = np.abs(np.median(lab[above], axis=0) - np.median(lab[below], axis=0))
    return bool(step[0] > OTHER_LIGHTNESS or np.hypot(step[1], step[2]) > OTHER_CHROMA)


def _one_piece_at_edge(image: Image, cloth: Mask, edge: int, legs: dict[str, Mask], fit: BodyFit) -> bool:
    """Whether the picture's edge cuts off a dress or robe.

    From the chest to the edge it has one colour, and it reaches below a shirt's end or stands off the hips.
    """
    crotch = fit.joints.hips[1] + CROTCH * fit.scale
    below = (edge - crotch) / fit.scale
    if below < HIPS_SHOWN or one_piece_share(image, cloth, edge, fit) < ONE_PIECE_MIN:
        return False
    both = legs["l"] | legs["r"]
    thighs = np.flatnonzero(both[round(crotch) : round(crotch + HIPS_ROWS * fit.scale)].any(0))
    if below > SHIRT_END:
        width = float(np.ptp(thighs)) if len(thighs) else 0.0
        return bool(np.count_nonzero(cloth[edge - EDGE_ROWS - 1]) > TAPER * width)
    shown = (cloth | both)[max(0, round(crotch + HIPS_SHOWN * fit.scale)) : edge - EDGE_ROWS]
    if not len(thighs) or not len(shown):
        return False
    return float(np.median(np.count_nonzero(shown, axis=1))) > FLARE * (np.ptp(thighs) + 1)


def one_piece_share(image: Image, cloth: Mask, edge: int, fit: BodyFit) -> float:
    """Share (0-1) of the body's middle, from the chest to the ``edge``, that has the cloth's colour at the edge."""
    points = fit.joints.points
    hips = np.sort(points[[BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP], 0])
    rows, columns = np.arange(len(cloth))[:, None], np.arange(cloth.shape[1])[None]
    last = edge - EDGE_ROWS
    near = cloth & (rows > last - HEM_NEAR * 2 * fit.scale) & (rows < last) & (columns > hips[0]) & (columns < hips[1])
    shoulders, width = fit.joints.shoulders, float(np.ptp(points[SHOULDERS, 0]))
    middle = (shoulders[0] + fit.joints.hips[0]) / 2
    top = shoulders[1] + MIDDLE_TOP * (fit.joints.hips[1] - shoulders[1])
    strip = cloth & (np.abs(columns - middle) < MIDDLE_WIDTH * width) & (rows > top) & (rows < last)
    if min(np.count_nonzero(near), np.count_nonzero(strip)) < CLOTH_PIXELS_MIN:
        return 0.0
    lab = lab_of(image)
    usual = np.median(lab[near], axis=0)
    away: NDArray[np.float32] = np.abs(lab[strip] - usual)
    same = (np.hypot(away[:, 1], away[:, 2]) < SAME_CHROMA) & (away[:, 0] < SAME_LIGHTNESS)
    return float(same.mean())


def garment_weights(surface: Surface, fit: BodyFit, hem: float) -> Surface:
    """``surface``, in place, with both legs' weights blended across a skirt, which hangs between them in one piece."""
    weights = surface.weights
    points = fit.joints.points
    rows, columns = (np.arange(n, dtype=np.float64) * surface.step + surface.step // 2 for n in weights.shape[:2])
    axis = {}
    for side, chain in (("l", LEFT_LEG), ("r", RIGHT_LEG)):
        joints = points[list(chain), :2]
        order = np.argsort(joints[:, 1])
        axis[side] = np.interp(rows, joints[order, 1], joints[order, 0])
    span = axis["l"] - axis["r"]
    span = np.where(np.abs(span) < LEGS_APART_MIN * fit.scale, np.sign(span + TINY) * LEGS_APART_MIN * fit.scale, span)
    share = (columns[None] - axis["r"][:, None]) / span[:, None]
    share = smoothstep(-SWING_REACH, 1 + SWING_REACH, share).astype(np.float32)
    fade = np.clip((hem + HEM_FADE * fit.scale - rows) / (HEM_FADE * fit.scale), 0, 1).astype(np.float32)[:, None]
    for bone in LIMB_BONES["leg"]:
        left, right = BONES.index(f"{bone}_l"), BONES.index(f"{bone}_r")
        total = weights[..., left] + weights[..., right]
        weights[..., left] += fade * (share * total - weights[..., left])
        weights[..., right] += fade * ((1 - share) * total - weights[..., right])
    return surface
