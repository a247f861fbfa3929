"""Continues a person below the picture's lower edge, from the body model and the cloth above it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.trunk import SHOULDERS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS, SIDES
from bodydouble.renderers.puppet.body.surface import bone_share, both_limbs
from bodydouble.renderers.puppet.compositing.light import exact_lab, lab_of
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.carried_on import carried_on
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.neckline import is_within_reach, skin_below, with_skin
from bodydouble.renderers.puppet.picture.regions import closed, filled, opened, softened, widened

Array = NDArray[np.float64]

CUT_OFF = 0.5
"""Alpha at the lower edge from which on the picture cuts the person off."""
SOLID = 0.9
"""Alpha above which a pixel's colour is the person's alone. Chosen by eye on the development clips."""
EDGE = 3
"""Rows at the lower edge whose colours the picture's own border spoils."""
BELOW_HIPS = 2.5
"""Decimetres below the hips that are made up where no legs are to be seen."""
MARGIN = 0.5
"""Decimetres of room around what is made up."""
NECKLINE = 0.2
"""Decimetres around face and neck that count as skin."""
SOURCE_ROWS = 1.0
"""Decimetres above the edge in which cloth has to be seen."""
CLOTH_MIN = 0.02
"""Smallest area of that cloth in square decimetres."""
SKIN_HUE, SKIN_LIGHTER, SKIN_DARKER = 10.0, 30.0, 60.0
"""Distances in CIELAB, of a and b together and of L, up to which a colour is skin and no cloth, lit or in the shade."""
BARE_SHARE, BARE_DARKER, BARE_SPREAD = 0.5, 50.0, 2.5
"""Share of a limb's pixels that are skin from which it is bare; levels (0-255) by which skin beside it may be darker at
least, and for each level by which its own brightness spreads. Chosen by eye on the development clips."""
CLOTH_KINDS, CLOTH_SHARE_MIN, CLOTH_ROUNDS = 3, 0.35, 10
"""Colours that cloth near the edge is sorted into, and the share of one that goes on: straps and shadows do not."""
PLAIN, PLAIN_SHARE, PLAINER = 0.8, 0.6, 2.0
"""Decimetres below the edge over which the light and shade of its folds fade, the share of the usual shade there, and
that many times as far down nothing else is left. Chosen by eye on half bodies."""
NECKLACE = 0.25
"""Decimetres: gaps up to this width in the skin at the edge are closed."""
JACKET = 0.7
"""Decimetres by which made-up cloth of a trunk is wider than the body at most, at the edge. Chosen by eye."""
SLEEVE_FADE, STEP = 2.0, 5
"""Decimetres below the edge over which arms that are wider there become the body's, and pixels by which their outline
moves from row to row at most. Chosen by eye on half bodies."""
ARM_SHARE = 0.5
"""Weight of an arm's bones from which on a triangle is no trunk's."""
SHOULDER_SLOPE, SHOULDER_ROUND = 2.2, 0.2
"""Pixels outwards for one down by which made-up shoulders fall at least, and the decimetres over which they are round.
Chosen by eye on headshots."""
SLEEVE_SLOPE = 0.6
"""The same below an edge under the shoulders, where arms and hips may be wider. Chosen by eye on half bodies."""
SHOULDER_RADIUS, DELTOID = 0.5, 1.2
"""Decimetres of the rounding of made-up shoulders' outer ends, and below the joints down to which they reach: an upper
arm is wider than twice the radius. Chosen by eye on headshots."""
SIDE_GAP = 1.0
"""Decimetres of background up to which a gap at a picture's side lies between parts of one shoulder and arm."""
SHOULDER_RISE = 0.7
"""Decimetres above the shoulders' joints from which on what a side cuts off are shoulders, and no hair. By eye."""
GREY = 3.0
"""Chroma of skin up to which the picture has no colours, by which skin is told."""
WIDTH = 0.12
"""Decimetres by which made-up cloth is wider than the body."""


@dataclass(frozen=True, kw_only=True)
class ExtendedPicture:
    """A picture that reaches down to where the body does; rows from ``edge`` on are made up."""

    image: Image  # (h, w, 3)
    cutout: Cutout  # of the same size
    made_up: Mask  # (h, w)
    naked: Mask  # (h, w) what of it is skin
    edge: int


def extend_below(
    image: Image,
    cutout: Cutout,
    fit: BodyFit,
    template: BodyTemplate,
    bare: Mask,
    skin: Array,
    *,
    legs: bool,
    margins: tuple[int, int] = (0, 0),
) -> ExtendedPicture:
    """``image`` (h, w, 3) and its cut-out with the body continued below the edge that cuts it off.

    Colours come from the cloth above the edge, not from skin: neither from the ``bare`` (h, w) face and neck nor from
    what has the face's colour ``skin`` (3,) 0-255. ``legs``: down to the feet, else to the thighs. Within the
    ``margins``, columns at the left and right, the body is made up too. A person that the picture shows whole is
    returned as it is.
    """
    height, width = cutout.alpha.shape
    if cutout.alpha[-EDGE:].max() < CUT_OFF:
        nothing = np.zeros((height, width), np.bool_)
        return ExtendedPicture(image=image, cutout=cutout, made_up=nothing, naked=nothing, edge=height)
    lowest = float(fit.vertices[:, 1].max()) if legs else float(fit.joints.hips[1] + BELOW_HIPS * fit.scale)
    more = max(0, int(np.ceil(lowest + MARGIN * fit.scale)) - height)
    shape = (height + more, width)
    body = _body_alone(fit, template, shape)
    alpha = np.asarray(cv2.copyMakeBorder(cutout.alpha, 0, more, 0, 0, cv2.BORDER_CONSTANT, value=0), np.float32)
    columns = np.arange(width)[None]
    beside = (columns < margins[0]) | (columns >= width - margins[1])
    under = np.broadcast_to(np.arange(shape[0])[:, None] >= height - EDGE, shape)
    below = under | beside
    body = widened(body, WIDTH * fit.scale) | _trunk_as_wide_as_shown(cutout.alpha, fit, template, shape)
    body |= _outside_arms(cutout.alpha, body, fit)
    body = body & ~_above_shoulders(cutout.alpha, margins, shape, fit.scale) | _beside_shoulders(
        cutout.alpha, margins, body, fit
    )
    body = _falling_shoulders(cutout.alpha, body & below, fit)
    made_up = _rounded_shoulders(alpha, body & (alpha < CUT_OFF), fit)
    if not legs:
        made_up[int(lowest) :] = False
    cloth, shown = _cloth_and_skin(cutout, bare, skin, fit)
    naked = skin_below(shown[height - EDGE - 1], shape, height - EDGE, fit, template)
    colour = _colours_below(cutout, made_up, under, beside, cloth, shown, naked, skin, fit.scale)
    # Both sides of the edge are softened as one: a seam would let the background through.
    alpha = np.maximum(alpha, softened(made_up | (alpha > CUT_OFF), 1.0) * below)
    wide = np.asarray(cv2.copyMakeBorder(image, 0, more, 0, 0, cv2.BORDER_REPLICATE), np.uint8)
    return ExtendedPicture(
        image=wide,
        cutout=replace(cutout, alpha=np.asarray(alpha, np.float32), colour=np.asarray(colour, np.float32)),
        made_up=made_up,
        naked=naked & made_up,
        edge=height,
    )


def _colours_below(
    cutout: Cutout,
    made_up: Mask,
    under: Mask,
    beside: Mask,
    cloth: Mask,
    flesh: Mask,
    naked: Mask,
    skin: Array,
    scale: float,
) -> Floats:
    """(H, w, 3) the colours of ``cutout`` (h, w), with cloth in what is ``made_up`` and ``under`` (H, w) the edge.

    ``beside`` (1, w) are the margins' columns, ``cloth`` (h, w) may go on without end, what else is seen near the edge,
    but for ``flesh`` (h, w). ``naked`` (H, w) is ``skin`` (3,).
    """
    height, more = len(cutout.alpha), len(made_up) - len(cutout.alpha)
    colour = np.asarray(cv2.copyMakeBorder(cutout.colour, 0, more, 0, 0, cv2.BORDER_REPLICATE), np.float32)
    alpha = np.asarray(cv2.copyMakeBorder(cutout.alpha, 0, more, 0, 0, cv2.BORDER_CONSTANT, value=0), np.float32)
    known = (alpha > SOLID) & ~under & ~beside
    source = cv2.copyMakeBorder(cloth.astype(np.uint8), 0, more, 0, 0, cv2.BORDER_CONSTANT, value=0) > 0
    source &= known
    # A portrait that shows nothing but a neck has no cloth to go on with.
    low = np.arange(len(made_up))[:, None] > height - SOURCE_ROWS * scale
    found = np.count_nonzero(source & low) >= CLOTH_SHARE_MIN * CLOTH_MIN * scale**2
    if found:
        colour = _plainer(filled(colour, source, made_up | under), source & low, height - EDGE, scale)
        carried_on(colour, cutout.colour, known[:height], flesh, (source & low)[:height], height - EDGE, scale)
    else:
        colour = filled(colour, known, made_up | under)
    if found and naked.any():
        colour = with_skin(colour, skin_like(colour, skin, known), naked, skin, under, scale)
    colour[known] = cutout.colour[known[:height]]  # what is filled bleeds a row upwards
    return colour


def _body_alone(fit: BodyFit, template: BodyTemplate, shape: tuple[int, int]) -> Mask:
    """(h, w) the body without its hands and head.

    An arm's layer draws the hands; cloth around them would be a glove's rim. The head is the picture's: beside hair
    that a side cuts off, the body's would stand out.
    """
    ends = (*(f"hand_{side}" for side in SIDES), "head")
    apart = bone_share(template.weights, ends)[template.triangles].mean(1) > 0.5
    return fit.labels(template.triangles[~apart], shape) > 0


def _above_shoulders(alpha: Floats, margins: tuple[int, int], shape: tuple[int, int], scale: float) -> Mask:
    """(h, w) the ``margins`` above shoulders that fall outwards from where the picture's sides cut the person."""
    mask, width = np.zeros(shape, np.bool_), shape[1]
    rows = np.arange(shape[0])[:, None]
    for columns, border, inside in (
        (np.arange(margins[0]), margins[0], margins[0] + EDGE),
        (np.arange(width - margins[1], width), width - margins[1] - 1, width - margins[1] - 1 - EDGE),
    ):
        down = np.abs(columns - border)[None] / SHOULDER_SLOPE
        mask[:, columns] = rows < _first_row(alpha, inside, scale) + down
    return mask


def _rounded_shoulders(alpha: Floats, made_up: Mask, fit: BodyFit) -> Mask:
    """What is ``made_up`` (h, w) without the corners of shoulders beside and below the person of ``alpha`` (h, w)."""
    scale, joints = fit.scale, fit.joints.points[SHOULDERS, :2]
    stop = np.s_[: max(1, round(float(joints[:, 1].mean()) + DELTOID * scale))]
    round_ones = opened(made_up[stop] | (alpha[stop] >= CUT_OFF), SHOULDER_RADIUS * scale)
    columns = np.arange(made_up.shape[1])
    within = (columns > joints[:, 0].min() + SHOULDER_RADIUS * scale) & (
        columns < joints[:, 0].max() - SHOULDER_RADIUS * scale
    )
    result = made_up.copy()
    result[stop] &= round_ones | within
    return result


def _beside_shoulders(alpha: Floats, margins: tuple[int, int], body: Mask, fit: BodyFit) -> Mask:
    """(h, w) the ``margins`` in which shoulders that the picture's sides cut off fall outwards, as far as ``body``."""
    mask, width = np.zeros(body.shape, np.bool_), body.shape[1]
    top, rows = fit.joints.shoulders[1] - SHOULDER_RISE * fit.scale, np.arange(body.shape[0])[:, None]
    upper = np.flatnonzero(body[: round(fit.joints.shoulders[1] + fit.scale)].any(0))
    for columns, border in (
        (np.arange(margins[0]), margins[0]),
        (np.arange(width - margins[1], width), width - margins[1] - 1),
    ):
        columns = columns[(columns >= upper.min(initial=width)) & (columns <= upper.max(initial=0))]
        inside = border + EDGE if border == margins[0] else border - EDGE
        down = rows - max(_first_row(alpha, inside, fit.scale), round(top))
        mask[:, columns] = (np.abs(columns - border)[None] <= SHOULDER_SLOPE * down) & (rows < len(alpha))
    return mask


def _trunk_as_wide_as_shown(alpha: Floats, fit: BodyFit, template: BodyTemplate, shape: tuple[int, int]) -> Mask:
    """(h, w) the trunk below the edge, there as wide as the person of ``alpha``, at the hips as the body model."""
    row, hips = len(alpha) - EDGE - 1, float(fit.joints.hips[1])
    arms = both_limbs(template, "arm", ARM_SHARE)
    trunk = fit.labels(template.triangles[~arms], shape) > 0
    result = np.zeros(shape, np.bool_)
    stop, shown, columns = min(shape[0], round(hips)), np.flatnonzero(alpha[row] > CUT_OFF), np.arange(shape[1])
    if row >= stop or not len(shown) or not trunk[row].any():
        return result
    own = np.flatnonzero(trunk[row])
    reach = JACKET * fit.scale
    wider = [float(np.clip(d, 0, reach)) for d in (own.min() - shown.min(), shown.max() - own.max())]
    for y in range(row, stop):
        own = np.flatnonzero(trunk[y])
        share = 1 - (y - row) / (stop - row)
        if len(own):
            result[y] = (columns >= own.min() - share * wider[0]) & (columns <= own.max() + share * wider[1])
    return result


def _outside_arms(alpha: Floats, body: Mask, fit: BodyFit) -> Mask:
    """(h, w) what ``body`` (h, w) lacks beside arms that the edge cuts off, where the person of ``alpha`` is wider."""
    row, columns, scale = len(alpha) - EDGE - 1, np.arange(body.shape[1]), fit.scale
    result, shown = np.zeros_like(body), np.flatnonzero(alpha[row] > CUT_OFF)
    if not len(shown) or not body[row].any():
        return result
    own = np.flatnonzero(body[row])
    wider = [float(np.clip(d, 0, JACKET * scale)) for d in (own.min() - shown.min(), shown.max() - own.max())]
    ends = own.min(), own.max()
    # An elbow at the edge does not go on: either the hand is above it, or the arm is soon much narrower.
    points = fit.joints.points
    arms = sorted((ARMS[side].joints for side in SIDES), key=lambda arm: points[arm[0], 0])
    reach = [bool(points[arm[2], 1] > row) for arm in arms]
    for y in range(row, min(len(body), row + round(SLEEVE_FADE * scale))):
        own, share = np.flatnonzero(body[y]), 1 - smoothstep(0, SLEEVE_FADE * scale, y - row)
        if not len(own):
            break
        before, ends = ends, (own.min(), own.max())
        reach = [on and abs(a - b) <= STEP for on, a, b in zip(reach, before, ends, strict=True)]
        result[y] = reach[0] & (columns >= ends[0] - share * wider[0]) & (columns <= ends[0])
        result[y] |= reach[1] & (columns <= ends[1] + share * wider[1]) & (columns >= ends[1])
    return result


def _falling_shoulders(alpha: Floats, made_up: Mask, fit: BodyFit) -> Mask:
    """(h, w) what is ``made_up`` below an edge, without what juts out beside the person there.

    From the person of ``alpha``, and from what is made up beside it, shoulders fall outwards, and are nowhere narrower.
    """
    row, stop = len(alpha) - EDGE - 1, round(fit.joints.shoulders[1] + fit.scale)
    shown = np.flatnonzero(made_up[row] | (alpha[row] > CUT_OFF))
    if not len(shown):
        return made_up
    x, y = np.arange(made_up.shape[1])[None], np.arange(made_up.shape[0])[:, None]
    beyond = np.maximum(shown.min() - x, x - shown.max())
    if row >= stop:  # arms and hips begin where the edge shows them
        return made_up & ((beyond <= SLEEVE_SLOPE * (y - row)) | (y <= row))
    around = np.flatnonzero(made_up[row:stop].any(0))
    if not len(around):
        return made_up
    falling = beyond <= SHOULDER_SLOPE * (y - row)
    low, high = max(shown.min(), around.min()), min(shown.max(), around.max())
    inside = (x >= low) & (x <= high) & (y > row) & (y < stop)
    soft = softened(falling & (made_up | inside | (y <= row)), SHOULDER_ROUND * fit.scale) > 0.5
    return np.where(y > row, soft, made_up)


def _first_row(alpha: Floats, column: int, scale: float) -> int:
    """The row from which on the person of ``alpha`` (h, w) is seen in the ``column`` down to the edge, but for gaps."""
    reach = round(SIDE_GAP * scale)
    shown = alpha[:, column : column + 1] > CUT_OFF
    seen = closed(np.pad(shown, ((0, 0), (reach, reach)), mode="edge"), reach / 2)[:, reach] | shown[:, 0]
    last = int(np.flatnonzero(seen)[-1]) if seen.any() else len(alpha)
    gaps = np.flatnonzero(~seen[:last])
    return int(gaps[-1]) + 1 if len(gaps) else 0


def _plainer(below: Floats, usual: Mask, edge: int, scale: float) -> Floats:
    """``below`` (h, w, 3), from the row ``edge`` on more and more in one shade. In place.

    ``usual`` (h, w) is the cloth that gives the shade.
    """
    shade = np.median(below[usual], axis=0)
    down = (np.arange(len(below) - edge, dtype=np.float32) / np.float32(scale))[:, None, None]
    plain = (
        PLAIN_SHARE * np.minimum(down / PLAIN, 1) + (1 - PLAIN_SHARE) * np.clip(down / PLAIN - 1, 0, PLAINER) / PLAINER
    )
    below[edge:] += (shade - below[edge:]) * plain
    return below


def _cloth_and_skin(cutout: Cutout, bare: Mask, skin: Array, fit: BodyFit) -> tuple[Mask, Mask]:
    """Two masks (h, w): cloth that may go on below the edge, and skin that shows at the neckline.

    Where skin and cloth have one colour, ``bare`` alone tells them apart. A chest that is bare goes on as cloth does.
    """
    scale = fit.scale
    near_neck = widened(bare, NECKLINE * scale)
    solid = cutout.alpha > SOLID
    low = np.arange(len(bare))[:, None] > len(bare) - SOURCE_ROWS * scale
    cloth = solid & ~near_neck
    skin_coloured = skin_like(cutout.colour, skin, cloth)
    deep = not is_within_reach(fit, len(bare))
    if deep and 2 * np.count_nonzero(skin_coloured & low) > np.count_nonzero(cloth & low):
        return cloth, np.zeros_like(bare)
    cloth &= ~skin_coloured
    collar = solid & ~bare & low
    collar &= ~skin_like(cutout.colour, skin, collar)
    if np.count_nonzero(cloth & low) < CLOTH_MIN * scale**2 <= np.count_nonzero(collar):
        cloth = collar
    if np.count_nonzero(cloth & low) < CLOTH_MIN * scale**2:
        return solid & ~near_neck, solid & bare & low
    lit = skin_like(cutout.colour, skin, solid & low, SKIN_LIGHTER)
    neck = lit & bare
    if neck.any():  # a chin shades it, and tints it: what is like its lit part belongs to it
        tone = np.median(cutout.colour[neck], axis=0).astype(np.float64)
        lit |= skin_like(cutout.colour, tone, solid & low & near_neck, SKIN_LIGHTER)
    return usual_cloth(cutout.colour, cloth & low), closed(lit, NECKLACE * scale / 2)


def usual_cloth(colour: Floats, cloth: Mask, share_min: float = CLOTH_SHARE_MIN) -> Mask:
    """``cloth`` (h, w) without its rarer colours: those of kinds that are less than ``share_min`` (0-1) of it."""
    pixels = np.ascontiguousarray(lab_of(colour[cloth][None])[0])
    if len(pixels) < 2:  # OpenCV takes a single row for a list of numbers
        return cloth
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, CLOTH_ROUNDS, 0.0)
    kinds = min(CLOTH_KINDS, len(pixels))
    _, label, _ = cv2.kmeans(pixels, kinds, np.zeros((len(pixels), 1), np.int32), criteria, 1, cv2.KMEANS_PP_CENTERS)
    share = np.bincount(label.ravel(), minlength=kinds) / len(pixels)
    kept = share >= min(share_min, share.max())
    result = cloth.copy()
    result[cloth] = kept[np.asarray(label, np.intp).ravel()]
    return result


def skin_like(colour: Floats | Image, skin: Array, where: Mask, darker: float = SKIN_DARKER) -> Mask:
    """(h, w) what of ``where`` (h, w) may be skin: its ``colour`` (h, w, 3) 0-255 is near ``skin`` (3,).

    ``darker`` is the L* by which skin may be in the shade. In a picture without colours nothing is.
    """
    result = np.zeros(where.shape, np.bool_)
    own = exact_lab(skin)
    if where.any() and np.hypot(own[1], own[2]) > GREY:
        lab = lab_of(colour[where][None])[0]
        lighter = lab[:, 0] - own[0]
        lightness = np.maximum(lighter / np.float32(SKIN_LIGHTER), -lighter / np.float32(darker))
        hue = np.hypot(lab[:, 1] - own[1], lab[:, 2] - own[2]) / np.float32(SKIN_HUE)
        result[where] = np.maximum(hue, lightness) < 1
    return result


def skin_beside(colour: Floats, skin: Array, limb: Mask, where: Mask) -> Mask:
    """(h, w) what of ``where`` (h, w) may be skin as the ``limb`` (h, w) beside it: as ``skin_like``, and no darker.

    A covered limb says nothing of its skin. A bare one does, the more the more evenly it is lit.
    """
    bare, result = skin_like(colour, skin, limb), skin_like(colour, skin, where)
    if bare.any() and np.count_nonzero(bare) >= BARE_SHARE * np.count_nonzero(limb):
        own = colour[bare].mean(1)
        result &= colour.mean(2) > np.median(own) - max(BARE_DARKER, BARE_SPREAD * float(own.std()))
    return result
