"""Bags, balls and cups in a picture's hands: they would be torn between hand and hip, and are left out."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS, SIDES
from bodydouble.renderers.puppet.body.surface import bone_share, both_limbs
from bodydouble.renderers.puppet.compositing.light import lab_of
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.arm_hints import hand_disc, hand_region
from bodydouble.renderers.puppet.picture.cloth import with_texture
from bodydouble.renderers.puppet.picture.colour_models import learn_models, log_likelihood_ratio
from bodydouble.renderers.puppet.picture.cutout import Cutout, largest_piece
from bodydouble.renderers.puppet.picture.head_region import head_region
from bodydouble.renderers.puppet.picture.regions import (
    closed,
    disc_about,
    filled,
    narrowed,
    opened,
    pieces,
    softened,
    touching,
    widened,
)

Array = NDArray[np.float64]

# All lengths are in decimetres. Measured on 97 pictures, 14 of them with bags, balls, cups or a sword in a hand.
OPAQUE = 0.5
"""Alpha from which on a pixel is the cut-out's."""
HAND_PLACE, HAND_RADIUS = 0.6, 0.5
"""Place on the way from wrist to fingertips, and radius, of a disc for a hand without landmarks: a fist."""
OFF, THIN, PIECE_MIN = 0.2, 0.04, 0.03
"""What is farther than this from body and hands may be a thing; half the width of handles that are followed; and the
area of the smallest piece."""
HAND_NEAR, HAND_FAR = 0.7, 5.0
"""A thing comes this near to a hand, and shows beside the body within the second distance of one."""
FOOT = 1.0
"""About feet there are shoes, which the body model lacks."""
LIKE_MIN, LIKE_SPREAD = 6.0, 2.5
"""A thing goes on where L*, a and b are each as near to its usual colour as this, or as so many standard deviations."""
OTHERS_REACH, OTHERS_CLEAR, OTHERS_MIN = 3.0, 0.15, 60
"""A thing's colours are compared with the person's within this reach but not this near, of so many pixels at least."""
ON_THING = 2.0
"""Log-likelihood ratio thing / person above which a pixel beside a thing is the thing's."""
UNLIKE, UNLIKE_BESIDE = 3.0, 6.0
"""The median of that ratio from which a piece is unlike the person: in the open, and along the outline of trunk or
legs. Measured: things 3.2 and more, wide cuffs and sleeves up to 2.8, trousers' rims along a leg up to 5.6."""
OUTLINE, RIM = 0.3, 0.25
"""Half width of the band about the outline of trunk and legs, and width of a thing's rim, in which they touch."""
OPEN_MAX, BESIDE_MAX = 0.22, 0.36
"""Share of a thing's rim that touches that outline: in the open, and before a leg. Measured: things up to 0.19 and
0.34, hips and pockets 0.38 to 0.53."""
ON_BODY_MAX = 1.2
"""Area of a thing before the body over that beside it. Measured: things up to 1.0, coats and skirts from 1.3 on."""
ALONG_ARM_MAX, MIDDLE_MAX, HEAD_MAX = 0.4, 0.1, 0.05
"""Length of the arms' bones that a thing covers, its share of the trunk's middle, and its area on the head: else it is
a sleeve or cuff, a coat or dress, or hair."""
MIDDLE_BELOW = 0.15
"""Spine lengths by which the trunk's middle goes on below the hips."""
KNOWN_CLEAR, THING_RIM = 2, 0.12
"""Pixels beside a thing whose colours are mixed with it, and how far its soft outline reaches."""
BODY_RIM = 0.1
"""What a thing covers is as much wider than the body model: cloth."""


@dataclass(frozen=True, kw_only=True)
class _Places:
    """Masks (h, w) that tell things from clothes."""

    opaque: Mask
    body: Mask  # the fitted body
    handless: Mask  # the same without hands
    hands: Mask  # discs where they have no landmarks
    shown_hands: Mask  # those with landmarks
    head: Mask
    outline: Mask  # a band about the outline of trunk and legs
    arms: Mask  # lines along the arms' bones
    middle: Mask  # a line down the trunk's middle


def without_held_things(
    cutout: Cutout, anatomy: Anatomy, fit: BodyFit, template: BodyTemplate, body: Mask, skin: Array
) -> Cutout:
    """``cutout`` (h, w) without what its hands hold; body, cloth and hands behind that are completed.

    A thing shows beside the body, comes near to a hand, and has colours of its own. Clothes go on over arms, trunk or
    head, or along the outline of trunk and legs. ``body`` (h, w) are the pixels of ``fit``, ``skin`` (3,) 0-255 is for
    hands that a thing hides.
    """
    shown, hands = _hands(anatomy, fit, body.shape)
    if not hands.any():
        return cutout
    head = head_region(anatomy, cutout.alpha) > 0
    beside = _beside(cutout.alpha > OPAQUE, body | hands, head, fit)
    count, labels = pieces(beside)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    within = np.bincount(labels[widened(hands, HAND_FAR * fit.scale)], minlength=count + 1)
    large = np.flatnonzero((sizes[1:] >= PIECE_MIN * fit.scale**2) & (within[1:] > 0)) + 1
    if not len(large):
        return cutout
    places = _places(cutout, body, (shown, hands), head, fit, template)
    lab, colours = lab_of(cutout.colour), np.clip(cutout.colour, 0, 255).astype(np.uint8)
    near = widened(hands, HAND_NEAR * fit.scale)
    things = np.zeros_like(body)
    for piece in (labels == k for k in large):
        thing = None if things[piece].all() else _thing(piece, colours, lab, places, near, fit.scale)
        if thing is not None:
            things |= thing
    return _completed(cutout, things, places, skin, fit.scale) if things.any() else cutout


def _hands(anatomy: Anatomy, fit: BodyFit, shape: tuple[int, ...]) -> tuple[Mask, Mask]:
    """(h, w) the hands that have landmarks, and all of the arms that the picture shows: of the others discs."""
    shown, hands = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for side in SIDES:
        if f"arm_{side}" in fit.joints.made_up:
            continue
        seen = hand_region(anatomy, side, shape, fit.scale)
        if seen is None:
            hands |= hand_disc(fit, side, shape, HAND_PLACE, HAND_RADIUS)
        else:
            shown |= seen
    return shown, hands | shown


def _beside(opaque: Mask, body: Mask, head: Mask, fit: BodyFit) -> Mask:
    """(h, w) what is ``opaque`` (h, w) beside ``body``, ``head`` and shoes, where things may be."""
    beside = opaque & ~widened(body, OFF * fit.scale) & ~head
    for chain in LEGS.values():
        for index in (chain.joints[2], *chain.extremity):
            beside &= ~disc_about(fit.joints.points[index, :2], FOOT * fit.scale, opaque.shape)
    return opened(beside, max(1.0, THIN * fit.scale))


def _places(
    cutout: Cutout, body: Mask, hands: tuple[Mask, Mask], head: Mask, fit: BodyFit, template: BodyTemplate
) -> _Places:
    """``hands`` (h, w) are those of ``_hands``."""
    shape, scale = (body.shape[0], body.shape[1]), fit.scale
    limbs = both_limbs(template, "arm")
    trunk = fit.labels(template.triangles[~limbs], shape) > 0
    own_hands = bone_share(template.triangle_weights, tuple(f"hand_{side}" for side in SIDES)) > 0.5
    arms, middle = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for chain in ARMS.values():
        cv2.polylines(arms, [np.round(fit.joints.points[list(chain.joints), :2]).astype(np.int32)], False, 1)
    upper, lower = fit.joints.shoulders[:2], fit.joints.hips[:2]
    ends = np.round([upper, lower + MIDDLE_BELOW * (lower - upper)]).astype(np.int32)
    cv2.polylines(middle, [ends], False, 1)
    return _Places(
        opaque=cutout.alpha > OPAQUE,
        body=body,
        handless=fit.labels(template.triangles[~own_hands], shape) > 0,
        hands=hands[1],
        shown_hands=hands[0],
        head=head,
        outline=widened(trunk, OUTLINE * scale) & ~narrowed(trunk, OUTLINE * scale),
        arms=arms > 0,
        middle=middle > 0,
    )


def _thing(piece: Mask, colours: Image, lab: Floats, places: _Places, near: Mask, scale: float) -> Mask | None:
    """(h, w) the thing that shows a ``piece`` (h, w) beside the body; None where that is the person's.

    ``near`` (h, w) is about the hands.
    """
    thin = max(1.0, THIN * scale)
    own = lab[piece]
    middle = np.median(own, axis=0)
    spread = np.maximum(LIKE_MIN, LIKE_SPREAD * 1.48 * np.median(np.abs(own - middle), axis=0))
    # OpenCV takes a tenth of NumPy's time.
    like = piece | (places.opaque & (cv2.inRange(lab, middle - spread, middle + spread) > 0))
    grown = touching(opened(closed(like, 1), thin) | piece, piece)
    if not (grown & near).any() or _is_worn(grown, places, scale):
        return None
    around = widened(grown, OTHERS_REACH * scale) & places.opaque
    others = (around & ~widened(grown, OTHERS_CLEAR * scale)) | (places.head & places.opaque & ~grown)
    if np.count_nonzero(others) < OTHERS_MIN:
        return None
    models = learn_models(colours, grown, others)
    ratio = np.full(piece.shape, -np.inf)
    ratio[around] = log_likelihood_ratio(models, colours[around])
    thing = touching(opened(closed(ratio > ON_THING, 1) & around, thin) | grown, piece)
    rim = widened(thing, RIM * scale) & ~thing
    touch = np.count_nonzero(rim & places.outline & places.opaque) / max(np.count_nonzero(rim), 1)
    unlike = np.median(ratio[piece])
    held = (unlike > UNLIKE and touch < OPEN_MAX) or (unlike > UNLIKE_BESIDE and touch < BESIDE_MAX)
    return thing if held and not _is_worn(thing, places, scale) else None


def _is_worn(thing: Mask, places: _Places, scale: float) -> bool:
    """Whether ``thing`` (h, w) covers so much of the body that it is worn, or hair."""
    before, beside = (np.count_nonzero(thing & part) for part in (places.body & ~places.hands, ~places.body))
    middle = np.count_nonzero(thing & places.middle) / max(np.count_nonzero(places.middle), 1)
    return bool(
        before >= ON_BODY_MAX * beside
        or np.count_nonzero(thing & places.arms) >= ALONG_ARM_MAX * scale
        or middle >= MIDDLE_MAX
        or np.count_nonzero(thing & places.head) >= HEAD_MAX * scale**2
    )


def _completed(cutout: Cutout, things: Mask, places: _Places, skin: Array, scale: float) -> Cutout:
    """``cutout`` without the ``things`` (h, w), with what is behind them of body and hands."""
    spoilt = widened(things, KNOWN_CLEAR)
    rim = widened(things, THING_RIM * scale) & ~places.opaque  # its own soft outline
    behind = spoilt & (widened(places.handless, BODY_RIM * scale) | places.shown_hands)
    known, hidden = places.opaque & ~spoilt, behind & places.opaque
    cloth, hand = known & ~places.hands, known & places.shown_hands & ~places.handless
    colour = filled(cutout.colour, cloth, hidden)
    colour = with_texture(colour, hidden & ~places.hands, cloth, scale)
    over = hidden & places.shown_hands
    if hand.any():
        colour = np.where(over[..., None], filled(cutout.colour, hand, over), colour)
    else:
        colour[over] = skin
    gone = (things | rim) & ~behind
    alpha = np.where(gone, 0, cutout.alpha * np.where(spoilt, softened(~gone), 1))
    return replace(cutout, alpha=largest_piece(alpha.astype(np.float32)), colour=np.asarray(colour, np.float32))
