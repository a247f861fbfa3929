"""Which pixels of the character are an arm, a leg, or the rest: trunk, head, hair and skirt."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.trunk import SHOULDERS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS, SIDES
from bodydouble.renderers.puppet.body.surface import both_limbs, continued, limb_triangles, nearest_of
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.arm_hints import (
    TRUNK_DEPTH,
    ArmHints,
    BodySeen,
    arm_hints,
    arm_seeds,
    hand_disc,
    hand_region,
)
from bodydouble.renderers.puppet.picture.colour_models import learn_models, log_likelihood_ratio
from bodydouble.renderers.puppet.picture.extension import skin_like
from bodydouble.renderers.puppet.picture.hair import hanging_hair, lock_before
from bodydouble.renderers.puppet.picture.head_region import face_and_neck, face_only, head_region
from bodydouble.renderers.puppet.picture.regions import (
    closed,
    large_pieces,
    narrowed,
    opened,
    pieces,
    softened,
    touching,
    widened,
)
from bodydouble.renderers.puppet.picture.sleeves import NOWHERE, along_arm, beyond_sleeve, inner_side, own_seeds, sleeve

Array = NDArray[np.float64]

OPAQUE = 0.3
"""Alpha from which on a pixel takes part in the segmentation; fainter ones follow their neighbours."""
SEEDS_MIN = 20
"""Pixels of each kind that a colour model needs."""
SLIVER = 0.14
"""Decimetres: thinner remains of the trunk beside an arm are the arm's rim."""
ARM_REACH, ARM_DEPTH = 0.55, 0.18
"""Decimetres around the body's arm that may be an arm, and inside it from which on pixels surely are. Chosen by eye on
the development clips."""
RATIO_INSIDE, RATIO_SEED, RATIO_SLEEVE = -2, -8, -1
"""Log-likelihood ratios arm / rest above which a pixel is surely an arm's: deep inside it, on its sure line, and in a
wide sleeve. Chosen by eye on the development clips."""
SLEEVE_REACH, RATIO_SURE = 0.2, 3
"""Decimetres beside the body's arm from which on a pixel that is nearer to the trunk is the trunk's, and the
log-likelihood ratio arm / rest up to which it is. Chosen by eye on the development clips: jackets, kimonos."""
RATIO_BEYOND = 6
"""The same ratio up to which what is farther from the bone than a sleeve reaches is the trunk's. Measured: up to 5 in
the shaded front of a jacket behind its own sleeve."""
CUT_OFF_BELOW = 0.3
"""Decimetres below the shoulder's joint from which on pixels of the body's arm surely have the sleeve's colours. Chosen
by eye on half bodies with elbows below the picture's edge."""
BESIDE_SHARE = 0.4
"""Share of a piece that is beside a bare arm of other colours, from which on it goes with no arm. Measured: 0.53 to
0.64 of a long lock; bracelets are on the arm."""
PIECE_SEEDS = 5
"""Pixels of the sure line above which a piece belongs to the arm. Chosen by eye on the development clips."""
PIECE_MIN = 0.05
"""Share of an arm's largest piece up to which another one is a speck: the end of a lock, that no arm carries. Chosen by
eye on hair beside a bare arm; a hand beyond a cuff has 0.15."""
BARE_SHARE = 0.6
"""Share of the legs that has the colour of the face from which they are bare. Chosen by eye on short trousers."""
CUFF_RADIUS = 0.5
"""Decimetres around the wrist in which cuffs are: unlike the sleeve, and left on the trunk they would stay there.
Chosen by eye on the development clips."""
HAND_PLACE, FINGERS_PLACE, HAND_RADIUS = 0.6, 1.6, 0.8
"""Places of the middle of an unseen hand and of its fingers, which are longer than their landmarks say, on the way from
wrist to fingertips; and the radius of both in decimetres. Chosen by eye on pictures with hands before the chest."""
RAISED_RIM = 0.3
"""Decimetres about a raised arm in which thin remains are its outline, and no hair. Chosen by eye on a drawing."""
HEAD_ABOVE, TRUNK_RIM = 0.3, 0.1
"""Decimetres above the shoulders from which on a pixel is the head's, and on either side of the trunk's outline
within which it is not sure. Chosen by eye on the development clips."""
ARM_LIKE, ARM_LIKE_RANGE, ARM_LIKE_BLUR = 5, 4, 0.12
"""A pixel with the log-likelihood ratio ``-ARM_LIKE`` has nothing of the arm's colours; over the next
``ARM_LIKE_RANGE`` that grows to 1. Decimetres over which it is smoothed. Chosen by eye on the development clips."""

MESH_TEETH = 0.2
"""Decimetres over which the borders of the body model's parts are smoothed: about the side of its triangles."""
MADE_UP_SHARE = 0.2
"""Weight of an arm's bones from which on what is made up is the arm's: there its layer begins to fade in."""


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """Masks (h, w) that together cover the matte; ``likeness`` says how much a pixel looks like an arm."""

    parts: dict[str, Mask]  # "rest", "arm_l", "arm_r", "leg_l", "leg_r"; a limb that is not seen is missing
    arm_likeness: dict[str, Floats]  # by side: log-likelihood ratio arm / rest; 0 where there is no model
    hem: float | None  # px: row to which a skirt reaches; None without a skirt
    loose: Mask  # (h, w) of the picture: what hangs on no trunk and lies beside a bare arm, and specks, as of hair
    hair: Mask  # (h, w) of the picture: hair that is followed from the head down


def segment(
    image: Image, alpha: Floats, fit: BodyFit, template: BodyTemplate, anatomy: Anatomy, made_up: Mask
) -> Segmentation:
    """Arms by colour models that the body seeds; the rest is the trunk's, and the legs' until ``split_legs``.

    ``image`` (h, w, 3) has the colours of the person alone, ``alpha`` (h, w) is 0-1; both are at the size of ``fit``.
    Where the picture is ``made_up`` (h, w), the nearest part of the body decides for arms too.
    """
    shape = (alpha.shape[0], alpha.shape[1])
    labels = fit.labels(template.triangles, shape)
    body = labels > 0
    number = np.maximum(labels - 1, 0)
    opaque = alpha > OPAQUE
    head = head_region(anatomy, alpha) > 0
    arm_of = {side: limb_triangles(template, "arm", side, 0.5) for side in SIDES}
    trunk = fit.labels(template.triangles[~(arm_of["l"] | arm_of["r"])], shape) > 0
    side_of_trunk = _without_teeth(trunk, fit.scale)
    real = opaque & ~made_up
    hair = _hair(image, real, head, fit, anatomy, side_of_trunk)
    head |= hair
    legs = nearest_of(labels, both_limbs(template, "leg")) & real
    bare = np.count_nonzero(_bare_arm(image, legs, anatomy)) > BARE_SHARE * np.count_nonzero(legs)
    seen: dict[str, BodySeen] = {}
    for side in SIDES:
        visible = _without_teeth(continued(arm_of[side][number] & body, body), fit.scale) & body
        seen[side] = BodySeen(body, trunk, visible, head, along_arm(fit, side, shape))
    found = _found_arms(image, real, fit, anatomy, template, seen)
    arms: dict[str, Mask] = {}
    for side in SIDES:
        visible, along, cut = seen[side].visible, seen[side].along, found[side].own
        if cut.any():
            ends = (hand_disc(fit, side, shape, place, HAND_RADIUS) for place in (HAND_PLACE, FINGERS_PLACE))
            hand, fingers = (_bare_arm(image, real & end & ~head & ~(legs & bare), anatomy) for end in ends)
            cut |= _bare_arm(image, real & visible & ~side_of_trunk & ~head, anatomy) | hand
            cut |= touching(fingers, cut)
            near = continued(visible, body) & widened(visible, ARM_REACH * fit.scale)
            naked = _bare_arm(image, cut, anatomy)
            cut |= sleeve(real & near & ~side_of_trunk & ~head & ~cut, naked, along, opaque)
        beginning = limb_triangles(template, "arm", side, MADE_UP_SHARE)[number] & body
        arms[side] = cut | ((continued(visible, body) | beginning) & made_up)
    arms = _apart(arms, seen, {side: hand_region(anatomy, side, shape, fit.scale) for side in SIDES})
    locks = [lock_before(image, hair, arms[side] & real, arms[twin] & real, fit.scale) for side, twin in ("lr", "rl")]
    for side, lock in zip(SIDES, locks, strict=True):
        arms[side] &= ~lock
        hair |= lock
        head |= lock
    parts = _partition(opaque, arms, trunk, head, found["l"].beside | found["r"].beside, fit)
    loose = _loose(parts, opaque, trunk)
    likeness = {side: arm.ratio for side, arm in found.items()}
    return Segmentation(parts=parts, loose=loose, arm_likeness=likeness, hem=None, hair=hair)


def _apart(arms: dict[str, Mask], seen: dict[str, BodySeen], hands: dict[str, Mask | None]) -> dict[str, Mask]:
    """``arms`` (h, w) that share no pixel: of crossed ones each has its own hand of ``hands``, else what is near."""
    both = arms["l"] & arms["r"]
    left = distance_to(seen["l"].visible) <= distance_to(seen["r"].visible) if both.any() else both
    own, other = (both & ~both if hand is None else hand for hand in (hands["l"], hands["r"]))
    left = (left | own) & ~(other & ~own)
    return {"l": arms["l"] & ~(both & ~left), "r": arms["r"] & ~(both & left)}


def _loose(parts: dict[str, Mask], opaque: Mask, trunk: Mask) -> Mask:
    """(h, w) what of ``parts`` neither arms nor trunk carry: specks of an arm, and "loose". Both are taken from them.

    Before the ``trunk`` (h, w) they would be holes: there the nearer arm has them, and cloth is made up behind.
    """
    loose = parts.pop("loose", np.zeros(opaque.shape, np.bool_))
    arms = [name for name in parts if name.startswith("arm")]
    for name in arms:
        shown = parts[name] & opaque
        specks = shown & ~large_pieces(shown, PIECE_MIN)
        parts[name] &= ~specks
        loose |= specks
    if not (loose & trunk).any():
        return loose
    away = {name: distance_to(parts[name]) for name in arms}
    for name in arms:
        parts[name] |= loose & trunk & (away[name] <= np.min(list(away.values()), axis=0))
    return loose & ~trunk


def _without_teeth(part: Mask, scale: float) -> Mask:
    """``part`` (h, w) of the body with a smooth border: its mesh ends in triangles."""
    return softened(part, MESH_TEETH * scale) > 0.5


def _hair(image: Image, opaque: Mask, head: Mask, fit: BodyFit, anatomy: Anatomy, trunk: Mask) -> Mask:
    """(h, w) what hangs from the ``head`` (h, w) before and beside ``trunk`` (h, w) and arms."""
    body = narrowed(trunk, TRUNK_DEPTH * fit.scale)
    for side in SIDES:
        if f"arm_{side}" not in fit.joints.made_up:
            body |= arm_seeds(opaque, fit, anatomy, side)[0]
    face = face_and_neck(anatomy, opaque.shape)
    return hanging_hair(image, opaque, head, face, body, float(anatomy.chin[1]), fit.scale)


@dataclass(frozen=True)
class _Arm:
    """One arm of a picture."""

    own: Mask  # (h, w)
    ratio: Floats  # (h, w) how much each pixel has the arm's colours rather than the rest's
    beside: Mask  # (h, w) what is beside the body's arm, where that is bare, and unlike it

    @staticmethod
    def nothing(shape: tuple[int, ...]) -> "_Arm":
        """No arm in a picture of ``shape``."""
        empty = np.zeros(shape[:2], np.bool_)
        return _Arm(own=empty, ratio=np.zeros(shape[:2], np.float32), beside=empty)


def _found_arms(
    image: Image, opaque: Mask, fit: BodyFit, anatomy: Anatomy, template: BodyTemplate, seen: dict[str, BodySeen]
) -> dict[str, _Arm]:
    """Both arms by side. Clothes are alike on both sides: where one arm is bare, cloth before the other is the trunk's.

    ``opaque`` (h, w) is the person without what is made up.
    """
    hints = {
        side: arm_hints(image, opaque, fit, anatomy, side, template, seen[side])
        for side in SIDES
        if f"arm_{side}" not in fit.joints.made_up
    }
    start = min((hint.start for hint in hints.values()), default=NOWHERE)
    found: dict[str, _Arm] = {}
    for side in SIDES:
        if side in hints:
            found[side] = _arm(image, opaque, fit, anatomy, side, seen[side], hints[side], start)
        else:
            cut_off = _cut_off_arm(image, opaque, fit, anatomy, side, seen[side])
            found[side] = replace(_Arm.nothing(opaque.shape), own=cut_off)
    return found


def _arm(
    image: Image, opaque: Mask, fit: BodyFit, anatomy: Anatomy, side: str, seen: BodySeen, hints: ArmHints, start: float
) -> _Arm:
    """One arm. ``start`` is the place along the arms from which on at least one of them is bare."""
    nothing = _Arm.nothing(opaque.shape)
    body, visible, scale, shape = seen.body, seen.visible, fit.scale, (opaque.shape[0], opaque.shape[1])
    raw, hand, never = hints.raw, hints.hand, hints.never
    # Bare arms have the colour of the face: it is no arm, but says nothing about colours.
    rest = (hints.core | hints.hair) & ~face_and_neck(anatomy, shape)
    if min(hints.seeds.sum(), rest.sum()) < SEEDS_MIN:
        return replace(nothing, own=visible & opaque)
    lower = seen.along >= start
    own = own_seeds(image, opaque & ~never, hints.seeds & ~hand, hints.chest, hints.skin, lower)
    seeds = own | (hints.seeds & hand)
    bare = seen.along >= hints.start
    models = learn_models(image, seeds & (hints.skin | hand | ~bare), rest)
    ratio = nothing.ratio
    ratio[opaque] = log_likelihood_ratio(models, image[opaque])
    unlike = bare & opaque & (ratio < RATIO_INSIDE)
    depth = np.asarray(cv2.distanceTransform(raw.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3))
    zone = widened(raw, ARM_REACH * scale) & opaque
    labels = np.full(shape, cv2.GC_BGD, np.uint8)
    labels[zone] = cv2.GC_PR_BGD
    labels[visible & opaque] = cv2.GC_PR_FGD
    labels[(depth > ARM_DEPTH * scale) & visible & opaque & (ratio > RATIO_INSIDE)] = cv2.GC_FGD
    labels[rest & ~raw] = cv2.GC_BGD
    # A sleeve of the jacket's own colour: there the body tells them apart.
    away = distance_to(raw)
    nearer = (away > SLEEVE_REACH * scale) & (distance_to(seen.trunk & ~raw) < away)
    labels[nearer & (ratio < RATIO_SURE)] = cv2.GC_BGD
    labels[seeds & (ratio > RATIO_SEED) & ~unlike] = cv2.GC_FGD
    # A wide sleeve: outside the body, nearest to the arm, not of another colour.
    outside = continued(visible, body) & opaque & ~body
    labels[outside & (ratio > RATIO_SLEEVE) & ~hints.hair & ~unlike] = cv2.GC_FGD
    cuff = hand_disc(fit, side, shape, 0, CUFF_RADIUS) & opaque
    labels[cuff & (ratio > RATIO_INSIDE) & ~unlike] = cv2.GC_FGD
    labels[hand] = cv2.GC_FGD
    if not hints.hand_seen:  # in a pocket or behind: only what has the arm's colours
        labels[hand_disc(fit, side, shape, HAND_PLACE, HAND_RADIUS) & (ratio < 0) & ~seeds & opaque] = cv2.GC_BGD
    labels[never] = cv2.GC_BGD
    found = _decided(image, labels, models, widened(zone, scale))
    found &= hand | (ratio > RATIO_BEYOND) | ~beyond_sleeve(fit, side, seen.along, opaque, raw, found)
    found = closed(opened(found & opaque, 1), 2) & opaque
    found |= inner_side(found, opaque & (ratio > RATIO_SLEEVE) & ~never, rest, fit, side)
    count, labelled = pieces(found)
    kept = [k for k in range(1, count + 1) if np.count_nonzero(seeds & (labelled == k)) > PIECE_SEEDS]
    return _Arm(own=np.isin(labelled, kept) & found, ratio=ratio, beside=unlike & ~raw)


def _cut_off_arm(image: Image, opaque: Mask, fit: BodyFit, anatomy: Anatomy, side: str, seen: "BodySeen") -> Mask:
    """(h, w) an upper arm whose elbow is beyond the picture's edge: where the body has it, without hair before it."""
    never = face_and_neck(anatomy, opaque.shape) | seen.head
    shoulder = fit.joints.points[ARMS[side].joints[0], 1]
    below = np.arange(len(opaque))[:, None] > shoulder + CUT_OFF_BELOW * fit.scale
    arm = seen.visible & opaque & ~never
    hair = seen.head & opaque & ~face_and_neck(anatomy, opaque.shape)
    seeds = narrowed(seen.visible, ARM_DEPTH * fit.scale) & opaque & below & ~never
    if seeds.sum() < SEEDS_MIN:
        return np.zeros(opaque.shape, np.bool_)
    beside = continued(seen.visible, seen.body) & opaque & ~seen.body & below & ~never
    arm |= beside & (distance_to(seen.visible) < ARM_REACH * fit.scale)
    if hair.sum() >= SEEDS_MIN:
        models = learn_models(image, seeds, hair)
        like = np.zeros(opaque.shape, np.bool_)
        like[arm] = log_likelihood_ratio(models, image[arm]) > 0
        arm = opened(closed(like, 1) & arm, 1)
    return arm


def _decided(
    image: Image, labels: NDArray[np.uint8], models: tuple[NDArray[np.float64], NDArray[np.float64]], zone: Mask
) -> Mask:
    """The foreground of ``labels`` (h, w; GrabCut's) after one cut within the bounding box of ``zone``.

    ``models``: colour models of foreground and background, which the cut does not change.
    """
    x, y, w, h = cv2.boundingRect(zone.astype(np.uint8))
    window = np.s_[y : y + h, x : x + w]
    part = labels[window].copy()
    foreground, background = models
    cv2.grabCut(
        np.ascontiguousarray(image[window]),
        part,
        (0, 0, 1, 1),
        background.copy(),
        foreground.copy(),
        1,
        cv2.GC_EVAL_FREEZE_MODEL,
    )
    found = np.zeros(labels.shape, np.bool_)
    found[window] = (part == cv2.GC_FGD) | (part == cv2.GC_PR_FGD)
    return found


def _bare_arm(image: Image, zone: Mask, anatomy: Anatomy) -> Mask:
    """The pixels of ``zone`` (h, w) with the colour of the face: bare shoulders are unlike the sleeves below them."""
    face = face_only(anatomy, zone.shape)
    if not face.any():
        return np.zeros(zone.shape, np.bool_)
    skin = np.median(image[face], axis=0).astype(np.float64)
    return opened(skin_like(image, skin, zone & ~face_and_neck(anatomy, zone.shape)), 1)


def _partition(
    opaque: Mask, arms: dict[str, Mask], trunk: Mask, face: Mask, beside: Mask, fit: BodyFit
) -> dict[str, Mask]:
    """Every pixel, fringes too, goes to the nearest of trunk and arms; pieces that hang on no trunk to an arm.

    ``face`` (h, w): what is connected with the face above the shoulders. Pieces that hang on no trunk, but lie
    ``beside`` (h, w) a bare arm and are unlike it, are "loose".
    """
    scale = fit.scale
    rest = opaque & ~arms["l"] & ~arms["r"]
    head = ~widened(arms["l"] | arms["r"], RAISED_RIM * scale)
    top = fit.joints.points[SHOULDERS, 1].min() - HEAD_ABOVE * scale
    head[max(0, int(top)) :] = False
    head |= face
    solid = widened(opened(rest, SLIVER * scale), 2)
    rest &= solid | widened(trunk, TRUNK_RIM * scale) | head
    raised = any(fit.joints.points[chain.joints[2], 1] < top for chain in ARMS.values())
    core = narrowed(trunk, TRUNK_RIM * scale) | (face if raised else head)  # a finger up there hangs on no head
    count, labels = pieces(rest)
    hung, other, whole = (np.bincount(labels[rest & part], minlength=count + 1) for part in (core, beside, rest))
    hangs = hung >= SEEDS_MIN
    loose = ~hangs & (other > BESIDE_SHARE * whole)
    masks = {"rest": rest & hangs[labels], "loose": rest & loose[labels]}
    masks |= {f"arm_{side}": arms[side] for side in SIDES}
    masks = {name: mask for name, mask in masks.items() if mask.any()}
    nearest = np.argmin([distance_to(mask) for mask in masks.values()], 0)
    return {name: nearest == k for k, name in enumerate(masks)}


def split_legs(segmentation: Segmentation, fit: BodyFit, template: BodyTemplate, hem: float | None) -> Segmentation:
    """``segmentation`` with the legs as parts of their own, by the nearest part of the body; above a ``hem`` none."""
    parts = dict(segmentation.parts)
    rest = parts["rest"]
    shape = (rest.shape[0], rest.shape[1])
    chosen = ~both_limbs(template, "arm")
    labels = fit.labels(template.triangles[chosen], shape)
    body = labels > 0
    number = np.maximum(labels - 1, 0)
    below = np.zeros(shape, np.bool_)
    below[0 if hem is None else int(hem) + 1 :] = True
    for side in SIDES:
        leg = continued(limb_triangles(template, "leg", side, 0.5)[chosen][number] & body, body)
        mask = parts["rest"] & leg & below
        if np.count_nonzero(mask) >= SEEDS_MIN:
            parts[f"leg_{side}"] = mask
            parts["rest"] = parts["rest"] & ~mask
    return replace(segmentation, parts=parts, hem=hem)


def arm_colours(segmentation: Segmentation, side: str, scale: float) -> Floats:
    """(h, w) 0-1: 1 where a pixel has the colours of the arm of ``side``, smoothed."""
    like = np.clip((segmentation.arm_likeness[side] + ARM_LIKE) / ARM_LIKE_RANGE, 0, 1)
    return np.asarray(cv2.GaussianBlur(like.astype(np.float32), (0, 0), max(ARM_LIKE_BLUR * scale, 0.5)), np.float32)
