"""The trunk without what lies before it: the lap of somebody who sits, and arms that are not the picture's."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.surface import both_limbs
from bodydouble.renderers.puppet.compositing.light import exact_lab
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.cloth import with_texture
from bodydouble.renderers.puppet.picture.extension import EDGE, ExtendedPicture, skin_like, usual_cloth
from bodydouble.renderers.puppet.picture.garment import SAME_CHROMA, SAME_LIGHTNESS
from bodydouble.renderers.puppet.picture.layers import (
    CUFF_REACH,
    FACE_CLEAR,
    OUTLINE,
    RIM_SIGMA,
    SEEN,
    SOLID,
    LayerSources,
    LimbPicture,
)
from bodydouble.renderers.puppet.picture.lower_body import SHIRT_BELOW_HIPS, LowerBody, below_shirt, in_trousers
from bodydouble.renderers.puppet.picture.regions import filled, narrowed, opened, softened, widened
from bodydouble.renderers.puppet.picture.segmentation import Segmentation, split_legs
from bodydouble.renderers.puppet.picture.shading import body_light, lit_cloth

Array = NDArray[np.float64]

WAIST = 0.8
"""Decimetres above the hips from which on a seated trunk is as wide as the standing body at least."""
STAND_OFF = 0.2
"""Decimetres by which what is made up of a garment stands off the legs, and what is seen of it may."""
LEGS_OVER = 0.3
"""Decimetres by which the trunk goes on under legs that are drawn over it."""
CLOTH_MIN = 0.1
"""Square decimetres of cloth about the hips that give them its colour; else all cloth of the trunk does."""
FAINT = 1e-3
"""Alpha of arms before a lap: what shows nothing, and yet is an arm's."""
SKIN_RIM = 2
"""Pixels at the rim of skin whose colours are mixed with cloth."""
SLIVER = 0.15
"""Decimetres: thinner remains of a lap are no cloth."""


def with_lap(extended: ExtendedPicture, segmentation: Segmentation, fit: BodyFit, template: BodyTemplate) -> LowerBody:
    """The cut-out of ``extended`` without what is made up of a seated body below the edge; arms go on there.

    The parts of the answer have legs.
    """
    below = extended.made_up & (np.arange(len(extended.made_up))[:, None] >= extended.edge - EDGE)
    for name, mask in segmentation.parts.items():
        if name.startswith("arm"):
            below &= ~mask
    alpha = np.where(below, 0, extended.cutout.alpha).astype(np.float32)
    return LowerBody(cutout=replace(extended.cutout, alpha=alpha), parts=split_legs(segmentation, fit, template, None))


def without_lap(
    picture: LimbPicture, template: BodyTemplate, hem: float | None, trousers: Array | None = None
) -> LimbPicture:
    """The ``picture`` of somebody who sits, for the trunk alone, with hips as of its body, which stands.

    Over bare legs hangs a garment down to the ``hem`` (px), else a shirt over ``trousers`` (3,) 0-255. Of arms before
    it nothing is left.
    """
    sources, parts, standing = picture.sources, picture.parts, picture.fit
    alpha, scale, hips = sources.alpha, standing.scale, float(standing.joints.hips[1])
    shape = (alpha.shape[0], alpha.shape[1])
    rows = np.arange(shape[0])[:, None]
    pelvis, _ = _hips(standing, template, shape, hem)
    worn = cloth_of_trunk(picture, template)
    low = worn & (rows > hips - WAIST * scale)
    if np.count_nonzero(low) > CLOTH_MIN * scale**2 and not _one_cloth(
        *(_usual(sources, mask) for mask in (low, worn))
    ):
        worn = low  # a skirt; a dress or one shirt may be in a lamp's light there
    cloth = usual_cloth(sources.colour, worn)
    lap = (rows > hips - WAIST * scale) & ~(opened(cloth, SLIVER * scale) & widened(pelvis, STAND_OFF * scale))
    for name, mask in parts.parts.items():
        if name.startswith("leg"):
            lap |= mask
    made = pelvis & lap
    colour = sources.colour
    if cloth.any():
        colour = filled(colour, cloth, made)
        _, light = body_light(standing, template, None, shape, cloth=True)
        share = smoothstep(-WAIST, 0, (rows - hips) / scale) * made
        colour = colour + share[..., None].astype(np.float32) * (
            lit_cloth(_usual(sources, cloth).astype(np.float32), light) - colour
        )
        if hem is None and trousers is not None:
            waist = hips + SHIRT_BELOW_HIPS * scale
            colour = in_trousers(colour, below_shirt(shape, standing, waist), made, trousers, light)
    masks = {name: mask & ~made for name, mask in parts.parts.items() if name.startswith("arm")}
    arms = np.any([~lap & lap, *masks.values()], axis=0)
    soft = softened(made | ((alpha > SEEN) & (arms | ~lap)), RIM_SIGMA)
    seen = np.where(made, soft, np.where(lap, FAINT * arms, alpha))  # an arm ends without a rim
    masks["rest"] = ~np.any([lap & ~lap, *masks.values()], axis=0)
    own = replace(sources, colour=np.asarray(colour, np.float32), alpha=np.asarray(seen, np.float32))
    return LimbPicture(sources=own, fit=standing, parts=replace(parts, parts=masks, hem=hem))


def cloth_of_trunk(picture: LimbPicture, template: BodyTemplate) -> Mask:
    """(h, w) what of the trunk's cloth the ``picture`` shows, but for what lies off its body."""
    sources, fit = picture.sources, picture.fit
    shape = (sources.alpha.shape[0], sources.alpha.shape[1])
    arms = both_limbs(template, "arm")
    body = fit.labels(template.triangles[~arms], shape) > 0
    cloth = picture.parts.parts["rest"] & (sources.alpha > SOLID) & body
    cloth &= np.arange(shape[0])[:, None] > fit.joints.shoulders[1]
    cloth &= ~widened(sources.face, FACE_CLEAR * fit.scale)
    return cloth & ~skin_like(sources.colour, sources.skin, cloth)


def _usual(sources: LayerSources, where: Mask) -> Array:
    """(3,) 0-255 the usual colour of the pixels ``where`` (h, w)."""
    return np.median(sources.colour[where], axis=0).astype(np.float64)


def _one_cloth(first: Array, second: Array) -> bool:
    """Whether two colours (3,) 0-255 are those of one cloth in light and shade."""
    step = np.abs(exact_lab(first) - exact_lab(second))
    return bool(np.hypot(step[1], step[2]) < SAME_CHROMA and step[0] < SAME_LIGHTNESS)


def without_arms(picture: LimbPicture, names: Iterable[str], template: BodyTemplate) -> LimbPicture:
    """The ``picture`` for the trunk alone, with cloth where the arms ``names`` lie before it, and without the rest."""
    sources, parts, scale = picture.sources, picture.parts, picture.fit.scale
    arms = np.any([mask for name, mask in parts.parts.items() if name.startswith("arm")], axis=0)
    cloth = usual_cloth(sources.colour, cloth_of_trunk(picture, template) & ~widened(arms, OUTLINE * scale))
    if np.count_nonzero(cloth) < CLOTH_MIN * scale**2:
        return picture
    _, body = _hips(picture.fit, template, (cloth.shape[0], cloth.shape[1]), None)
    covered = np.any([parts.parts[name] for name in names], axis=0)
    rest = parts.parts["rest"]
    skin = skin_like(sources.colour, sources.skin, rest & widened(covered, CUFF_REACH * scale))
    covered |= (widened(covered, OUTLINE * scale) | widened(skin, SKIN_RIM)) & rest  # their rims are no cloth
    covered &= narrowed(body, 1) & (np.arange(len(cloth))[:, None] > picture.fit.joints.shoulders[1])
    colour = with_texture(filled(sources.colour, cloth, covered), covered, cloth, scale)
    alpha = np.where(covered, 1, sources.alpha).astype(np.float32)
    masks = {name: mask | covered if name == "rest" else mask & ~covered for name, mask in parts.parts.items()}
    own = replace(sources, colour=colour, alpha=alpha)
    return replace(picture, sources=own, parts=replace(parts, parts=masks))


def _hips(fit: BodyFit, template: BodyTemplate, shape: tuple[int, int], hem: float | None) -> tuple[Mask, Mask]:
    """Two masks (h, w): the body without arms down to its legs, which are drawn over it, or to a ``hem``; and all."""
    arms, legs = (both_limbs(template, limb) for limb in ("arm", "leg"))
    body = fit.labels(template.triangles[~arms], shape) > 0
    if hem is None:
        trunk = fit.labels(template.triangles[~arms & ~legs], shape) > 0
        return body & widened(trunk, LEGS_OVER * fit.scale), body
    wide = widened(body, STAND_OFF * fit.scale)  # a garment hangs between the legs
    between = np.logical_or.accumulate(wide, 1) & np.logical_or.accumulate(wide[:, ::-1], 1)[:, ::-1]
    return between & (np.arange(shape[0])[:, None] <= hem), body
