"""Legs, garments and shoes below the row at which a picture's lower edge cuts them off.

Every part is the body model's, each row stretched to other borders. At the edge these are the picture's, and so are the
colours; farther down both become the part's own.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.smoothing import gaussian_smoothed
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import LEGS, SIDES
from bodydouble.renderers.puppet.body.surface import bone_share
from bodydouble.renderers.puppet.compositing.light import exact_lab, lab_of
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.carried_on import weave
from bodydouble.renderers.puppet.picture.extension import CUT_OFF, EDGE, SOLID, ExtendedPicture
from bodydouble.renderers.puppet.picture.garment import CROTCH, legs_mask
from bodydouble.renderers.puppet.picture.regions import narrowed, softened, widened
from bodydouble.renderers.puppet.picture.shading import AMBIENT, DIFFUSE, body_light, lit_cloth, lit_skin, wrinkles

Array = NDArray[np.float64]

STRIP = 0.25
"""Decimetres above the edge whose mean colours go on below it, column by column: pleats stay straight."""
STRIP_SIGMA = 1.0
"""Standard deviation in pixels by which these colours are smoothed along the row."""
SAME_HUE, SAME_LIGHTNESS = 15.0, 30.0
"""Distances in CIELAB, of a and b together and of L*, up to which colours at the edge are the part's: no cushions."""
BESIDE = 2
"""Pixels beside a part in which the arm that hides its border is looked for."""
BORDER_SIGMA = 0.25
"""Decimetres over which the borders of the body model's legs are smoothed: about the side of its triangles."""
LEG_FADE, COLOUR_FADE = 3.0, 1.5
"""Decimetres below the edge over which a leg's borders become the model's, and colours the part's own."""
COLOURS_KEPT = 0.35
"""Share of the edge's light and dark columns that is left farther down in cloth: creases and pleats."""
STAND_OFF_MAX, STAND_OFF_MIN = 1.2, 0.15
"""Decimetres by which a part stands off the body at most, at the edge, and a garment off the legs at least."""
FLARE_ROWS, FLARE_MIN, FLARE_MAX = 0.8, 0.05, 0.3
"""Decimetres above the edge in which a garment's sides have the slope with which they go on, and its bounds in pixels a
row. Chosen by eye on the development clips."""
FLARE_USUAL = 0.14
"""The same where the picture ends above the crotch and shows no such slope. Chosen by eye on headshots."""
WAIST, STAND_OFF_GROWS = 1.2, 0.42
"""Decimetres of the waist above the hips, and by how much more a garment may stand off the body for each decimetre
below it: skirts and robes hang from a waist. Chosen by eye on seated half bodies."""
UNDER_GARMENT = ("pelvis", "spine_01", *(f"{bone}_{side}" for bone in ("thigh", "calf") for side in SIDES))
"""Bones of the part of the body that a garment below an edge covers. Heads and hands have most of the triangles."""
CORNER_ROWS = 0.4
"""Decimetres above the edge in which a garment is widest: mattes round its corners. Chosen by eye on a flared skirt."""
FLARE_LENGTH = 3.0
"""Decimetres over which they become straight. Chosen by eye."""
HEM_ROUND = 0.07
"""How much lower a hem is in the middle than at its sides, over its width: it is seen from above."""
FOLD, FOLD_LIGHT = 0.9, 0.12
"""Width in decimetres of the folds in which a garment hangs, and their light and shade at its hem. Chosen by eye."""
TROUSERS_WIDTH, TROUSERS_TAPER = 0.12, 0.66
"""Decimetres by which made-up trousers are wider than the legs, and their width at the ankle over that at the knee.
Chosen by eye on the development clips."""
CREASES = ((0, 0.5, 0.7), (-0.4, 0.35, 1.0))
"""Creases of trousers at knee and ankle: decimetres below it where they are strongest, over which they fade, and their
strength. Chosen by eye on headshots, like what follows."""
CREASE_LIGHT, CREASE_ANGLE = 0.16, 1.25
"""Light and shade of these creases, and radians from upright in which they run."""
SHOE_WIDTH = 0.1
"""Decimetres by which a made-up shoe is larger than the body model's bare foot, whose toes it hides."""
SHOE_SIGMA, SOLE = 0.15, 0.14
"""Decimetres over which a made-up shoe's outline is smoothed, and the thickness of its sole."""
SOLE_STEP, SOLE_DARK = 60.0, 110.0
"""Levels (0-255) by which a sole differs from its shoe, and up to which a shoe is dark and its sole lighter."""
SHINE, SHINY = 0.6, (0.85, 1.05)
"""Light that the shiny parts of a shoe have in addition, and the light between which they begin and are whole."""
OPENING, OPENING_RIM = 0.7, 0.13
"""Way from ankle to toe down to which a shoe on a bare leg is open, and decimetres of shoe beside the opening."""
CLOTH_ROWS = 1.0
"""Decimetres above the edge whose texture a garment has."""
LEG_BELOW_ANKLE = 0.25
"""Decimetres below the ankle where a made-up leg ends."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is made up of one leg or garment."""

    alpha: Floats  # (h, w) 0-1
    colour: Floats  # (h, w, 3) 0-255


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """The picture and the body that is to be completed."""

    extended: ExtendedPicture
    fit: BodyFit
    template: BodyTemplate
    person: Mask  # (h, w) what the picture shows, without arms
    bare: Mask  # (h, w) what of it has the colour of skin
    arms: Mask  # (h, w)

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.person.shape
        return height, width

    @property
    def top(self) -> int:
        """The first row that is made up: the picture's own border spoils the last ones."""
        return self.extended.edge - EDGE

    def rows(self, below: float) -> Mask:
        """(h, 1) the rows from ``below`` on."""
        return np.arange(self.shape[0])[:, None] >= below


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The picture's lower edge, where a part is cut off."""

    columns: tuple[float, float]  # the part's first and last
    behind_arms: tuple[bool, bool]  # whether an arm hides what is beyond these
    colours: Array  # (w, 3) 0-255 of the part just above, beside it as its nearest column
    usual: Array  # (3,) 0-255
    bare: bool  # of the colour of skin


def cut_at_edge(canvas: Canvas, columns: NDArray[np.bool_]) -> Cut | None:
    """The edge of the part that has the ``columns`` (w,) there; None where it shows nothing."""
    top, scale = canvas.top, canvas.fit.scale
    strip = np.s_[max(0, top - max(2, round(STRIP * scale))) : top]
    colour = canvas.extended.cutout.colour[strip]
    solid = canvas.person[strip] & (canvas.extended.cutout.alpha[strip] > SOLID) & columns
    shown = canvas.person[strip] & columns
    if not solid.any() or not shown[-1].any():
        return None
    rows = np.asarray(shown.any(1), np.bool_)  # their median: the last row may end in a fold's corner
    ends = np.argmax(shown[rows], axis=1), shown.shape[1] - 1 - np.argmax(shown[rows, ::-1], axis=1)
    lab = lab_of(colour)
    same = solid & _alike(lab, np.median(lab[solid], axis=0))
    count = np.count_nonzero(same, axis=0)
    found = np.flatnonzero(count)
    means = (colour * same[..., None]).sum(0, dtype=np.float64)[found] / count[found, None]
    colours = np.stack([np.interp(np.arange(len(columns)), found, means[:, k]) for k in range(3)], 1)
    return Cut(
        columns=(float(np.median(ends[0])), float(np.median(ends[1]))),
        behind_arms=_beside_arms(canvas, strip, rows, ends),
        colours=gaussian_smoothed(colours, STRIP_SIGMA),
        usual=np.median(colour[same], axis=0).astype(np.float64),
        bare=bool(2 * np.count_nonzero(canvas.bare[strip] & solid) > np.count_nonzero(solid)),
    )


def _beside_arms(
    canvas: Canvas, strip: slice, rows: NDArray[np.bool_], ends: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> tuple[bool, bool]:
    """Whether in most ``rows`` of the ``strip`` an arm is next to the ``ends``, a part's first and last columns."""
    arms = (canvas.arms & (canvas.extended.cutout.alpha > CUT_OFF))[strip][rows]
    places = (np.clip(end + step, 0, canvas.shape[1] - 1) for end, step in zip(ends, (-BESIDE, BESIDE), strict=True))
    left, right = (bool(np.mean(np.take_along_axis(arms, place[:, None], axis=1)) > 0.5) for place in places)
    return left, right


def _painted(
    canvas: Canvas, first: int, borders: tuple[Array, Array], light: Floats, usual: Array, cut: Cut | None, skin: bool
) -> Part:
    """A part of one colour between ``borders``, two of (N,) px, in the N rows from ``first`` on.

    ``light`` (N, w) is its own; where the picture's edge cuts the part off, its colours go on from there.
    """
    left, right = (border[:, None] for border in borders)
    x = np.arange(canvas.shape[1])[None]
    across = np.clip((x - left) / np.maximum(right - left, 1), 0, 1)
    lit = lit_skin if skin else lit_cloth
    painted = lit(np.asarray(usual, np.float32), light)
    if cut is not None:
        down = (first - canvas.top + np.arange(len(left)))[:, None, None] / canvas.fit.scale
        fade = 1 - smoothstep(0, COLOUR_FADE, down)
        source = cut.columns[0] + across * (cut.columns[1] - cut.columns[0])
        own = np.stack([np.interp(source, x[0], cut.colours[:, k]) for k in range(3)], -1)
        at_edge = lit(np.asarray(cut.usual, np.float32), np.interp(across, across[0], light[0]).astype(np.float32))
        folds = 0 if skin else COLOURS_KEPT
        painted = painted + (folds + (1 - folds) * fade) * (own - at_edge)
        if not np.array_equal(cut.usual, usual):
            painted += fade * (at_edge - lit(np.asarray(usual, np.float32), light))
    alpha, colour = np.zeros(canvas.shape, np.float32), np.zeros((*canvas.shape, 3), np.float32)
    rows = np.s_[first : first + len(left)]
    alpha[rows] = np.clip(np.minimum(x - left, right - x) + 0.5, 0, 1)
    colour[rows] = np.clip(painted, 0, 255)
    return Part(alpha=alpha, colour=colour)


def leg_below(canvas: Canvas, side: str, first: int, cut: Cut | None, usual: Array, skin: bool) -> Part | None:
    """A leg from the row ``first`` down to the ankle, bare ``skin`` or in trousers; None where the ankle is above."""
    fit = canvas.fit
    mask, light = body_light(fit, canvas.template, (f"thigh_{side}", f"calf_{side}"), canvas.shape, cloth=not skin)
    knee, ankle = (fit.joints.points[LEGS[side].joints[k], :2] for k in (1, 2))
    stop = min(canvas.shape[0], round(float(ankle[1] + LEG_BELOW_ANKLE * fit.scale)))
    if first >= stop or not mask.any():
        return None
    low, high = (gaussian_smoothed(border, BORDER_SIGMA * fit.scale) for border in _borders(mask))
    model = low, high
    left, right = model if skin else _trousers(model, knee, ankle, fit.scale)
    rows = slice(first, stop)
    if cut is not None:
        length = min(LEG_FADE * fit.scale, stop - first) if skin else stop - first
        fade = 1 - smoothstep(0, length, np.arange(stop - first, dtype=np.float64))
        most = STAND_OFF_MAX * fit.scale
        inwards = [0.0 if hidden else most for hidden in cut.behind_arms]
        left = left[rows] + fade * np.clip(cut.columns[0] - left[first], -most, inwards[0])
        right = right[rows] + fade * np.clip(cut.columns[1] - right[first], -inwards[1], most)
    else:
        left, right = left[rows], right[rows]
    stretched = _stretched(light, (model[0][rows], model[1][rows]), (left, right), first)
    if not skin:
        stretched += _creases(stretched.shape, first, knee, ankle, fit.scale)
    return _painted(canvas, first, (left, right), stretched, usual, cut, skin)


def _creases(shape: tuple[int, ...], first: int, knee: Array, ankle: Array, scale: float) -> Floats:
    """(N, w) light and shade of creases at the ``knee`` and ``ankle`` (2,) of trousers, in N rows from ``first`` on."""
    y = ((np.arange(shape[0], dtype=np.float32) + np.float32(first - knee[1])) / np.float32(scale))[:, None]
    x = ((np.arange(shape[1], dtype=np.float32) - np.float32(knee[0])) / np.float32(scale))[None]
    strength = np.zeros_like(y)
    for (below, reach, strongest), joint in zip(CREASES, (knee, ankle), strict=True):
        away = (y - np.float32((joint[1] - knee[1]) / scale + below)) / np.float32(reach)
        strength += np.float32(strongest) * np.exp(-away * away)
    return np.float32(CREASE_LIGHT) * strength * wrinkles(x, y, CREASE_ANGLE)


def _borders(mask: Mask) -> tuple[Array, Array]:
    """The first and last column (h,) of ``mask`` (h, w) in each row; in rows without any between the nearest."""
    rows = np.flatnonzero(mask.any(1))
    first = np.argmax(mask[rows], axis=1)
    last = mask.shape[1] - 1 - np.argmax(mask[rows, ::-1], axis=1)
    everywhere = np.arange(len(mask))
    return np.interp(everywhere, rows, first), np.interp(everywhere, rows, last)


def _trousers(model: tuple[Array, Array], knee: Array, ankle: Array, scale: float) -> tuple[Array, Array]:
    """The ``model``'s borders of a leg, two of (h,), wider, and straight from ``knee`` to ``ankle``, both (2,)."""
    left, right = (border.copy() for border in model)
    start = int(np.clip(knee[1], 0, len(left) - 1))
    half = TROUSERS_TAPER * (right[start] - left[start]) / 2
    share = np.clip((np.arange(start, len(left)) - start) / max(ankle[1] - start, 1), 0, 1)
    left[start:] = (1 - share) * left[start] + share * (ankle[0] - half)
    right[start:] = (1 - share) * right[start] + share * (ankle[0] + half)
    return left - TROUSERS_WIDTH * scale, right + TROUSERS_WIDTH * scale


def _stretched(light: Floats, model: tuple[Array, Array], borders: tuple[Array, Array], first: int) -> Floats:
    """(N, w) the ``light`` (h, w) of the rows from ``first`` on, stretched from the ``model``'s borders to others."""
    (left, right), (low, high) = (tuple(b[:, None] for b in pair) for pair in (borders, model))
    across = (np.arange(light.shape[1])[None] - left) / np.maximum(right - left, 1)
    columns = (low + across * (high - low)).astype(np.float32)
    rows = np.broadcast_to(np.arange(first, first + len(left), dtype=np.float32)[:, None], columns.shape)
    stretched = cv2.remap(light, columns, rows.copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(stretched, np.float32)


def columns_of_legs(canvas: Canvas) -> dict[str, NDArray[np.bool_]]:
    """Side → (w,) the columns that are nearer to this leg of the body model at the edge than to the other."""
    x, row = np.arange(canvas.shape[1]), canvas.top - 1
    away: list[Array] = []
    for mask in legs_mask(canvas.fit, canvas.template, canvas.shape).values():
        left, right = (border[row] for border in _borders(mask))
        away.append(np.abs(x - (left + right) / 2) / max(right - left, 1))
    return {"l": away[0] < away[1], "r": away[0] >= away[1]}


def shoe_below(canvas: Canvas, side: str, colour: Array, leg: Array | None) -> Part:
    """What of a ``shoe`` is below the picture's edge."""
    worn = shoe(canvas.fit, canvas.template, side, colour, canvas.shape, leg)
    return replace(worn, alpha=worn.alpha * canvas.rows(canvas.top).astype(np.float32))


def shoe(
    fit: BodyFit, template: BodyTemplate, side: str, colour: Array, shape: tuple[int, int], leg: Array | None
) -> Part:
    """A foot in a shoe of ``colour`` (3,) 0-255, larger than a bare one, with a shine and a sole.

    On a bare ``leg`` of that colour (3,) it is open above the instep; None in trousers.
    """
    foot, light = body_light(fit, template, (f"foot_{side}",), shape)
    worn = softened(widened(foot, SHOE_WIDTH * fit.scale), SHOE_SIGMA * fit.scale) > 0.5
    sole = worn.copy()
    thick = max(1, round(SOLE * fit.scale))
    sole[:-thick] &= ~worn[thick:]
    shiny = light + SHINE * smoothstep(*SHINY, light)
    lit = lit_cloth(np.asarray(colour, np.float32), shiny.astype(np.float32))
    lit[sole] = np.clip(colour + (SOLE_STEP if float(np.mean(colour)) < SOLE_DARK else -SOLE_STEP), 0, 255)
    if leg is not None:
        open_part = _opening(fit, side, worn) & ~sole
        lit[open_part] = lit_skin(np.asarray(leg, np.float32), light[open_part])
    return Part(alpha=worn.astype(np.float32), colour=lit)


def _opening(fit: BodyFit, side: str, worn: Mask) -> Mask:
    """(h, w) where a shoe that covers ``worn`` (h, w) shows the instep."""
    ankle, toe = (fit.joints.points[index, :2] for index in (LEGS[side].joints[2], LEGS[side].tip[0]))
    along = toe - ankle
    left, top, width, height = cv2.boundingRect(worn.astype(np.uint8))
    result, here = np.zeros_like(worn), np.s_[top : top + height, left : left + width]
    x, y = np.arange(left, left + width)[None] - ankle[0], np.arange(top, top + height)[:, None] - ankle[1]
    share = (x * along[0] + y * along[1]) / max(float(along @ along), fit.scale**2 / 4)
    rim = np.pad(worn[here], 1)
    result[here] = narrowed(rim, OPENING_RIM * fit.scale)[1:-1, 1:-1] & (share < OPENING)
    return result


def _alike(lab: Floats, usual: NDArray[np.floating]) -> Mask:
    """(h, w) which colours ``lab`` (h, w, 3), CIELAB, are the ``usual`` one (3,) of a part."""
    away = np.abs(lab - usual)
    return np.asarray((np.hypot(away[..., 1], away[..., 2]) < SAME_HUE) & (away[..., 0] < SAME_LIGHTNESS), np.bool_)


def garment_below(canvas: Canvas, hem: float) -> tuple[Part, Cut] | None:
    """The cloth at the edge from there down to the ``hem``, around both legs and between them, in folds."""
    scale, top = canvas.fit.scale, canvas.top
    cut = cut_at_edge(canvas, np.ones(canvas.shape[1], np.bool_))
    if cut is None:
        return None
    stop, first = min(canvas.shape[0], int(hem) + 1), max(0, top - round(CORNER_ROWS * scale))
    down = np.maximum(np.arange(first, stop) - top, 0)
    lefts, rights = _hanging(canvas, first, down)
    left, right = float(lefts[top - first]), float(rights[top - first])
    across = (np.arange(canvas.shape[1])[None] - lefts[:, None]) / np.maximum(rights - lefts, 1)[:, None]
    away = np.clip(2 * across - 1, -1, 1)
    folds = max(2, round((rights[-1] - lefts[-1]) / (FOLD * scale)))
    hanging = (down / max(down[-1], 1))[:, None]
    light = AMBIENT + DIFFUSE * np.sqrt(1 - 0.8 * away**2) + FOLD_LIGHT * hanging * np.cos(2 * np.pi * folds * across)
    edge_cut = replace(cut, columns=(left, right))
    part = _painted(canvas, first, (lefts, rights), light.astype(np.float32), cut.usual, edge_cut, False)
    end = hem - HEM_ROUND * (rights[-1] - lefts[-1]) * away**2
    part.alpha[first:stop] *= np.clip(end - np.arange(first, stop)[:, None] + 0.5, 0, 1).astype(np.float32)
    near = canvas.person & (np.arange(canvas.shape[0])[:, None] >= top - CLOTH_ROWS * scale) & ~canvas.rows(top)
    solid = near & (canvas.extended.cutout.alpha > SOLID)
    colour = canvas.extended.cutout.colour
    own = solid & _alike(lab_of(colour), exact_lab(cut.usual))  # an apron's lace is none of the skirt's texture
    part.colour[top:stop] += weave(colour, own, (stop - top, canvas.shape[1]), scale)
    part.alpha[:top] *= np.logical_or.accumulate(canvas.person[:top], axis=0)  # only below what is seen
    return part, edge_cut


def borders_of(
    bones: tuple[str, ...], fit: BodyFit, template: BodyTemplate, shape: tuple[int, int]
) -> tuple[Array, Array]:
    """The borders, two of (h,) px, of what of the body model hangs on the ``bones``."""
    chosen = bone_share(template.triangle_weights, bones) > 0.5
    return _borders(fit.labels(template.triangles[chosen], shape) > 0)


def stand_off(row: Array | int, fit: BodyFit) -> Array:
    """Pixels by which a garment may stand off the body in each ``row``: it hangs from the waist."""
    from_waist = (row - fit.joints.hips[1]) / fit.scale + WAIST
    return fit.scale * np.clip(STAND_OFF_MIN + STAND_OFF_GROWS * from_waist, STAND_OFF_MIN, STAND_OFF_MAX)


def _hanging(canvas: Canvas, first: int, down: Array) -> tuple[Array, Array]:
    """The borders of a garment in the rows from ``first`` on, two of (N,) px; ``down`` (N,) is px below the edge.

    It begins as wide as the person is at the edge, as far as cloth may stand off a body there, falls over hips and
    legs, and grows wider downwards.
    """
    fit, scale, top = canvas.fit, canvas.fit.scale, canvas.top
    model = borders_of(UNDER_GARMENT, fit, canvas.template, canvas.shape)
    rows, reach = slice(first, first + len(down)), float(stand_off(top, fit))
    shown = [np.flatnonzero(canvas.person[row]) for row in range(first, top)]
    damped = FLARE_LENGTH * scale * (1 - np.exp(-down / (FLARE_LENGTH * scale)))
    apart = np.minimum(STAND_OFF_MIN * scale, 2 * FLARE_MIN * down)  # no ledge at the edge
    borders: list[Array] = []
    for side, (own, sign) in enumerate(zip(model, (1, -1), strict=True)):  # as if both were left ones
        seen = [sign * float(row[-side]) for row in shown if len(row)] or [sign * own[top]]
        # Mattes round the corners of a skirt; above the hips a wider row is a jacket's or a sleeve's.
        start = max(min(seen) if shows_skirt(canvas) else float(np.median(seen)), sign * own[top] - reach)
        hanging = np.minimum(start - _flare(canvas, side, scale) * damped, sign * own[rows] - apart)
        hanging = np.minimum.accumulate(np.where(down > 0, hanging, start))
        borders.append(sign * gaussian_smoothed(hanging, BORDER_SIGMA * scale))
    return borders[0], borders[1]


def shows_skirt(canvas: Canvas) -> bool:
    """Whether the picture ends below the crotch: what it shows there hangs."""
    return canvas.top > canvas.fit.joints.hips[1] + CROTCH * canvas.fit.scale


def _flare(canvas: Canvas, side: int, scale: float) -> float:
    """Pixels a row by which the person's left (0) or right (1) border goes outwards above the edge."""
    rows = canvas.top - 1 - np.array([0, round(FLARE_ROWS * scale)])
    if not shows_skirt(canvas):
        return FLARE_USUAL  # what is seen there is a waist's slope
    if rows.min() < 0 or not canvas.person[rows].any(1).all():
        return FLARE_MIN
    border = [np.flatnonzero(canvas.person[row])[-side] for row in rows]
    slope = (border[0] - border[1]) / (rows[0] - rows[1])
    return float(np.clip(slope if side else -slope, FLARE_MIN, FLARE_MAX))
