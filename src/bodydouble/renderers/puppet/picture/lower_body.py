"""Makes up the parts that a picture's lower edge cuts off: the rest of a dress or of trousers, bare shins, shoes."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.smoothing import gaussian_smoothed
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import LEGS, SIDES
from bodydouble.renderers.puppet.body.surface import LIMB_BONES, continued, label_triangles, limb_triangles
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.extension import EDGE, SOLID, ExtendedPicture, skin_like
from bodydouble.renderers.puppet.picture.garment import CROTCH, garment_hem, legs_mask, one_piece_share
from bodydouble.renderers.puppet.picture.layers import RIM_SIGMA, shaded_part
from bodydouble.renderers.puppet.picture.regions import softened, widened
from bodydouble.renderers.puppet.picture.segmentation import OPAQUE, Segmentation, split_legs

Array = NDArray[np.float64]

HEM_REACH = 0.6
"""Decimetres above the picture's lower edge within which a garment's hem is the edge's."""
LONG_HEM, SHORT_HEM = 0.8, 0.0
"""Share of the shin, from the knee down, to which a cut off dress or robe and a cut off skirt are continued."""
STRIP = 0.4
"""Decimetres above the edge whose mean colours go on below it, column by column: pleats stay straight."""
STRIP_SIGMA = 1.0
"""Standard deviation in pixels by which these colours are smoothed along the row."""
STAND_OFF_MAX, STAND_OFF_MIN = 1.2, 0.15
"""Decimetres by which a continued garment stands off the body's legs at most, at the edge, and at least."""
LONG_MIN = 0.82
"""Share of one colour from chest to edge from which on a garment is a long dress or robe rather than a skirt. Measured:
dresses and robes 0.85 to 1.0, a skirt in the colour of its belt 0.79."""
PLEATS_KEPT = 0.5
"""Share of the edge's light and dark columns that is left at the hem of a continued garment."""
SHOE_SIGMA = 0.15
"""Decimetres over which a made-up shoe's outline is smoothed."""
A_LINE = 0.05
"""Pixels by which a continued garment widens on each side with every row. Chosen by eye on the development clips."""
TROUSERS_WIDTH, TROUSERS_TAPER = 0.12, 0.8
"""Decimetres by which made-up trousers are wider than the legs, and their width at the ankle over that at the knee.
Chosen by eye on the development clips."""
SHOE_WIDTH = 0.1
"""Decimetres by which a made-up shoe is larger than the body model's bare foot, whose toes it hides."""
DARK_LIGHTNESS, DARK_CHROMA = 28.0, 0.4
"""L* of made-up trousers at most, and the share of the cloth's chroma that they and shoes have: a bodysuit in the
colour of a bright shirt is rare. Chosen by eye on headshots."""
SHOE_LIGHTNESS, SHOE_SHARE = 18.0, 0.6
"""L* that a made-up shoe may always have, and the share of the cloth's L* that it may have else: dark shoes below a
white dress vanish before a dark floor. Chosen by eye on the development clips."""
SHIRT_BELOW_HIPS = 0.6
"""Decimetres below the hips where a made-up shirt ends. Chosen by eye on headshots."""
CLOTH_SHADE = 0.5
"""How much of the light and shade of bare limbs made-up cloth has. Chosen by eye on the development clips."""


@dataclass(frozen=True, kw_only=True)
class LowerBody:
    """A picture with its lower body complete, and its parts."""

    cutout: Cutout
    parts: Segmentation


def complete_lower_body(
    extended: ExtendedPicture, segmentation: Segmentation, fit: BodyFit, template: BodyTemplate, skin: Array
) -> LowerBody:
    """The cut-out of ``extended`` with garment, trousers, shins and shoes where its edge cuts them off.

    The parts of the answer have legs. ``skin`` (3,) is 0-255.
    """
    cutout, edge = extended.cutout, extended.edge
    arms = [mask for name, mask in segmentation.parts.items() if name.startswith("arm")]
    person = (cutout.alpha > OPAQUE) & ~extended.made_up & ~np.any([*arms, np.zeros_like(extended.made_up)], axis=0)
    image = np.clip(cutout.colour, 0, 255).astype(np.uint8)
    hem = garment_hem(image, person, edge, fit, template)
    cut_off = hem is not None and hem >= edge - HEM_REACH * fit.scale
    cloth = person & (cutout.alpha > SOLID)
    cloth &= ~skin_like(cutout.colour, skin, cloth)
    row = _cloth_row(cutout.colour, cloth, edge, fit.scale)
    if not extended.made_up[edge:].any() or row is None or (hem is not None and not cut_off):
        return LowerBody(cutout=cutout, parts=split_legs(segmentation, fit, template, hem))
    if not cut_off:
        either = np.any([*arms, np.zeros_like(extended.made_up)], axis=0)
        dressed = _with_trousers(cutout, extended, fit, template, row, either)
        return LowerBody(cutout=dressed, parts=split_legs(segmentation, fit, template, None))
    long = one_piece_share(image, person, edge, fit) >= LONG_MIN
    hem = _continued_hem(fit, edge, len(person), LONG_HEM if long else SHORT_HEM)
    garment = _garment(row, edge, hem, fit, template, person.shape)
    dressed = _with_garment(cutout, extended, fit, template, skin, garment)
    parts = _without_arms(segmentation, garment.alpha > 0, fit, template)
    return LowerBody(cutout=dressed, parts=split_legs(parts, fit, template, hem))


@dataclass(frozen=True, kw_only=True)
class _ClothRow:
    """The cloth just above the picture's edge."""

    colours: Array  # (w, 3) 0-255, beside the cloth as its nearest column
    seen: NDArray[np.bool_]  # (w,) columns with cloth


def _cloth_row(colour: Floats, cloth: Mask, edge: int, scale: float) -> _ClothRow | None:
    """Mean colours of the ``cloth`` (h, w) just above the ``edge``; None where there is none."""
    last = edge - EDGE
    rows = np.s_[max(0, last - max(2, round(STRIP * scale))) : last]
    count = np.count_nonzero(cloth[rows], axis=0)
    seen = count > 0
    if not seen.any():
        return None
    sums = (colour[rows] * cloth[rows][..., None]).sum(0, dtype=np.float64)
    columns = np.flatnonzero(seen)
    means = sums[columns] / count[columns, None]
    everywhere = np.arange(len(seen))
    filled = np.stack([np.interp(everywhere, columns, means[:, k]) for k in range(3)], 1)
    return _ClothRow(colours=gaussian_smoothed(filled, STRIP_SIGMA), seen=seen)


def _continued_hem(fit: BodyFit, edge: int, height: int, share: float) -> float:
    """The row at ``share`` of the shins, below the picture's ``edge`` and above the lower end of what is made up."""
    points = fit.joints.points
    knees, ankles = (np.mean([points[LEGS[side].joints[k], 1] for side in SIDES]) for k in (1, 2))
    return float(np.clip(knees + share * (ankles - knees), edge, height - 1))


@dataclass(frozen=True, kw_only=True)
class _Garment:
    """The part of a garment below the picture's edge."""

    alpha: Floats  # (h, w) 0-1
    colour: Floats  # (h, w, 3) 0-255
    shoe: Array  # (3,) 0-255 a dark colour that goes with it


def _garment(
    row: _ClothRow, edge: int, hem: float, fit: BodyFit, template: BodyTemplate, shape: tuple[int, ...]
) -> _Garment:
    """The cloth of ``row`` from the ``edge`` down to the ``hem``, around both legs and between them."""
    height, width = shape
    both = np.any(list(legs_mask(fit, template, (height, width)).values()), axis=0)
    start, stop = edge - EDGE, int(hem) + 1
    widest = max(start, round(fit.joints.hips[1] + CROTCH * fit.scale))
    thighs = np.flatnonzero(both[widest] if both[widest].any() else both.any(0))
    low, high, columns = int(thighs.min()), int(thighs.max()), np.flatnonzero(row.seen)
    reach = STAND_OFF_MAX * fit.scale
    left, right = max(min(int(columns.min()), low), low - reach), min(max(int(columns.max()), high), high + reach)
    down = np.arange(stop - start)
    legs = np.array([(c.min(), c.max()) if len(c := np.flatnonzero(both[y])) else (low, high) for y in start + down])
    apart = np.minimum(STAND_OFF_MIN * fit.scale, 2 * A_LINE * down)  # no ledge at the edge
    lefts = np.minimum.accumulate(np.minimum(left - A_LINE * down, legs[:, 0] - apart))[:, None]
    rights = np.maximum.accumulate(np.maximum(right + A_LINE * down, legs[:, 1] + apart))[:, None]
    x = np.arange(width)[None]
    alpha, colour = np.zeros((height, width), np.float32), np.zeros((height, width, 3), np.float32)
    alpha[start:stop] = np.clip(np.minimum(x - lefts, rights - x) + 0.5, 0, 1)
    source = left + (x - lefts) / np.maximum(rights - lefts, 1) * (right - left)
    drawn = np.stack([np.interp(source, np.arange(width), row.colours[:, k]) for k in range(3)], -1)
    usual = np.median(row.colours[row.seen], axis=0)
    kept = 1 - (1 - PLEATS_KEPT) * down[:, None, None] / max(len(down), 1)
    colour[start:stop] = usual + kept * (drawn - usual)
    return _Garment(alpha=alpha, colour=colour, shoe=shoe_colour(usual))


def _with_garment(
    cutout: Cutout, extended: ExtendedPicture, fit: BodyFit, template: BodyTemplate, skin: Array, garment: _Garment
) -> Cutout:
    """``cutout`` with the ``garment`` below the edge, and bare shins and shoes below its hem."""
    shape = (garment.alpha.shape[0], garment.alpha.shape[1])
    below = np.arange(shape[0])[:, None] >= extended.edge - EDGE
    colour = cutout.colour.copy()
    colour[extended.made_up] = skin
    bones = tuple(f"{bone}_{side}" for side in SIDES for bone in LIMB_BONES["leg"])
    bare, shaded = shaded_part(fit, template, bones, skin, shape)
    bare &= below
    colour[bare] = shaded[bare]
    shoes = _shoes(fit, template, shape) & below
    colour[shoes] = garment.shoe
    inside = garment.alpha > 0
    colour[inside] = garment.colour[inside]
    # Garment, legs and what is seen are softened as one: no line shows between them.
    whole = np.maximum(garment.alpha, bare | shoes | (~extended.made_up & (cutout.alpha > 0.5)))
    soft = cv2.GaussianBlur(whole.astype(np.float32), (0, 0), RIM_SIGMA)
    return Cutout(alpha=np.asarray(np.where(below, soft, cutout.alpha), np.float32), colour=colour)


def _with_trousers(
    cutout: Cutout, extended: ExtendedPicture, fit: BodyFit, template: BodyTemplate, row: _ClothRow, arms: Mask
) -> Cutout:
    """``cutout`` with trousers and shoes below the edge; where the picture ends above the hips they are dark ones.

    ``arms`` (h, w) that hang beside them keep their colours.
    """
    shape = (extended.made_up.shape[0], extended.made_up.shape[1])
    usual = np.median(row.colours[row.seen], axis=0)
    colour = cutout.colour.copy()
    top = extended.edge - EDGE
    crotch = fit.joints.hips[1] + CROTCH * fit.scale
    if extended.edge < crotch:
        top = max(top, round(fit.joints.hips[1] + SHIRT_BELOW_HIPS * fit.scale))
        colour[top:][~arms[top:]] = darkened(usual, DARK_LIGHTNESS)
    below = np.arange(shape[0])[:, None] >= top
    trousers = widened(_tapered_legs(fit, template, shape), TROUSERS_WIDTH * fit.scale) & below
    bones = tuple(f"{bone}_{side}" for side in SIDES for bone in LIMB_BONES["leg"])
    seen, white = shaded_part(fit, template, bones, np.full(3, 255.0), shape)
    shade = 1 - CLOTH_SHADE + CLOTH_SHADE * continued(white[..., :1] / 255, seen)
    shoes = _shoes(fit, template, shape) & below & ~trousers
    colour = np.where((below & ~arms)[..., None], colour * shade, colour)
    colour[shoes] = shoe_colour(usual) * shade[shoes]
    whole = softened(trousers | shoes | (cutout.alpha > 0.5), RIM_SIGMA)
    alpha = np.where(below, np.maximum(whole, cutout.alpha), cutout.alpha)
    return Cutout(alpha=np.asarray(alpha, np.float32), colour=np.asarray(colour, np.float32))


def _tapered_legs(fit: BodyFit, template: BodyTemplate, shape: tuple[int, int]) -> Mask:
    """(h, w) the legs down to the ankles, with straight outlines below the knees."""
    result = np.zeros(shape, np.uint8)
    for side in SIDES:
        bones = [f"{bone}_{side}" for bone in ("thigh", "calf")]
        mask, _ = shaded_part(fit, template, tuple(bones), np.zeros(3), shape)
        result |= mask.astype(np.uint8)
        knee, ankle = (np.round(fit.joints.points[LEGS[side].joints[k], :2]).astype(int) for k in (1, 2))
        if not 0 <= knee[1] < shape[0] or not mask[knee[1]].any():
            continue
        columns = np.flatnonzero(mask[knee[1]])
        half = TROUSERS_TAPER * (columns.max() - columns.min()) / 2
        corners = [[columns.min(), knee[1]], [columns.max(), knee[1]], ankle + [half, 0], ankle - [half, 0]]
        cv2.fillConvexPoly(result, np.round(np.array(corners, np.float64)).astype(np.int32), 1)
    return result > 0


def _shoes(fit: BodyFit, template: BodyTemplate, shape: tuple[int, int]) -> Mask:
    """(h, w) the feet, larger than bare ones."""
    feet, _ = shaded_part(fit, template, tuple(f"foot_{side}" for side in SIDES), np.zeros(3), shape)
    return softened(widened(feet, SHOE_WIDTH * fit.scale), SHOE_SIGMA * fit.scale) > 0.5


def shoe_colour(cloth: Array) -> Array:
    """(3,) 0-255 the colour of shoes that go with ``cloth`` (3,) 0-255."""
    lab = cv2.cvtColor(np.asarray(cloth / 255, np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2Lab)
    return darkened(cloth, max(SHOE_LIGHTNESS, SHOE_SHARE * float(lab[0, 0, 0])))


def darkened(colour: Array, lightness_max: float) -> Array:
    """(3,) 0-255 a dark, greyer cloth that goes with ``colour`` (3,) 0-255."""
    lab = cv2.cvtColor(np.asarray(colour / 255, np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2Lab)
    lab *= np.array([min(1.0, lightness_max / max(float(lab[0, 0, 0]), 1.0)), DARK_CHROMA, DARK_CHROMA], np.float32)
    return 255 * np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), 0, 1).astype(np.float64)[0, 0]


def _without_arms(segmentation: Segmentation, garment: Mask, fit: BodyFit, template: BodyTemplate) -> Segmentation:
    """``segmentation`` with the ``garment`` (h, w) the rest's, but for where the body model's arms are before it."""
    shape = (garment.shape[0], garment.shape[1])
    either = limb_triangles(template, "arm", "l", 0.5) | limb_triangles(template, "arm", "r", 0.5)
    mine = garment & ~(label_triangles(fit.vertices, template.triangles[either], shape) > 0)
    parts = {name: mask | mine if name == "rest" else mask & ~mine for name, mask in segmentation.parts.items()}
    return replace(segmentation, parts=parts)
