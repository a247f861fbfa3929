"""The character's trunk seen from behind: what the picture's front tells of the back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.smoothing import gaussian_smoothed
from bodydouble.perception.trunk import HIPS, SHOULDERS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.compositing.light import lab_of
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.extension import skin_like
from bodydouble.renderers.puppet.picture.regions import closed, opened, softened, touching, widened
from bodydouble.renderers.puppet.picture.shading import body_light, lit_cloth
from bodydouble.renderers.puppet.picture.trunk_outline import TrunkOutline, trunk_end, trunk_outline

Array = NDArray[np.float64]

ABOVE_SHOULDERS = 0.4
"""Decimetres above the shoulders' joints up to which a collar reaches."""
COLLAR = (0.5, 0.8)
"""Decimetres by which it is higher behind the neck, and half the width of that."""
SIDES = (0.1, 0.6)
"""Decimetres inside the trunk's outline between which its sides show the cloth of the back too."""
NECKLINE = 1.2
"""Decimetres below the collar down to which the back shows no neckline, collar or necklace, and below the first row of
the sides in which skin is no cloth; farther down pale cloth may look like skin."""
BELOW_JOINTS = 0.3
"""Decimetres below the shoulders' joints from which down sides are looked at: above are collars, straps and skin."""
SIDE_PIXELS_MIN = 40
"""Pixels of the sides without which nothing is known of the back, and of the head without which nothing is of hair."""
HAIR_MAX = 0.5
"""Share of the sides from which on what looks like hair is cloth of the same colour."""
OPEN_BELOW = 1.0
"""Decimetres below the hips' joints down to which a jacket hangs open over the thighs."""
MIDDLE = (0.2, 0.8)
"""Way from the left side to the right one between which their cloth goes over into each other."""
ROWS = 0.12
"""Decimetres above and below a row whose sides say what cloth it has: folds are finer, belts and hems are not."""
ROW_PIXELS_MIN = 6
"""Pixels of a side in these rows without which it says nothing of them."""
HEMS, CHEST = (0.4, 0.08), (2.5, 0.5)
"""Decimetres along which the cloth of the rows is a median, and the standard deviation by which it is smoothed: where
belts and hems are, and above the waist, where steps are folds, straps and shadows of arms."""
CHOICE_SIGMA = 0.3
"""Standard deviation in decimetres by which rows that are treated otherwise go over into each other."""
WAIST = 0.55
"""Way from the shoulders' joints to those of the hips from which on there are belts and hems."""
BANDS, BAND_REACH = 1.0, 0.75
"""Height of the bands in which the kinds of cloth are told apart, and the decimetres beyond them that count too."""
KIND_SHARE, BAND_SHARE = 0.15, 0.25
"""Shares of the sides, and of those of a band, from which on a colour is one of the cloth's, and no strap's."""
CHROMA, LIGHTNESS = 12.0, 22.0
"""Distances in CIELAB's a and b together, and in L*, from which on a colour is not the cloth's."""
ONE_CLOTH = 1.5
"""The same distance, in these units, up to which both sides of a row are one cloth in light and shade."""
GAP, RIM, RIM_PIXELS = 0.25, 0.12, 2.5
"""Decimetres: gaps in what is no cloth of the back are closed, and its rim goes with it; and the least width of that in
pixels: a zip's line is one or two wide in small pictures, too."""
SPECK = 0.05
"""Decimetres: half the width of what differs at least."""
ABOVE, NECK_CLEAR = 0.8, 0.15
"""Decimetres above a collar's sides from which down only hair and neck are seen above it, and what is so near to it."""
SEAM = 2
"""Pixels by which what is left as it is goes on under what is made up."""
SOFT = 0.12
"""Decimetres over which what is made up goes over into what is seen."""


@dataclass(frozen=True, kw_only=True)
class BackOfTrunk:
    """A trunk's layer seen from behind."""

    colour: Floats  # (h, w, 3) 0-255
    opacity: Floats  # (h, w) 0-1
    cloth: Mask  # (h, w) the back, which cloth covers up to its collar
    body: Mask  # (h, w) the back, neck and what is below, without hair beside them


@dataclass(frozen=True, kw_only=True)
class TrunkPicture:
    """What the picture shows of a trunk, (h, w) each."""

    colour: Floats  # (h, w, 3) 0-255
    opacity: Floats  # 0-1, of the trunk's layer
    arms: Mask
    hair: Mask  # that hangs from the head
    model: Mask  # the body model's trunk, head and legs
    hem: float | None  # row down to which a skirt reaches

    @property
    def cloth(self) -> Mask:
        """(h, w) what is opaque and no hair."""
        return (self.opacity > 0.5) & ~self.hair


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where the trunk is in the picture."""

    top: int  # px, row above which only a collar reaches
    shoulders: float  # px, row of the joints
    waist: float  # px, row from which on there are belts and hems
    hips: float  # px, row of the joints
    beside: Array  # (w,) places beside the neck; a collar rises between -1 and 1
    scale: float  # px of a decimetre

    @classmethod
    def of(cls, fit: BodyFit, width: int) -> "_Place":
        joints, scale = fit.joints.points, fit.scale
        shoulders, hips = float(joints[SHOULDERS, 1].mean()), float(joints[HIPS, 1].max())
        return cls(
            top=int(joints[SHOULDERS, 1].min() - ABOVE_SHOULDERS * scale),
            shoulders=shoulders,
            waist=shoulders + WAIST * (hips - shoulders),
            hips=hips,
            beside=(np.arange(width) - joints[SHOULDERS, 0].mean()) / (COLLAR[1] * scale),
            scale=scale,
        )


def back_of_trunk(shown: TrunkPicture, skin: Array, fit: BodyFit, template: BodyTemplate) -> BackOfTrunk:
    """The trunk that is ``shown``, from behind: no open jacket, bow, print or neckline, and nothing torn off by arms.

    Both sides and their cloth, which is not ``skin`` (3,) 0-255, go on across the back.
    """
    shape, scale = (shown.opacity.shape[0], shown.opacity.shape[1]), fit.scale
    place = _Place.of(fit, shape[1])
    last = trunk_end(fit, shown.hem)
    first, covers = int(place.top - ABOVE * scale), shown.arms | shown.hair
    outline = trunk_outline(shown.cloth, covers, shown.model, (first, last), place.shoulders, scale)
    if outline is None:
        return BackOfTrunk(
            colour=shown.colour, opacity=shown.opacity, cloth=np.zeros(shape, np.bool_), body=shown.model
        )
    rows = np.arange(shape[0])[:, None]
    collar, central = place.top - COLLAR[0] * scale * np.exp(-(place.beside**2)), np.abs(place.beside) < 1
    region = opened(outline.mask(shape) & ((rows >= collar) | ~central), SIDES[0] * scale)
    below = (rows > last) & (shown.opacity > 0)
    neck = widened(shown.model, NECK_CLEAR * scale) & central & (rows < collar)
    above = (rows < collar) & ((rows < first) | neck | shown.hair)
    opacity = np.maximum(softened(region), shown.opacity * softened(widened(above | below, SEAM)))
    _, light = body_light(fit, template, None, shape, cloth=True)
    return BackOfTrunk(
        colour=_with_cloth(shown, skin, region | below, outline, place, light),
        opacity=np.asarray(opacity, np.float32),
        cloth=region,
        body=region | neck | below,
    )


def _with_cloth(
    shown: TrunkPicture, skin: Array, region: Mask, outline: TrunkOutline, place: _Place, light: Floats
) -> Floats:
    """(h, w, 3) the colours of the trunk with cloth in all of the ``region`` (h, w) that shows none of the back's.

    The sides below the shoulders tell what cloth that is; ``skin`` (3,) is none. It covers the neckline, and is in the
    body's ``light`` (h, w).
    """
    scale, colour = place.scale, shown.colour
    rows = np.arange(len(region))[:, None]
    first, last = place.shoulders + BELOW_JOINTS * scale, place.hips + OPEN_BELOW * scale
    seen = shown.cloth & region
    sides = seen & outline.beside(SIDES[0] * scale, SIDES[1] * scale, seen) & (rows >= first) & (rows <= last)
    sides &= ~skin_like(colour, skin, sides & (rows <= first + NECKLINE * scale))
    sides = _without_hair(colour, sides, shown.hair, scale)
    if np.count_nonzero(sides) < SIDE_PIXELS_MIN:
        return colour
    plain = _across(colour, sides, outline, place)
    if plain is None:
        return colour
    within = region & (rows <= last)
    neckline = (np.abs(place.beside) < 1) & (rows <= place.top + NECKLINE * scale)
    foreign = within & (~seen | _unlike(colour, plain, sides, within, scale) | neckline)
    foreign = (
        widened(closed(opened(foreign, max(1.0, SPECK * scale)), GAP * scale), max(RIM * scale, RIM_PIXELS)) & within
    )
    hidden = within & ~seen
    soft = np.minimum(
        2 * softened(foreign | hidden, max(SOFT * scale, 0.5)), 1
    )  # outwards: nothing of it shines through
    share = np.maximum(soft, hidden)[..., None] * region[..., None]
    return np.asarray(colour * (1 - share) + lit_cloth(plain, light) * share, np.float32)


def _across(colour: Floats, sides: Mask, outline: TrunkOutline, place: _Place) -> Floats | None:
    """(h, w, 3) in each row the cloth of both ``sides`` (h, w), which go over into each other; None without any."""
    middle = (outline.left + outline.right) / 2
    columns = np.arange(sides.shape[1])
    rows = slice(outline.top, outline.top + len(middle))
    left = sides[rows] & (columns < middle[:, None])
    right = sides[rows] & (columns >= middle[:, None])
    cloth, scale = (
        [_cloth_by_row(colour[rows], side, place.waist - outline.top, place.scale) for side in (left, right)],
        place.scale,
    )
    known = [side for side in cloth if side is not None]
    if not known:
        return None
    usual = _kinds(lab_of(colour[sides][None])[0], KIND_SHARE)
    first, second = _in_one_light(*_of_one_cloth(known[0], known[-1], usual, scale), scale)
    way = (columns - outline.left[:, None]) / np.maximum(outline.right - outline.left, 1)[:, None]
    share = smoothstep(*MIDDLE, way)[..., None].astype(np.float32)
    result = colour.copy()
    result[rows] = first[:, None] * (1 - share) + second[:, None] * share
    result[: rows.start] = result[rows.start]
    result[rows.stop :] = result[rows.stop - 1]
    return np.asarray(result, np.float32)


def _of_one_cloth(first: Floats, second: Floats, usual: list[Floats], scale: float) -> tuple[Floats, Floats]:
    """Colours (n, 3) of both sides by row, with those of the other side where only that has a ``usual`` colour.

    What both sides have is worn: a belt, a hem. What one has is a strap, or was left of a hand or a lock.
    """
    labs = [lab_of(side[None])[0] for side in (first, second)]
    away = [np.min([_apart(lab, kind) for kind in usual], axis=0) for lab in labs]
    differ = _apart(*labs) >= ONE_CLOTH
    result: list[Floats] = []
    for side, other, far, near in ((first, second, *away), (second, first, *away[::-1])):
        share = _smooth(differ & (far > 1) & (near < far), scale)
        result.append(np.asarray(side + (other - side) * share, np.float32))
    return result[0], result[1]


def _in_one_light(first: Floats, second: Floats, scale: float) -> tuple[Floats, Floats]:
    """Colours (n, 3) of both sides by row, the same where both are one cloth: a side in shade is greyer, too."""
    same = _smooth(_apart(lab_of(first[None])[0], lab_of(second[None])[0]) < ONE_CLOTH, scale)
    mean = (first + second) / 2
    one, two = (np.asarray(side + same * (mean - side), np.float32) for side in (first, second))
    return one, two


def _smooth(rows: NDArray[np.bool_], scale: float) -> Array:
    """(n, 1) 0-1: ``rows`` (n,), without steps in what they choose."""
    return gaussian_smoothed(rows[:, None].astype(np.float64), max(CHOICE_SIGMA * scale, 0.5))


def _cloth_by_row(colour: Floats, side: Mask, waist: float, scale: float) -> Floats | None:
    """(n, 3) the usual colour of one ``side`` (n, w) in each row; None without any.

    It is even above the ``waist``'s row.
    """
    reach = max(1, round(ROWS * scale))
    result = np.full((len(side), 3), np.nan)
    x, y, w, h = cv2.boundingRect(side.astype(np.uint8))
    for row in range(max(0, y - reach), min(len(side), y + h + reach)):
        near = np.s_[max(0, row - reach) : row + reach + 1, x : x + w]
        pixels = colour[near][side[near]]
        if len(pixels) >= ROW_PIXELS_MIN:
            result[row] = np.median(pixels, axis=0)
    known = np.flatnonzero(np.isfinite(result[:, 0]))
    if not len(known):
        return None
    rows = np.arange(len(side))
    whole = np.stack([np.interp(rows, known, result[known, channel]) for channel in range(3)], 1)
    fine, even = (steady_rows(whole, *size, scale) for size in (HEMS, CHEST))
    share = smoothstep(-CHEST[1], CHEST[1], (rows - waist) / scale)[:, None]
    return (even * (1 - share) + fine * share).astype(np.float32)


def steady_rows(rows: Array, reach: float, sigma: float, scale: float) -> Array:
    """``rows`` (n, 3) 0-255 as medians over ``reach`` decimetres of ``scale`` px, smoothed by ``sigma``."""
    half = round(reach / 2 * scale)  # OpenCV's medians reach 15 pixels at most
    padded = np.pad(rows, [(half, half), (0, 0)], mode="edge")
    medians = np.median(sliding_window_view(padded, 2 * half + 1, axis=0), axis=-1)
    return gaussian_smoothed(medians, max(sigma * scale, 0.5))


def _unlike(colour: Floats, plain: Floats, sides: Mask, within: Mask, scale: float) -> Mask:
    """(h, w) what of the region ``within`` (h, w) has none of the colours of the ``sides`` (h, w) near its rows."""
    result = np.zeros(within.shape, np.bool_)
    rows = np.flatnonzero(within.any(1))
    if not len(rows):
        return result
    own = lab_of(colour)
    usual = _kinds(own[sides], KIND_SHARE)
    height, reach = max(1, round(BANDS * scale)), round(BAND_REACH * scale)
    for start in range(int(rows[0]), int(rows[-1]) + 1, height):
        band = within.copy()
        band[:start] = band[start + height :] = False
        if not band.any():
            continue
        near = sides.copy()
        near[: max(0, start - reach)] = near[start + height + reach :] = False
        pixels = own[band]
        apart = _apart(pixels, lab_of(plain[band][None])[0])
        if np.count_nonzero(near) >= SIDE_PIXELS_MIN:
            for kind in _kinds(own[near], BAND_SHARE):
                if min(float(_apart(kind[None], other[None])[0]) for other in usual) < 1:  # no strap
                    apart = np.minimum(apart, _apart(pixels, kind[None]))
        result[band] = apart > 1
    return result


def _kinds(pixels: Floats, least: float) -> list[Floats]:
    """The colours among ``pixels`` (N, 3) in CIELAB that have a share (0-1) of at ``least`` that, or the commonest."""
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
    number = min(3, len(pixels))
    _, label, centres = cv2.kmeans(
        np.ascontiguousarray(pixels), number, np.zeros((len(pixels), 1), np.int32), criteria, 1, cv2.KMEANS_PP_CENTERS
    )
    share = np.bincount(label.ravel(), minlength=number) / len(pixels)
    return [
        np.asarray(centre, np.float32)
        for centre, part in zip(centres, share, strict=True)
        if part >= min(least, share.max())
    ]


def _apart(pixels: Floats, other: Floats) -> Floats:
    """(N,) how far ``pixels`` (N, 3) are from ``other`` ones in CIELAB; 1 is as far as cloth may be from itself."""
    away = np.abs(pixels - other)
    return np.asarray(np.maximum(np.hypot(away[:, 1], away[:, 2]) / CHROMA, away[:, 0] / LIGHTNESS), np.float32)


def _without_hair(colour: Floats, sides: Mask, hair: Mask, scale: float) -> Mask:
    """``sides`` (h, w) less the ends of locks: what goes on from ``hair`` (h, w) in its colour.

    Where that is most of the sides it is cloth.
    """
    if np.count_nonzero(hair) < SIDE_PIXELS_MIN:
        return sides
    like = skin_like(colour, np.median(colour[hair], axis=0).astype(np.float64), sides)
    hanging = touching(like, widened(hair, GAP * scale))
    return sides if np.count_nonzero(hanging) > HAIR_MAX * np.count_nonzero(sides) else sides & ~hanging
