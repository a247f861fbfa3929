"""Turns a picture's cut-out into layers: fit the body, carve, segment, cut."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit, Girth, body_scale, fit_body
from bodydouble.renderers.puppet.body.silhouette import fit_silhouette
from bodydouble.renderers.puppet.body.skeleton import ARMS, SIDES, joints_of
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.arm_hints import hand_region
from bodydouble.renderers.puppet.picture.carving import carve_background, gaps_between_limbs, without_holes
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.doubt import Doubtful, doubtful_limbs, sits
from bodydouble.renderers.puppet.picture.extension import extend_below
from bodydouble.renderers.puppet.picture.hand_colour import hand_colours, hands_in_sight
from bodydouble.renderers.puppet.picture.head_region import face_and_neck, face_only
from bodydouble.renderers.puppet.picture.held_things import without_held_things
from bodydouble.renderers.puppet.picture.lap import with_lap, without_arms, without_lap
from bodydouble.renderers.puppet.picture.layers import SEEN, SOLID, LayeredBody, LayerSources, LimbPicture, build_layers
from bodydouble.renderers.puppet.picture.lower_body import complete_lower_body
from bodydouble.renderers.puppet.picture.lower_edge import person_end
from bodydouble.renderers.puppet.picture.made_limbs import cloth_of, made_limbs, resting, short_hem, without_remains
from bodydouble.renderers.puppet.picture.matting import estimate_foreground
from bodydouble.renderers.puppet.picture.regions import large_pieces, softened
from bodydouble.renderers.puppet.picture.segmentation import PIECE_MIN, segment
from bodydouble.renderers.puppet.picture.straightening import (
    FoldedArm,
    folded_sides,
    points_at_camera,
    straight_arm,
    straightened,
)

Array = NDArray[np.float64]

ON_PERSON = 0.5
"""Alpha above which a pixel is the person's."""
WRIST_SEEN = 0.3
"""Visibility of a wrist up to which a folded arm's forearm is hidden, and is made up as the upper arm. Measured: 0.09
behind a knee, 0.9 before a chest."""


@dataclass(frozen=True, kw_only=True)
class FittedPicture:
    """The character's layers and the body that they hang on."""

    fit: BodyFit
    layers: LayeredBody
    template: BodyTemplate
    hand_colours: Array  # (2, 3) 0-255 of the left and right hand, skin, or of gloves and armour


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
    fit, girth = fitted_body(cutout.alpha, anatomy, template, margins)
    if (end := person_end(cutout.alpha, fit)) < len(cutout.alpha):
        fit, girth = fitted_body(cutout.alpha[:end], anatomy, template, margins)
        image, cutout = image[:end], Cutout(alpha=cutout.alpha[:end], colour=cutout.colour[:end])
    shape = (cutout.alpha.shape[0], cutout.alpha.shape[1])
    body = fit.labels(template.triangles, shape) > 0
    cutout = _carved(image, cutout, body, fit, template, margins)
    cutout = without_held_things(cutout, anatomy, fit, template, body, skin)
    face = face_and_neck(anatomy, shape)
    extended = extend_below(image, cutout, fit, template, face, skin, legs=legs, margins=margins)
    cutout = extended.cutout
    colours = np.clip(cutout.colour, 0, 255).astype(np.uint8)
    parts = segment(colours, cutout.alpha, fit, template, anatomy, extended.made_up)
    extended = replace(extended, cutout=_without(extended.cutout, parts.loose))  # neither trunk nor arm would carry it
    seated = sits(anatomy, shape[0])
    if seated:
        lower = with_lap(extended, parts, fit, template)
    else:
        lower = complete_lower_body(extended, parts, fit, template, skin)
    cutout = lower.cutout
    hands = hands_in_sight(anatomy, cutout.alpha > SOLID, fit, template)
    sources = LayerSources(
        colour=cutout.colour,
        alpha=cutout.alpha,
        skin=skin,
        face=face_only(anatomy, cutout.alpha.shape),
        hands_seen=hands,
    )
    doubtful = doubtful_limbs(lower.parts, cutout.alpha, fit, template, anatomy, edge=extended.edge, seated=seated)
    cut = set(lower.parts.parts) - doubtful.all
    directions = folded_sides(fit.joints, shape[1], fit.scale)
    directions = {side: way for side, way in directions.items() if f"arm_{side}" in cut}
    posed = resting(straightened(fit.joints, directions), doubtful, template, fit.scale)
    straight = fit_body(template, anatomy, posed, girth) if directions or doubtful.all else fit
    forearms = {f"arm_{side}" for side in directions if points_at_camera(fit.joints, side)}
    parts = without_remains(lower.parts, doubtful, cutout.alpha, fit, straight, template, anatomy, forearms)
    own = LimbPicture(sources=sources, fit=fit, parts=parts)
    limbs = {f"arm_{side}": _straight_arm(own, side, straight, template, anatomy) for side in directions}
    limbs |= made_limbs(doubtful, own, limbs, straight, template)
    trunk = _trunk(own, doubtful, seated, straight, template)
    limbs = {f"arm_{side}": _without_specks(own if seated else trunk, side) for side in SIDES} | limbs
    layers = build_layers(trunk, template, limbs)
    colours = hand_colours(layers.layers, hands, skin, straight.joints)
    return FittedPicture(fit=straight, layers=layers, template=template, hand_colours=colours)


def _without(cutout: Cutout, gone: Mask) -> Cutout:
    """``cutout`` without what is ``gone`` (h, w)."""
    return replace(cutout, alpha=cutout.alpha * (1 - softened(gone))) if gone.any() else cutout


def _carved(
    image: NDArray[np.uint8],
    cutout: Cutout,
    body: Mask,
    fit: BodyFit,
    template: BodyTemplate,
    margins: tuple[int, int],
) -> Cutout:
    """``cutout`` (h, w) without background between limbs, and without holes in the ``body`` (h, w).

    The ``margins`` say nothing of the backdrop: they repeat the person at the picture's border.
    """
    shown = np.s_[:, margins[0] : body.shape[1] - margins[1]]
    gaps = gaps_between_limbs(fit, template, (body.shape[0], body.shape[1])).within(shown)
    alpha = cutout.alpha.copy()
    alpha[shown] = carve_background(image[shown], cutout.alpha[shown], body[shown], gaps, fit.scale)
    alpha = without_holes(alpha, body, fit, template)
    if np.array_equal(alpha, cutout.alpha):
        return cutout
    return replace(cutout, alpha=alpha, colour=estimate_foreground(image, alpha))


def fitted_body(
    alpha: Floats, anatomy: Anatomy, template: BodyTemplate, margins: tuple[int, int]
) -> tuple[BodyFit, Girth]:
    """The body on the picture whose person is ``alpha`` (h, w) 0-1, and how thick its limbs are.

    ``margins``: columns at the left and right that were added.
    """
    joints = joints_of(anatomy, template, (alpha.shape[0], alpha.shape[1]), alpha > ON_PERSON, margins)
    joints, girth = fit_silhouette(joints, alpha, body_scale(template, joints))
    return fit_body(template, anatomy, joints, girth), girth


def _trunk(
    picture: LimbPicture, doubtful: Doubtful, seated: bool, straight: BodyFit, template: BodyTemplate
) -> LimbPicture:
    """What trunk and head are cut from; ``straight`` is the body on which the limbs hang."""
    trunk = replace(picture, fit=straight) if doubtful.legs else picture
    hidden = [name for name in sorted(doubtful.all & set(picture.parts.parts)) if name.startswith("arm")]
    trunk = without_arms(trunk, hidden, template) if hidden else trunk
    if not seated:
        return trunk
    worn = cloth_of("leg", picture, template)
    return without_lap(trunk, template, short_hem(worn, straight), worn.above_the_joint)


def _straight_arm(
    picture: LimbPicture, side: str, straight: BodyFit, template: BodyTemplate, anatomy: Anatomy
) -> LimbPicture:
    """What the folded arm of ``side`` in the ``picture`` is cut from."""
    sources, parts = picture.sources, _without_specks(picture, side).parts
    hands = list(sources.hands_seen)
    if points_at_camera(picture.fit.joints, side):  # before it is the hand: both are made up
        hand, seen, hands["lr".index(side)] = None, False, False
    else:
        hand = hand_region(anatomy, side, sources.alpha.shape, picture.fit.scale)
        seen = hand is not None or float(anatomy.visibility[ARMS[side].joints[2]]) > WRIST_SEEN
    folded = FoldedArm(
        colour=sources.colour,
        alpha=sources.alpha,
        parts=parts.parts,
        side=side,
        hand=hand,
        forearm_seen=seen,
        skin=sources.skin,
    )
    arm = straight_arm(folded, picture.fit, straight, template)
    face = np.zeros(arm.alpha.shape, np.bool_)
    face[: len(sources.face)] = sources.face
    own = replace(sources, colour=arm.colour, alpha=arm.alpha, face=face, hands_seen=(hands[0], hands[1]))
    return LimbPicture(sources=own, fit=straight, parts=replace(parts, parts=arm.parts))


def _without_specks(picture: LimbPicture, side: str) -> LimbPicture:
    """``picture`` whose arm of ``side`` has no specks: before the trunk they are its, but are not drawn."""
    name, shown = f"arm_{side}", picture.sources.alpha > SEEN
    parts = picture.parts.parts
    if name not in parts:
        return picture
    kept = parts[name] & (large_pieces(parts[name] & shown, PIECE_MIN) | ~shown)
    return replace(picture, parts=replace(picture.parts, parts=parts | {name: kept}))
