"""Completes what a picture's lower edge cuts off: the rest of a dress, of trousers or bare legs, and shoes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import LEGS, SIDES
from bodydouble.renderers.puppet.body.surface import both_limbs
from bodydouble.renderers.puppet.compositing.light import exact_lab
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.continued_parts import (
    COLOUR_FADE,
    WAIST,
    Canvas,
    Cut,
    Part,
    columns_of_legs,
    cut_at_edge,
    garment_below,
    leg_below,
    shoe_below,
)
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.extension import EDGE, SOLID, ExtendedPicture, skin_like
from bodydouble.renderers.puppet.picture.garment import CROTCH, garment_hem, one_piece_share, shirt_at_edge
from bodydouble.renderers.puppet.picture.layers import RIM_SIGMA
from bodydouble.renderers.puppet.picture.ledge import without_ledge
from bodydouble.renderers.puppet.picture.regions import closed, softened
from bodydouble.renderers.puppet.picture.segmentation import OPAQUE, Segmentation, split_legs
from bodydouble.renderers.puppet.picture.shading import (
    USUAL_LIGHT,
    body_light,
    lit_cloth,
    lit_skin,
)

Array = NDArray[np.float64]

HEM_REACH = 0.6
"""Decimetres above the picture's lower edge within which a garment's hem is the edge's."""
LONG_HEM, SHORT_HEM = 0.8, 0.0
"""Share of the shin, from the knee down, to which a cut off dress or robe and a cut off skirt are continued."""
LONG_MIN = 0.82
"""Share of one colour from chest to edge from which on a garment is a long dress or robe rather than a skirt. Measured:
dresses and robes 0.85 to 1.0, a skirt in the colour of its belt 0.79."""
CORNER = 1.2
"""Pixels a row by which a seated person's garment may be wider above the edge than below it."""
DARK_LIGHTNESS, DARK_CHROMA = 28.0, 0.4
"""L* of made-up trousers at most, and the share of the cloth's chroma that they and shoes have: a bodysuit in the
colour of a bright shirt is rare. Chosen by eye on headshots."""
UNLIKE = 14.0
"""L* by which made-up trousers differ from a dark shirt: a body in one colour is a diver's."""
SHOE_LIGHTNESS, SHOE_SHARE = 18.0, 0.6
"""L* that a made-up shoe may always have, and the share of the cloth's L* that it may have else: dark shoes below a
white dress vanish before a dark floor. Chosen by eye on the development clips."""
BARE_DARKER = 40.0
"""L* by which bare legs may be darker than the face: brown trousers have the hue of skin. Measured: 53 for those."""
HEM_LOWER, HEM_HALF = 0.2, 1.6
"""Decimetres by which a made-up shirt reaches lower in the middle than at its sides, and half its width there."""
HEM_SHADE, HEM_SHADE_REACH = 0.35, 0.15
"""Shade that a shirt casts on the trousers, and the decimetres over which it fades. Chosen by eye on headshots."""
SHIRT_BELOW_HIPS, LEGS_BELOW_HIPS = 0.0, 0.6
"""Decimetres below the hips where a made-up shirt ends, and above which the picture shows no legs. Chosen by eye on
headshots: of somebody who crouches, a longer shirt lies between the thighs."""


@dataclass(frozen=True, kw_only=True)
class LowerBody:
    """A picture with its lower body complete, and its parts."""

    cutout: Cutout
    parts: Segmentation


def complete_lower_body(
    extended: ExtendedPicture, segmentation: Segmentation, fit: BodyFit, template: BodyTemplate, skin: Array
) -> LowerBody:
    """The cut-out of ``extended`` with garment, trousers, legs and shoes where its edge cuts them off.

    The parts of the answer have legs. ``skin`` (3,) is 0-255.
    """
    cutout, edge = extended.cutout, extended.edge
    nowhere = np.zeros_like(extended.made_up)
    arms = np.any([*(mask for name, mask in segmentation.parts.items() if name.startswith("arm")), nowhere], axis=0)
    person = (cutout.alpha > OPAQUE) & ~extended.made_up & ~arms
    image = np.clip(cutout.colour, 0, 255).astype(np.uint8)
    bare = skin_like(cutout.colour, skin, person & (cutout.alpha > SOLID))
    background = cutout.alpha <= OPAQUE
    hem = garment_hem(image, person, bare, background, edge, fit, template)
    if not extended.made_up[edge:].any():
        return LowerBody(cutout=cutout, parts=split_legs(segmentation, fit, template, hem))
    only_arms = not person[edge - EDGE - 1].any()  # as crossed ones: what goes on below them is the shirt
    bare &= skin_like(cutout.colour, skin, bare, BARE_DARKER)
    canvas = Canvas(extended=extended, fit=fit, template=template, person=person, bare=bare, arms=arms)
    if hem is not None and not only_arms and hem >= edge - HEM_REACH * fit.scale:
        canvas, segmentation = without_ledge(canvas, segmentation)
        long = one_piece_share(image, person, edge, fit) >= LONG_MIN
        hem = _continued_hem(fit, edge, len(person), LONG_HEM if long else SHORT_HEM)
        return _with_garment(canvas, segmentation, garment_below(canvas, hem), hem, skin)
    shirt = only_arms or (hem is None and shirt_at_edge(image, person, bare, background, edge, fit, template))
    return _with_legs(canvas, segmentation, hem, shirt=shirt)


def _with_legs(canvas: Canvas, segmentation: Segmentation, hem: float | None, *, shirt: bool) -> LowerBody:
    """Two legs below the edge, as it cuts them off.

    Where the picture ends above the hips, or what it cuts off is a ``shirt``, they are in dark trousers.
    """
    fit, top = canvas.fit, canvas.top
    legs_begin = round(fit.joints.hips[1] + LEGS_BELOW_HIPS * fit.scale)
    crotch = fit.joints.hips[1] + CROTCH * fit.scale
    colour = _lit_trunk(canvas)
    whole = cut_at_edge(canvas, np.ones(canvas.shape[1], np.bool_))
    made_up = canvas.extended.made_up & canvas.rows(top)
    cloth = whole.usual if whole is not None else np.median(colour[made_up], axis=0).astype(np.float64)
    cuts: dict[str, Cut | None] = dict.fromkeys(SIDES)
    first = max(top, legs_begin)
    usual: dict[str, Array] = dict.fromkeys(SIDES, cloth)
    bare: dict[str, bool] = dict.fromkeys(SIDES, False)
    if shirt or top < legs_begin:
        waist = max(top, round(fit.joints.hips[1] + SHIRT_BELOW_HIPS * fit.scale))
        below = below_shirt(canvas.shape, fit, waist)
        above = canvas.extended.made_up & ~canvas.arms & ~canvas.rows(waist) & canvas.rows(waist - fit.scale)
        dark = trousers_colour(np.median(colour[above], axis=0).astype(np.float64) if above.any() else cloth)
        usual = dict.fromkeys(SIDES, dark)
        _, light = body_light(fit, canvas.template, None, canvas.shape, cloth=True)
        colour = in_trousers(colour, below, ~canvas.arms, dark, light)
    else:
        for side, columns in columns_of_legs(canvas).items():
            cut = cut_at_edge(canvas, columns)
            if cut is not None and whole is not None:  # both legs wear the same
                cuts[side], usual[side], bare[side] = cut, whole.usual, whole.bare
    order = sorted(SIDES, key=lambda side: -float(fit.joints.points[LEGS[side].joints[1], 2]))
    legs = {side: leg_below(canvas, side, first, cuts[side], usual[side], bare[side]) for side in order}
    trunk = canvas.extended.made_up & ~canvas.rows(crotch)
    colours = {
        side: darkened(usual[side], SHOE_LIGHTNESS) if bare[side] else shoe_colour(usual[side]) for side in SIDES
    }
    shoes = {side: shoe_below(canvas, side, colours[side], usual[side] if bare[side] else None) for side in SIDES}
    # Trousers fall over shoes, bare legs stand in them.
    worn = [part for side in order for part in ((legs[side], shoes[side]) if bare[side] else (shoes[side], legs[side]))]
    cutout = _composed(canvas, worn, trunk, colour)
    parts = split_legs(segmentation, fit, canvas.template, hem)
    masks = dict(parts.parts)
    for side, leg in legs.items():
        if leg is not None and f"leg_{side}" in masks:
            mine = (leg.alpha > 0.5) & canvas.rows(max(first, crotch)) & ~canvas.arms
            masks = {name: mask | mine if name == f"leg_{side}" else mask & ~mine for name, mask in masks.items()}
    return LowerBody(cutout=cutout, parts=replace(parts, parts=masks))


def below_shirt(shape: tuple[int, int], fit: BodyFit, waist: float) -> Floats:
    """(h, w) decimetres below the round hem of a shirt that ends at the row ``waist`` at its sides."""
    rows = (np.arange(shape[0], dtype=np.float32) - np.float32(waist))[:, None]
    aside = (np.arange(shape[1], dtype=np.float32) - np.float32(fit.joints.hips[0]))[None]
    away = np.minimum(np.abs(aside) / np.float32(HEM_HALF * fit.scale), 1)
    return np.asarray(rows / np.float32(fit.scale) - np.float32(HEM_LOWER) * (1 - away * away), np.float32)


def in_trousers(colour: Floats, below: Floats, where: Mask, trousers: Array, light: Floats) -> Floats:
    """``colour`` (h, w, 3) 0-255, in place, with ``trousers`` (3,) 0-255 ``where`` (h, w) is ``below`` a shirt.

    ``below`` (h, w) is that of ``below_shirt``, ``light`` (h, w) the body's.
    """
    shade = np.float32(HEM_SHADE) * np.exp(-np.maximum(below, 0) / np.float32(HEM_SHADE_REACH))
    worn = (below >= 0) & where
    colour[worn] = lit_cloth(np.asarray(trousers, np.float32), (light - shade)[worn])
    return colour


def _lit_trunk(canvas: Canvas) -> Floats:
    """(h, w, 3) the picture's colours, with the body's light and shade in what is made up of trunk and arms."""
    colour = canvas.extended.cutout.colour.copy()
    made_up = canvas.extended.made_up
    down = (np.arange(canvas.shape[0])[:, None] - canvas.top) / canvas.fit.scale
    if made_up.any():
        _, light = body_light(canvas.fit, canvas.template, None, canvas.shape, cloth=True)
        light = USUAL_LIGHT + smoothstep(0, COLOUR_FADE, down) * (light - USUAL_LIGHT)
        colour[made_up] = lit_cloth(colour[made_up], light[made_up].astype(np.float32))
    naked = canvas.extended.naked
    if naked.any():
        _, light = body_light(canvas.fit, canvas.template, None, canvas.shape)
        light = 1 + smoothstep(0, COLOUR_FADE, down) * (light - 1)
        colour[naked] = lit_skin(canvas.extended.cutout.colour[naked], light[naked].astype(np.float32))
    return colour


def _composed(canvas: Canvas, parts: Sequence[Part | None], trunk: Mask, colour: Floats) -> Cutout:
    """The cut-out of ``colour`` (h, w, 3) with ``parts``, the later before the earlier, and the ``trunk`` (h, w)."""
    below = canvas.rows(canvas.top)
    alpha = canvas.extended.cutout.alpha
    shown = (trunk | canvas.arms | ~canvas.extended.made_up) & (alpha > 0.5)
    painted = canvas.rows(canvas.top - EDGE) & shown
    for part in (part for part in parts if part is not None):
        inside = (part.alpha > 0) & (below | (alpha <= 0.5)) & ~canvas.arms
        colour[inside] = part.colour[inside]
        shown |= (part.alpha > 0.5) & inside
        painted |= inside
    # Parts and what is seen are closed and softened as one: no line shows between them.
    seam = canvas.rows(canvas.top - 2 * EDGE) & ~canvas.rows(canvas.top + EDGE) & ~canvas.arms
    gap = closed(shown, EDGE) & seam & ~shown
    shown, painted = shown | gap, painted | gap
    soft = softened(shown, RIM_SIGMA)
    alpha = np.where(below, soft, np.where(painted, np.maximum(soft, alpha), alpha))
    return Cutout(alpha=np.asarray(alpha, np.float32), colour=np.asarray(colour, np.float32))


def _with_garment(
    canvas: Canvas, segmentation: Segmentation, made: tuple[Part, Cut] | None, hem: float, skin: Array
) -> LowerBody:
    """A garment below the edge, and bare legs and shoes below its ``hem``."""
    fit, template = canvas.fit, canvas.template
    if made is None:
        return LowerBody(cutout=canvas.extended.cutout, parts=split_legs(segmentation, fit, template, hem))
    garment, cut = made
    first = max(canvas.top, int(hem) + 1)  # above a round hem the trunk would carry them
    legs = [leg_below(canvas, side, first, None, skin, True) for side in SIDES]
    shoes = [shoe_below(canvas, side, shoe_colour(cut.usual), skin) for side in SIDES]
    nothing = np.zeros(canvas.shape, np.bool_)
    cutout = _composed(canvas, [*legs, *shoes, garment], nothing, canvas.extended.cutout.colour.copy())
    cutout = replace(cutout, alpha=_without_corners(canvas, cutout.alpha, cut))
    separate = _without_arms(segmentation, garment.alpha > 0, fit, template)
    return LowerBody(cutout=cutout, parts=split_legs(separate, fit, template, hem))


def _without_corners(canvas: Canvas, alpha: Floats, cut: Cut) -> Floats:
    """``alpha`` (h, w) without what a seated person's garment covers beside what is made up of it."""
    up = (canvas.top - np.arange(canvas.shape[0]))[:, None]
    x = np.arange(canvas.shape[1])[None]
    outside = np.maximum(cut.columns[0] - x, x - cut.columns[1]) - CORNER * up
    keep = canvas.arms | (up <= 0) | (up > canvas.top - canvas.fit.joints.hips[1] + WAIST * canvas.fit.scale)
    return np.asarray(np.where(keep, alpha, alpha * np.clip(0.5 - outside, 0, 1)), np.float32)


def shoe_colour(cloth: Array) -> Array:
    """(3,) 0-255 the colour of shoes that go with ``cloth`` (3,) 0-255."""
    return darkened(cloth, max(SHOE_LIGHTNESS, SHOE_SHARE * float(exact_lab(cloth)[0])))


def trousers_colour(shirt: Array) -> Array:
    """(3,) 0-255 the colour of trousers below a ``shirt`` (3,) 0-255: dark, and unlike a dark shirt's."""
    lightness = float(exact_lab(shirt)[0])
    if lightness > DARK_LIGHTNESS + UNLIKE:
        return darkened(shirt, DARK_LIGHTNESS)
    return darkened(shirt, lightness - UNLIKE) if lightness > DARK_LIGHTNESS else brightened(shirt, UNLIKE)


def darkened(colour: Array, lightness_max: float) -> Array:
    """(3,) 0-255 a dark, greyer cloth that goes with ``colour`` (3,) 0-255."""
    lab = exact_lab(colour)
    return _greyer(lab, lab[0] * np.float32(min(1.0, lightness_max / max(float(lab[0]), 1.0))))


def brightened(colour: Array, more: float) -> Array:
    """(3,) 0-255 a greyer cloth whose L* is ``more`` than that of ``colour`` (3,) 0-255."""
    lab = exact_lab(colour)
    return _greyer(lab, lab[0] + np.float32(more))


def _greyer(lab: Floats, lightness: np.float32) -> Array:
    """(3,) 0-255 RGB of a colour with the hue of ``lab`` (3,), less of its chroma, and that ``lightness`` (L*)."""
    cloth = np.array([lightness, *(lab[1:] * np.float32(DARK_CHROMA))], np.float32)
    return 255 * np.clip(cv2.cvtColor(cloth[None, None], cv2.COLOR_Lab2RGB), 0, 1).astype(np.float64)[0, 0]


def _continued_hem(fit: BodyFit, edge: int, height: int, share: float) -> float:
    """The row at ``share`` of the shins, below the picture's ``edge`` and above the lower end of what is made up."""
    points = fit.joints.points
    knees, ankles = (np.mean([points[LEGS[side].joints[k], 1] for side in SIDES]) for k in (1, 2))
    return float(np.clip(knees + share * (ankles - knees), edge, height - 1))


def _without_arms(segmentation: Segmentation, garment: Mask, fit: BodyFit, template: BodyTemplate) -> Segmentation:
    """``segmentation`` with the ``garment`` (h, w) the rest's, but for where the body model's arms are before it."""
    shape = (garment.shape[0], garment.shape[1])
    either = both_limbs(template, "arm")
    mine = garment & ~(fit.labels(template.triangles[either], shape) > 0)
    parts = {name: mask | mine if name == "rest" else mask & ~mine for name, mask in segmentation.parts.items()}
    return replace(segmentation, parts=parts)
