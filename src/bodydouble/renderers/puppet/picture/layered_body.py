"""Turns a picture's cut-out into layers: fit the body, carve, segment, cut."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.body_template import BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit, body_scale, fit_body
from bodydouble.renderers.puppet.body.silhouette import fit_silhouette
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.body.surface import label_triangles
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.carving import carve_background, gaps_between_limbs
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.extension import extend_below
from bodydouble.renderers.puppet.picture.layers import LayeredBody, LayerSources, build_layers
from bodydouble.renderers.puppet.picture.lower_body import complete_lower_body
from bodydouble.renderers.puppet.picture.matting import estimate_foreground
from bodydouble.renderers.puppet.picture.segmentation import face_and_neck, face_only, segment

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FittedPicture:
    """The character's layers and the body that they hang on."""

    fit: BodyFit
    layers: LayeredBody
    template: BodyTemplate


def layer_picture(
    image: NDArray[np.uint8],
    cutout: Cutout,
    anatomy: Anatomy,
    skin: Array,
    template: BodyTemplate,
    *,
    legs: bool = True,
    margins: tuple[int, int] = (0, 0),
) -> FittedPicture:
    """``image`` (h, w, 3) with its ``cutout``, both at texture size, as layers on a body.

    ``skin`` (3,) is 0-255. ``legs``: whether legs that the picture cuts off are to be made up. ``margins``: columns at
    the left and right that were added, in which the person is made up too.
    """
    shape = (cutout.alpha.shape[0], cutout.alpha.shape[1])
    joints = joints_of(anatomy, template, shape)
    joints, girth = fit_silhouette(joints, cutout.alpha, body_scale(template, joints))
    fit = fit_body(template, anatomy, joints, girth)
    body = label_triangles(fit.vertices, template.triangles, shape) > 0
    alpha = carve_background(image, cutout.alpha, body, gaps_between_limbs(fit, template, shape), fit.scale)
    if alpha is not cutout.alpha:
        cutout = replace(cutout, alpha=alpha, colour=estimate_foreground(image, alpha))
    extended = extend_below(
        image, cutout, fit, template, face_and_neck(anatomy, shape), skin, legs=legs, margins=margins
    )
    cutout = extended.cutout
    colours = np.clip(cutout.colour, 0, 255).astype(np.uint8)
    parts = segment(colours, cutout.alpha, fit, template, anatomy, extended.made_up)
    lower = complete_lower_body(extended, parts, fit, template, skin)
    cutout = lower.cutout
    hands: NDArray[np.bool_] = np.all(np.isfinite(anatomy.hands), axis=(1, 2))
    sources = LayerSources(
        colour=cutout.colour,
        alpha=cutout.alpha,
        skin=skin,
        face=face_only(anatomy, cutout.alpha.shape),
        hands_seen=(bool(hands[0]), bool(hands[1])),
    )
    return FittedPicture(fit=fit, layers=build_layers(sources, fit, template, lower.parts), template=template)
