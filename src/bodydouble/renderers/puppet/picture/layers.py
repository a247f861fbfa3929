"""The character as layers that the body's bones move: trunk with head, arms, legs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BONES, BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS, SIDES
from bodydouble.renderers.puppet.body.surface import LIMB_BONES, Surface, both_limbs, limb_triangles
from bodydouble.renderers.puppet.picture.back_view import TrunkPicture
from bodydouble.renderers.puppet.picture.behind_arms import ACROSS, behind_arms
from bodydouble.renderers.puppet.picture.cloth import with_texture
from bodydouble.renderers.puppet.picture.corners import without_corner
from bodydouble.renderers.puppet.picture.extension import skin_beside, skin_like, usual_cloth
from bodydouble.renderers.puppet.picture.from_behind import from_behind
from bodydouble.renderers.puppet.picture.garment import garment_weights
from bodydouble.renderers.puppet.picture.joint_patches import joint_patch
from bodydouble.renderers.puppet.picture.layer import TRACE, Layer, beyond_joint, make_layer, premultiplied
from bodydouble.renderers.puppet.picture.outlines import behind, beside_rim, under_sleeves, without_specks
from bodydouble.renderers.puppet.picture.regions import closed, disc_about, filled, narrowed, opened, softened, widened
from bodydouble.renderers.puppet.picture.segmentation import SLIVER, Segmentation, arm_colours
from bodydouble.renderers.puppet.picture.shading import body_light, lit_skin
from bodydouble.renderers.puppet.picture.sleeves import along_arm, under_shoulder
from bodydouble.renderers.puppet.picture.trunk_outline import behind_the_arms
from bodydouble.renderers.puppet.picture.twins import as_the_twin, with_twin

Array = NDArray[np.float64]

SEAM = (0.2, 0.5)
"""Weight of a limb's bones between which the layer that lies before the trunk fades in."""
RAISED = (-0.2, 0.5)
"""Fall of an upper arm over its length between which the trunk's rim begins to follow it. By eye on raised arms."""
LEG_END = (0.65, 0.95)
"""Weight of a leg's bones between which the trunk's layer ends, under the leg's."""
RING = 0.35
"""Decimetres: gaps of trunk and legs up to this width are filled where an arm covered them."""
BEHIND_ARM = 2.5
"""Decimetres from the nearest row that nothing covers, up to which a leg's outline goes on behind an arm. Chosen by eye
on hands beside hips and thighs."""
SOLID = 0.9
"""Alpha from which on a pixel's colour is the person's alone, and may spread to what is hidden."""
HAND_ZONE = (0.4, 0.8)
"""Weight of the hand's bone between which an arm's pixels become the hand's."""
RIM_SIGMA, HAND_SIGMA = 0.8, 0.7
"""Standard deviations in pixels of the rims of a layer's parts and of a made-up hand. Chosen by eye on the development
clips."""
CLOTHED = 0.1
"""Share of a trunk's pixels that are skin below which skin beside a hand is that hand's. Chosen by eye on the
development clips."""
ARM_LIKE = 3.0
"""Log-likelihood ratio arm / rest above which what is beside an arm before a trunk is no cloth. Chosen by eye on the
development clips."""
FACE_CLEAR = 0.3
"""Decimetres around the face in which no cloth is looked for."""
SEEN, HIDDEN = 0.05, 0.3
"""Alphas above which a pixel belongs to a limb, and is filled where an arm covers it. Chosen by eye on the development
clips."""
HIDDEN_TEXTURE = np.float32(0.5)
"""Strength of the texture on hidden parts of arms: copied whole, deep folds of a sleeve would be a comb. By eye."""
ARM_RIM = 3
"""Pixels around an arm, and below a hem, that the layers of trunk and legs fill too: a rim shows through there. Chosen
by eye on the development clips."""
OWN_CLEAR, OUTLINE = 2, 0.12
"""Pixels about an arm that have colours of its own, and decimetres about it whose colours do not spread over what it
covers: its rim is beside its mask. Chosen by eye on white sleeves before a dark corset."""
ARM_PIXELS_MIN = 30
"""Pixels without which an arm is no layer. Chosen by eye on the development clips."""
ARM_SURFACE, LEG_WHOLE = 0.15, 0.3
"""Weights of a limb's bones above which a triangle is a whole arm's and moves its pixels, and is a whole leg's. Chosen
by eye on the development clips."""
HIDDEN_SIGMA = 0.25
"""Decimetres over which the outline of an arm's hidden part is smoothed: the body's arm ends in triangles. Chosen by
eye on the development clips."""
STRETCHES = (-np.inf, 0.5, 1.0, np.inf)
"""Places along an arm, 0 at the shoulder and 1 at the elbow, between which what is hidden has its own usual colours: a
short sleeve and what is bare below it."""
ARM_SHARE_MIN = 0.2
"""Share of a stretch's pixels from which a colour goes on in what is hidden. Chosen by eye on the development clips."""
CUFF_REACH = 0.3
"""Decimetres beside an arm within which thin remains of the trunk are the arm's. Chosen by eye on the development
clips."""
SHOULDER_REACH = 1.0
"""Decimetres about the shoulder's joint within which bare skin is the arm's. Chosen by eye on the development clips."""
SHOULDER_END = (0.25, 0.5)
"""Upper arm's lengths from the shoulder between which what the picture hides of an arm begins to show where the arm has
left its place. Chosen by eye on the development clips."""
SHOULDER_JOINT, SHOULDER_BARE = 0.3, 0.33
"""Decimetres about the shoulder's joint, and the share of skin there from which shoulders are bare. Measured: clothed
ones have 0 to 0.28 beside a neckline, of bare ones the clearer has 0.39 to 0.97."""
UNDER_HEM = 1.2
"""Decimetres above a hem that legs go on under it: farther up a thigh would show beside a skirt. Chosen by eye on the
development clips."""
TINY = 1e-9
"""Lengths in pixels and sums of weights below it count as zero."""


@dataclass(frozen=True, kw_only=True)
class LayeredBody:
    """All layers by name: "trunk", "arm_l", "arm_r", "leg_l", "leg_r"; and the trunk's fields for other meshes."""

    layers: dict[str, Layer]
    surface: Surface  # of trunk, head and legs
    skirt: bool


@dataclass(frozen=True, kw_only=True)
class LayerSources:
    """What the layers are made from, all at one size."""

    colour: Floats  # (h, w, 3) 0-255, the person's own
    alpha: Floats  # (h, w) 0-1
    skin: Array  # (3,) 0-255
    face: Mask  # (h, w) the face, which hair covers from behind; empty where none is seen
    hands_seen: tuple[bool, bool]  # the subject's left, right


@dataclass(frozen=True, kw_only=True)
class LimbPicture:
    """What a layer is cut from: the real picture, or one that shows a limb straight, mirrored or made up."""

    sources: LayerSources
    fit: BodyFit
    parts: Segmentation


def build_layers(
    picture: LimbPicture, template: BodyTemplate, others: Mapping[str, LimbPicture] = MappingProxyType({})
) -> LayeredBody:
    """Cut the ``picture`` into layers, continue each under the others, and weight its mesh to the bones.

    ``others``: by name ("arm_l", "leg_r") the pictures that these limbs are cut from instead.
    """
    sources, fit, parts = picture.sources, picture.fit, picture.parts
    shape = (sources.alpha.shape[0], sources.alpha.shape[1])
    arms = both_limbs(template, "arm")
    surface = _without_arm_weights(fit.surface(template, ~arms, shape), parts, fit)
    if parts.hem is not None:
        surface = garment_weights(surface, fit, parts.hem)
    layers = {"trunk": _trunk_layer(sources, fit, surface, parts, template)}
    for side in SIDES:
        twin = others.get(f"arm_{'r' if side == 'l' else 'l'}", picture)
        arm = _arm_layer(others.get(f"arm_{side}", picture), twin, template, side)
        if arm is not None:
            layers[f"arm_{side}"] = arm
        name = f"leg_{side}"
        if name in others or name in parts.parts:
            leg = _leg_layer(others.get(name, picture), template, None if name in others else surface, side)
            if leg is not None:
                layers[name] = leg
    return LayeredBody(layers=layers, surface=surface, skirt=parts.hem is not None)


def limb_weight(surface: Surface, limb: str, side: str) -> Floats:
    """(h, w) share of the bones of the "arm" or "leg" of ``side`` in the weights of ``surface``."""
    return surface.share(tuple(f"{bone}_{side}" for bone in LIMB_BONES[limb]))


def _without_arm_weights(surface: Surface, parts: Segmentation, fit: BodyFit) -> Surface:
    """``surface``, in place, with arm weight only where the colours are the arm's: hair does not follow a shoulder.

    Nor does anything follow an arm that the picture shows raised: it would be folded over the chest where that hangs.
    """
    weights = surface.weights
    chest = BONES.index("spine_03")
    for side in SIDES:
        bones = [BONES.index(f"{bone}_{side}") for bone in LIMB_BONES["arm"]]
        like = surface.reduced(arm_colours(parts, side, fit.scale)) * _hanging(fit, side)
        taken = weights[..., bones] * (1 - like)[..., None]
        weights[..., bones] -= taken
        weights[..., chest] += taken.sum(2)
    return surface


def _hanging(fit: BodyFit, side: str) -> float:
    """0-1: how far the upper arm of ``side`` hangs in the picture."""
    shoulder, elbow, _ = fit.joints.points[list(ARMS[side].joints), :2]
    down = float(elbow[1] - shoulder[1]) / max(float(np.hypot(*(elbow - shoulder))), TINY)
    return float(np.clip((down - RAISED[0]) / (RAISED[1] - RAISED[0]), 0, 1))


def _trunk_layer(
    sources: LayerSources, fit: BodyFit, surface: Surface, parts: Segmentation, template: BodyTemplate
) -> Layer:
    """Trunk, head, hair, skirt, and the thighs as far as the legs' layers have not set in."""
    alpha, scale = sources.alpha, fit.scale
    limbs = [mask for name, mask in parts.parts.items() if name.startswith("arm")]
    arms = np.any(limbs, axis=0) if limbs else np.zeros(alpha.shape, np.bool_)
    keep = alpha * softened(~arms, RIM_SIGMA)  # beside the person too: no outline of a hand stays here
    any_arm = arms & (alpha > 0)
    grown = widened(any_arm, ARM_RIM)
    sides = behind_the_arms(keep > 0.5, grown, parts.hair, surface.inside, parts.hem, fit)
    covered = narrowed(surface.inside, 1) | closed(keep > 0.5, RING * scale) | sides
    cut_off = [mask for name, mask in parts.parts.items() if name.startswith("arm") and name in fit.joints.made_up]
    under = under_sleeves(keep > 0.5, cut_off, fit.joints.shoulders[1], scale)
    hidden = ((grown & covered) | under) & (alpha > HIDDEN)
    # What is left of a cuff beside an arm would spread over all that the arm covers.
    beside, rim = (widened(any_arm, reach * scale) for reach in (CUFF_REACH, OUTLINE))
    seen = (keep > SOLID) & ~widened(any_arm, OWN_CLEAR)
    seen &= opened(seen, SLIVER * scale) | ~beside
    known = seen & ~rim & (opened(seen & ~rim, SLIVER * scale) | ~beside)
    below = np.arange(len(alpha))[:, None] > fit.joints.shoulders[1]
    clothed = known & below & surface.inside & ~widened(sources.face, FACE_CLEAR * scale)
    bare = skin_like(sources.colour, sources.skin, clothed)
    if np.count_nonzero(bare) < CLOTHED * np.count_nonzero(clothed):  # what is left of fingers
        like = np.max([parts.arm_likeness[side] for side in SIDES], axis=0)
        seen &= ~(beside & (bare | (surface.inside & below & (like > ARM_LIKE))))
        known &= seen
    hanging = parts.hair & below & known  # behind an arm is cloth, whatever hangs beside it
    made_up = hidden | ((keep > TRACE) & ~known)
    colour = filled(sources.colour, known & ~hanging, made_up, ACROSS)
    cloth = clothed & known & ~widened(parts.hair, OUTLINE * scale)  # hair's outline is half its colour
    locks = np.zeros_like(arms)
    if hanging.any() and (plain := cloth & ~bare).any():
        colour, locks = behind_arms(
            sources.colour, colour, plain, parts.hair, known & below, made_up & below, surface.inside | sides
        )
        made_up &= below
    stays = hanging | beside_rim(sources.colour, colour, any_arm & (alpha > SOLID), seen & rim)
    colour[stays] = sources.colour[stays]
    colour = with_texture(colour, hidden & below & surface.inside, cloth, scale)
    colour = with_texture(colour, made_up & ~below & ~sources.face, known & parts.hair & ~below, scale)
    opacity = np.maximum(keep, softened(hidden) * (grown | under) * alpha)
    legs = [mask for name, mask in parts.parts.items() if name.startswith("leg")]
    if legs:
        weight = limb_weight(surface, "leg", "l") + limb_weight(surface, "leg", "r")
        ends = np.clip((LEG_END[1] - weight) / (LEG_END[1] - LEG_END[0]), 0, 1)
        legs_own = softened(np.any(legs, axis=0) | (weight > SEAM[1]), RIM_SIGMA)
        opacity = opacity * (1 - legs_own * (1 - ends) * _below(parts.hem, alpha))
    opacity = without_specks(np.asarray(opacity, np.float32))
    shown = TrunkPicture(
        colour=colour, opacity=opacity, arms=any_arm, hair=parts.hair | locks, model=surface.inside, hem=parts.hem
    )
    behind = from_behind(shown, alpha > SOLID, sources.face, sources.skin, fit, template)
    layer = make_layer(colour, opacity, surface, scale, around=behind.opacity)
    return replace(layer, back=premultiplied(behind.colour, behind.opacity), skull=behind.skull)


def _below(hem: float | None, alpha: Floats) -> Floats:
    """(h, 1) 1 below a skirt's hem, 0 above; 1 without a skirt."""
    rows = np.ones((len(alpha), 1), np.float32)
    if hem is not None:
        rows[: int(hem) + 1] = 0
    return rows


def _arm_layer(picture: LimbPicture, twin: LimbPicture, template: BodyTemplate, side: str) -> Layer | None:
    """One arm, whole, cut from ``picture``; what that hides is as the picture of its ``twin`` shows it.

    A hand that the picture hides is the template's, in the colour of the face.
    """
    sources, fit, parts = picture.sources, picture.fit, picture.parts
    alpha = sources.alpha
    own = parts.parts.get(f"arm_{side}")
    shape = (alpha.shape[0], alpha.shape[1])
    if own is None or np.count_nonzero(own & (alpha > SEEN)) < ARM_PIXELS_MIN:
        return None
    surface = fit.surface(template, limb_triangles(template, "arm", side, ARM_SURFACE), shape)
    weight = limb_weight(surface, "arm", side)
    whole = _covered(fit, template, limb_triangles(template, "arm", side, ARM_SURFACE), shape)
    visible = own & (alpha > SEEN)
    lower = surface.share((f"lowerarm_{side}", f"hand_{side}")) > 0.5
    whole = np.where(lower, whole, softened(whole | visible, HIDDEN_SIGMA * fit.scale) > 0.5)
    along = along_arm(fit, side, shape)
    hand_seen = sources.hands_seen[0 if side == "l" else 1]
    before = parts.parts["rest"] | parts.parts.get(f"arm_{'r' if side == 'l' else 'l'}", ~own & own)
    hidden = whole & ~visible & (alpha > 0.5) & before & ~under_shoulder(fit, side, along)
    if hand_seen:  # the model's hand is not beside it
        hidden &= surface.share((f"hand_{side}",)) < 0.5
    known = narrowed(own & (alpha > SOLID), 2)
    if not known.any():
        known = own & (alpha > 0.5)
    # What the arm is mostly made of goes on under hair and cloth, not their shadows and outlines.
    stretches = [known & (along >= a) & (along < b) for a, b in pairwise(STRETCHES)]  # sleeves end between them
    known = np.any([usual_cloth(sources.colour, part, ARM_SHARE_MIN) for part in stretches if part.any()], axis=0)
    bare = hidden & (weight > SEAM[1]) & _bare_shoulder(sources, fit, side, known)  # no neckline
    colour, taken = with_twin(sources.colour, known | bare, hidden, along >= 1, _twin_of(picture, twin, side))
    plain = (hidden | own) & ~known & ~bare & ~taken
    colour = filled(colour, known | bare | taken, plain)
    for bone in (along < 1, along >= 1):  # where the arm is raised, plain cloth would show below it
        textured = with_texture(colour, plain & hidden & bone, narrowed(known, ARM_RIM) & bone, fit.scale)
        colour = np.asarray(colour + HIDDEN_TEXTURE * (textured - colour), np.float32)
    # The shade of what hides the rest of it would be a line across the arm.
    seen = own & (alpha > TRACE) & ~widened(hidden, ARM_RIM)
    colour = np.where(seen[..., None], sources.colour, colour)
    made_up = np.zeros(shape, np.float32)
    if not hand_seen:
        hand, light = body_light(fit, template, (f"hand_{side}",), shape)
        colour[hand] = lit_skin(np.asarray(sources.skin, np.float32), light[hand])
        made_up = softened(hand, HAND_SIGMA)
    fade = np.clip((weight - SEAM[0]) / (SEAM[1] - SEAM[0]), 0, 1)
    front = np.maximum(softened(own, RIM_SIGMA) * alpha * fade, made_up)
    full = without_specks(np.maximum(softened(hidden | visible) * (hidden | visible) * alpha, front))
    front = np.minimum(front, full)
    colour = np.asarray(colour, np.float32)
    layer = make_layer(colour, full, surface, fit.scale, front)
    moved = np.maximum(front, full * np.clip((along - SHOULDER_END[0]) / (SHOULDER_END[1] - SHOULDER_END[0]), 0, 1))
    share = surface.share((f"hand_{side}",))
    joints, bones = fit.joints.points[list(ARMS[side].joints), :2], (f"upperarm_{side}", f"lowerarm_{side}")
    joint = joint_patch(layer.rgba, layer.front, joints, bones, surface, fit.scale)
    hand = np.round(255 * np.clip((share - HAND_ZONE[0]) / (HAND_ZONE[1] - HAND_ZONE[0]), 0, 1)).astype(np.uint8)
    arm = replace(layer, moved=premultiplied(colour, moved), hand=hand, joint=joint, beyond=beyond_joint(layer))
    return without_corner(arm)


def _twin_of(picture: LimbPicture, twin: LimbPicture, side: str) -> Floats:
    """(h, w, 4) the other arm of the picture of the ``twin`` where the arm of ``side`` is: see ``as_the_twin``."""
    other = "r" if side == "l" else "l"
    own = twin.parts.parts.get(f"arm_{other}")
    shape = (picture.sources.alpha.shape[0], picture.sources.alpha.shape[1])
    if own is None:
        return np.zeros((*shape, 4), np.float32)
    known = narrowed(own & (twin.sources.alpha > SOLID), ARM_RIM)
    joints, twin_joints = (
        limb.fit.joints.points[list(ARMS[which].joints), :2] for limb, which in ((picture, side), (twin, other))
    )
    return as_the_twin(twin.sources.colour, known, joints, twin_joints, shape)


def _covered(fit: BodyFit, template: BodyTemplate, chosen: Mask, shape: tuple[int, int]) -> Mask:
    """(h, w) what the ``chosen`` (T,) triangles cover, seen from either side: a cut mesh is open at its end."""
    triangles = template.triangles[chosen]
    front, back = (fit.labels(triangles, shape, far) > 0 for far in (False, True))
    return front | back


def _bare_shoulder(sources: LayerSources, fit: BodyFit, side: str, arm: Mask) -> Mask:
    """(h, w) the skin about the shoulder of ``side``: the upper end of an ``arm`` (h, w) with a sleeve farther down.

    Where the arm itself is bare, its colour says what its skin is: sheer cloth over a chest is no shoulder. Nor is a
    neckline that ends beside shoulders in cloth.
    """
    if all(_skin_share(sources, fit, other) < SHOULDER_BARE for other in SIDES):
        return np.zeros(arm.shape, np.bool_)
    return skin_beside(sources.colour, sources.skin, arm, _about_shoulder(sources, fit, side, SHOULDER_REACH))


def _skin_share(sources: LayerSources, fit: BodyFit, side: str) -> float:
    """0-1: how much skin the picture shows at the shoulder's joint of ``side``."""
    joint = _about_shoulder(sources, fit, side, SHOULDER_JOINT)
    skin = skin_beside(sources.colour, sources.skin, np.zeros_like(joint), joint)
    return np.count_nonzero(skin) / max(np.count_nonzero(joint), 1)


def _about_shoulder(sources: LayerSources, fit: BodyFit, side: str, reach: float) -> Mask:
    """(h, w) what of the person is within ``reach`` decimetres of the shoulder's joint of ``side``."""
    near = disc_about(fit.joints.points[ARMS[side].joints[0], :2], reach * fit.scale, sources.face.shape)
    return near & (sources.alpha > SOLID) & ~sources.face


def _leg_layer(picture: LimbPicture, template: BodyTemplate, both: Surface | None, side: str) -> Layer | None:
    """One leg, whole, on a surface without the other leg: where they touch, neither pulls at the other.

    ``both`` is the trunk's surface, with both legs; None where the leg's ``picture`` is not the trunk's.
    """
    sources, fit, parts = picture.sources, picture.fit, picture.parts
    own = parts.parts.get(f"leg_{side}")
    if own is None:
        return None
    alpha = sources.alpha
    shape = (alpha.shape[0], alpha.shape[1])
    no_arms = ~both_limbs(template, "arm")
    other_leg = limb_triangles(template, "leg", "r" if side == "l" else "l", 0.5)
    surface = fit.surface(template, no_arms & ~other_leg, shape)
    if both is None:
        both = fit.surface(template, no_arms, shape)
    weight = limb_weight(surface, "leg", side)
    other = limb_weight(both, "leg", "r" if side == "l" else "l")
    arms = np.any([mask for name, mask in parts.parts.items() if name.startswith("arm")] or [~own & own], axis=0)
    whole = fit.labels(template.triangles[limb_triangles(template, "leg", side, LEG_WHOLE)], shape) > 0
    mine = own | (parts.parts["rest"] & (weight > SEAM[0]) & (limb_weight(both, "leg", side) > other))
    below = _below(parts.hem, alpha)
    beside = parts.parts.get(f"leg_{'r' if side == 'l' else 'l'}", ~own & own) & (alpha > SEEN)
    visible = mine & (alpha > SEEN) & (below > 0)
    whole |= (closed(visible, RING * fit.scale) & arms) | behind(visible, arms, whole, BEHIND_ARM * fit.scale)
    hidden = whole & ~visible & ((below == 0) | arms | beside)
    if parts.hem is not None:
        hidden[: max(0, int(parts.hem - UNDER_HEM * fit.scale))] = False
        hidden[int(parts.hem) + 1 :][:ARM_RIM] |= (whole & visible)[int(parts.hem) + 1 :][:ARM_RIM]  # soft ends
    rim = widened(arms, ARM_RIM)
    known = narrowed(visible & (alpha > SOLID), 1) & ~rim
    if not known.any():
        known = visible & (alpha > 0.5)
    colour = filled(sources.colour, known, hidden | (visible & ~known), ACROSS)
    colour = np.where((visible & ~rim & (alpha > SOLID))[..., None], sources.colour, colour)
    fade = np.clip((weight - SEAM[0]) / (SEAM[1] - SEAM[0]), 0, 1)
    front = softened(visible, RIM_SIGMA) * alpha * fade
    # Softened as one: between what is seen and what is made up no line shows.
    full = without_specks(softened(hidden | visible, RIM_SIGMA) * np.maximum(softened(hidden, 1.0), alpha))
    shown = np.minimum(front, full).astype(np.float32) if parts.hem is None else None  # under a skirt
    layer = make_layer(np.asarray(colour, np.float32), full, surface, fit.scale, shown)
    joints, bones = fit.joints.points[list(LEGS[side].joints), :2], (f"thigh_{side}", f"calf_{side}")
    joint = joint_patch(layer.rgba, layer.front, joints, bones, surface, fit.scale)
    return replace(layer, joint=joint, beyond=beyond_joint(layer))
