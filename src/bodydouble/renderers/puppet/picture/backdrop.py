"""An even backdrop behind the person of a picture: a wall, a studio's paper, a clear sky, a drawing's empty ground."""

from dataclasses import dataclass

import cv2
import numpy as np

from bodydouble.perception.arrays import Floats, Image, Mask
from bodydouble.renderers.puppet.body.surface import continued
from bodydouble.renderers.puppet.compositing.light import lab_of
from bodydouble.renderers.puppet.picture.regions import filled, narrowed, opened, pieces, widened

MEDIAN_SIDE, MEDIAN_WINDOW = 96, 15
"""Longer side in pixels at which the backdrop's usual colour is looked for, and the side of the window: writing, thin
furniture and hair that the mask lacks are a minority there. Chosen by eye on pictures with writing and wild hair."""
USUAL = 8.0
"""Distance in CIELAB up to which a pixel outside the mask has the backdrop's usual colour. Chosen by eye."""
NOISE_MAX = 2.0
"""Standard deviation in CIELAB up to which a backdrop is even. Measured: studio pictures 0.2-0.5, drawings on paper
0.9, grainy photographs 2.1, meadows and streets above 2.4."""
NOISE_REACH, NEAR_REACH = 40, 120
"""Longer sides of the picture over the standard deviations of the window in which the noise is measured, and of the
window whose mean it is measured against."""
ALIKE_MIN, ALIKE_NOISE = 3.0, 2.5
"""A pixel is the backdrop's up to this distance in CIELAB, or so many standard deviations. Chosen by eye on white cloth
before white walls."""
SHADED = 2.0
"""The same is so many times farther in gaps, where limbs take light from the backdrop. Chosen by eye."""
EVEN_SHARE_MIN = 0.85
"""Share of the backdrop that is even at least. Measured: 0.87-1 in studio pictures, plain drawings and portraits before
a wall; below 0.75 where there is a landscape or a room."""
THIN = 240
"""Longer sides of the picture over the radius of what is too thin for a gap: stripes, folds, a shirt between lapels."""
GAP_PIXELS_MIN, PIXELS_OF_GAPS = 150, 720
"""Pixels of a gap at least, and the longer side of such a picture: buttons and highlights are smaller. Chosen by
eye."""
COLOURFUL, COLOURFUL_GAP = 25.0, 15
"""Chroma in CIELAB from which a backdrop is colourful, and pixels of a gap at least before such a one: neither buttons
nor highlights have its colour. Chosen by eye on studio pictures. Measured: 0-6 for white and grey paper."""
OWN_MAX = 0.025
"""Share of the body that has nearly the backdrop's colour up to which gaps are told by it: else the clothes have it.
Measured: up to 0.016 in studio pictures, 0.16 and 0.35 for cream and white blouses before such walls."""
ON_THE_BODY_MAX = 0.2
"""Share of a gap that the body's bones may cover: landmarks are off by some pixels."""
EDGE_MIN = 10.0
"""Distance in CIELAB from the backdrop that the rim of a gap has at least: cloth of the backdrop's colour has folds
with softer edges. Chosen by eye on white blouses."""
EDGE_WIDTH = 3
"""Pixels about a gap in which its rim is looked at."""
UNLIKE = 20.0
"""Distance in CIELAB from which a pixel is surely not the backdrop's."""
SHADOW_LIGHT_MIN, SHADOW_TINT_MAX = 0.4, 14.0
"""A shadow on the backdrop has its colour times this at least, and differs from that by so many levels at most."""
TINY = 1e-3
"""Sums of weights below it count as zero."""


@dataclass(frozen=True, kw_only=True)
class Backdrop:
    """What the backdrop looks like at each pixel, (h, w) each, and what of the picture looks so."""

    even: Mask  # where it is known well
    alike: Mask  # even, and the picture has its very colour
    similar: Mask  # even, and the picture has nearly its colour, as where limbs shade it
    distance: Floats  # in CIELAB, between the picture and the backdrop
    shadow: Mask  # the picture is the backdrop with less light
    colourful: Mask  # the backdrop has a strong colour


def backdrop_of(image: Image, outside: Mask) -> Backdrop | None:
    """The backdrop of ``image`` (h, w, 3), learned from what is surely ``outside`` (h, w) the person.

    None where nothing there has a usual colour.
    """
    side = max(outside.shape)
    calm = np.asarray(cv2.medianBlur(image, 3), np.float32)
    lab = lab_of(calm)
    usual = outside & (_between(lab, lab_of(_usual(calm, outside))) < USUAL)
    if not usual.any():
        return None
    colour = filled(calm, usual, ~usual)
    near = _mean(lab, usual, side / NEAR_REACH)
    noise = np.sqrt(_mean(((lab - near) ** 2).sum(2), usual, side / NOISE_REACH))
    even = continued(noise, usual) < NOISE_MAX
    ground = lab_of(colour)
    distance = _between(lab, ground)
    light = np.clip((calm * colour).sum(2) / np.maximum((colour * colour).sum(2), 1), 0, 1)
    tint = np.abs(calm - light[..., None] * colour).max(2)
    limit = np.maximum(ALIKE_MIN, ALIKE_NOISE * continued(noise, usual))
    return Backdrop(
        even=even,
        alike=even & (distance < limit),
        similar=even & (distance < SHADED * limit),
        distance=distance,
        shadow=(light > SHADOW_LIGHT_MIN) & (tint < SHADOW_TINT_MAX),
        colourful=even & (np.hypot(ground[..., 1], ground[..., 2]) > COLOURFUL),
    )


def with_backdrop(trimap: Floats, image: Image, bones: Mask) -> Floats | None:
    """``trimap`` (h, w) of 0, 0.5 and 1, made surer where the backdrop of ``image`` (h, w, 3) is even.

    Gaps between limbs become background. What is far from the backdrop's colour, and connected with the person, becomes
    the person. ``bones`` (h, w): what is surely within the person, to see whether the clothes have the backdrop's
    colour. None where the picture shows other things beside the person.
    """
    outside, sure = trimap == 0, trimap == 1
    backdrop = backdrop_of(image, outside)
    if backdrop is None or backdrop.similar[outside].mean() < EVEN_SHARE_MIN:
        return None
    thin = max(1.0, max(trimap.shape) / THIN)
    near = backdrop.similar | (backdrop.shadow & backdrop.colourful)
    alike, similar = ((opened(mask | outside, thin) | backdrop.colourful) & mask for mask in (backdrop.alike, near))
    free = ((alike & ~sure) | _gaps(similar & sure, backdrop, bones & sure)) & ~bones & ~outside
    person = backdrop.even & (backdrop.distance > UNLIKE) & ~backdrop.shadow
    result = trimap.copy()
    result[widened(free, 2)] = 0.5
    result[narrowed(free, 1)] = 0
    result[opened(_missed(person, outside), 1)] = 0.5
    result[narrowed(opened(person & (result > 0), 1), 2)] = 1
    return result


def _missed(person: Mask, outside: Mask) -> Mask:
    """(h, w) the pieces of ``person`` (h, w) that are ``outside``, and touch what is not: hair that the mask lacks.

    What reaches the picture's edge is the floor or furniture.
    """
    count, labels = pieces(person & outside)
    edge = np.zeros_like(outside)
    edge[[0, -1], :], edge[:, [0, -1]] = True, True
    touching = np.bincount(labels[widened(person & ~outside, 1)], minlength=count + 1) > 0
    touching &= np.bincount(labels[edge], minlength=count + 1) == 0
    touching[0] = False
    return np.asarray(touching[labels], np.bool_)


def _gaps(candidates: Mask, backdrop: Backdrop, bones: Mask) -> Mask:
    """(h, w) the pieces of ``candidates`` that are background seen past the person, and no cloth of its colour."""
    if np.count_nonzero(candidates & bones) >= OWN_MAX * np.count_nonzero(bones):
        return np.zeros_like(candidates)
    count, labels = pieces(candidates)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    covered = np.bincount(labels[bones], minlength=count + 1)
    colourful = np.bincount(labels[backdrop.colourful], minlength=count + 1) == sizes
    least = np.where(colourful, COLOURFUL_GAP, GAP_PIXELS_MIN) * (max(bones.shape) / PIXELS_OF_GAPS) ** 2
    large = (sizes >= least) & (covered < ON_THE_BODY_MAX * sizes)
    rim = widened(candidates, EDGE_WIDTH) & ~widened(candidates, 1) & ~backdrop.similar
    beside, distance = continued(labels, candidates)[rim], backdrop.distance[rim]
    kept = [k for k in np.flatnonzero(large[1:]) + 1 if np.median(distance[beside == k]) > EDGE_MIN]
    return np.isin(labels, kept) & candidates


def _usual(image: Floats, outside: Mask) -> Floats:
    """(h, w, 3) the usual colour of ``image`` about each place, of what is ``outside``."""
    height, width = outside.shape
    zoom = MEDIAN_SIDE / max(height, width)
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    small = np.asarray(cv2.resize(filled(image, outside, ~outside), size, interpolation=cv2.INTER_AREA), np.uint8)
    margin = MEDIAN_WINDOW // 2 + 1
    wide = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_REFLECT)
    median = cv2.medianBlur(wide, MEDIAN_WINDOW)[margin:-margin, margin:-margin]
    return np.asarray(cv2.resize(median, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _between(first: Floats, second: Floats) -> Floats:
    """(h, w) distances between the colours of two pictures (h, w, 3)."""
    away = first - second
    return np.asarray(np.sqrt((away * away).sum(2)), np.float32)


def _mean(values: Floats, of: Mask, sigma: float) -> Floats:
    """The mean of ``values`` (h, w, ...) about each place, ``of`` (h, w) some pixels only."""
    weight = of.astype(np.float32)
    total = cv2.GaussianBlur(cv2.copyTo(values, of.astype(np.uint8)), (0, 0), sigma)
    share = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), TINY)
    return np.asarray(total / (share if values.ndim == 2 else share[..., None]), np.float32)
