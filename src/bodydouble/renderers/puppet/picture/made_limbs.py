"""Limbs that cannot be cut out of the picture: the twin's in a mirror, or the body model's in the limb's colours."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.smoothing import gaussian_smoothed
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS, SHORTEST, Chain, Joints, hang_arm, stand_leg
from bodydouble.renderers.puppet.body.surface import both_limbs, limb_triangles, nearest_of
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.arm_hints import hand_region
from bodydouble.renderers.puppet.picture.continued_parts import SHOE_WIDTH, TROUSERS_WIDTH, shoe
from bodydouble.renderers.puppet.picture.doubt import Doubtful, twin_of
from bodydouble.renderers.puppet.picture.extension import skin_like
from bodydouble.renderers.puppet.picture.garment import CROTCH
from bodydouble.renderers.puppet.picture.head_region import face_only, head_region
from bodydouble.renderers.puppet.picture.layers import RIM_SIGMA, SOLID, LimbPicture
from bodydouble.renderers.puppet.picture.lower_body import trousers_colour
from bodydouble.renderers.puppet.picture.regions import narrowed, opened, softened, widened
from bodydouble.renderers.puppet.picture.segmentation import Segmentation
from bodydouble.renderers.puppet.picture.shading import body_light, lit_cloth, lit_skin
from bodydouble.renderers.puppet.picture.sleeves import along_limb
from bodydouble.renderers.puppet.picture.straightening import UPPER

Array = NDArray[np.float64]

STEPS = 12
"""Pieces of each of a limb's two bones whose usual colours it has where it is made up."""
STEPS_SIGMA = 0.7
"""Pieces over which these colours are smoothed: hems stay sharp, single folds do not show. Chosen by eye."""
SHORT = 0.7
"""Decimetres below the crotch to which a garment reaches over bare legs."""
PIXELS_MIN = 12
"""Pixels of a piece without which it has the colours of the pieces beside it."""
RIM = 2
"""Pixels at the rim of what is seen of a limb whose colours are mixed with what is beside it."""
FOOT = 2.15
"""Place along a leg, 2 at the ankle, from which on colours are the foot's."""
CLOTHES = 0.8
"""Decimetres beside the body's limb within which a mirrored limb is: pockets and wide trousers are. By eye."""
CUT = 0.02
"""Share of a mirrored limb that may be beyond the picture's left and upper border, where no room is."""

BESIDE, HAND_RIM = 0.3, 0.15
"""Decimetres beside the body model's limb, and beside a hand's landmarks, within which what is not the trunk's is
theirs."""
SPIKE, SPIKE_REACH = 0.3, 0.6
"""Half the width in decimetres up to which what is left of the trunk beside such an arm is a remains of its sleeve, and
how far from the arm."""
SEEN = 0.3
"""Alpha from which on a pixel shows the person."""


@dataclass(frozen=True, kw_only=True)
class Cloth:
    """What limbs of one kind wear."""

    colours: Array  # (2 * STEPS, 3) 0-255 from the trunk outwards
    bare: NDArray[np.bool_]  # (2 * STEPS,) of the colour of skin
    end: Array | None  # (3,) 0-255 of the foot; None where it is not seen

    @property
    def above_the_joint(self) -> Array:
        """(3,) 0-255 of the cloth next to elbows or knees: farther up a shirt may lie over it."""
        covered = np.flatnonzero(~self.bare[:STEPS])
        return self.colours[covered[-1] if len(covered) else 0]


def resting(joints: Joints, doubtful: Doubtful, template: BodyTemplate, scale: float) -> Joints:
    """``joints`` with the ``doubtful`` limbs as their twins in a mirror, or hanging; ``scale`` is px of a decimetre."""
    points = joints.points.copy()
    for name in sorted(doubtful.made_up):
        (hang_arm if name.startswith("arm") else stand_leg)(points, name[-1], template, scale)
    for name in sorted(doubtful.mirrored):
        own, twin = _chain(name), _chain(twin_of(name))
        flip = _flip(points[list(twin.joints), :2])
        for index, other in zip((*own.joints, *own.extremity), (*twin.joints, *twin.extremity), strict=True):
            x, y, z = points[other] - points[twin.joints[0]]
            points[index] = points[own.joints[0]] + [*(flip @ [x, y]), z]
    return replace(joints, points=points)


def _flip(twin: Array) -> Array:
    """(2, 2) the mirror image, with its end straight below its beginning, of a limb with the joints ``twin`` (3, 2)."""
    x, y = (twin[2] - twin[0]) / max(float(np.hypot(*(twin[2] - twin[0]))), SHORTEST)
    return np.array([[-y, x], [x, y]])


def _chain(name: str) -> Chain:
    return (ARMS if name.startswith("arm") else LEGS)[name[-1]]


def made_limbs(
    doubtful: Doubtful, own: LimbPicture, straight: Mapping[str, LimbPicture], fit: BodyFit, template: BodyTemplate
) -> dict[str, LimbPicture]:
    """By name, the pictures of the ``doubtful`` limbs, where ``fit`` has these.

    ``own`` is the real picture, ``straight`` has those of arms that it shows folded.
    """
    result: dict[str, LimbPicture] = {}
    for name in sorted(doubtful.all):
        twin = straight.get(twin_of(name), own)
        made = mirrored(name, twin, fit, template) if name in doubtful.mirrored else None
        result[name] = made or painted(name, cloth_of(name.split("_")[0], own, template), own, fit, template)
    return result


def short_hem(worn: Cloth, fit: BodyFit) -> float | None:
    """The row down to which a garment hangs over legs that are made up in what is ``worn``; None over trousers."""
    return float(fit.joints.hips[1] + (CROTCH + SHORT) * fit.scale) if worn.bare[0] else None


def mirrored(name: str, twin: LimbPicture, fit: BodyFit, template: BodyTemplate) -> LimbPicture | None:
    """The picture of the ``twin`` of the limb ``name`` in a mirror, where ``fit`` has this limb.

    What is farther beside the body's limb than clothes are is left out: pieces of the backdrop would be seen twice.
    None where the limb would be beyond the picture's left or upper border.
    """
    own = fit.joints.points[list(_chain(name).joints), :2]
    other = twin.fit.joints.points[list(_chain(twin_of(name)).joints), :2]
    part = twin.parts.parts[twin_of(name)]
    chosen = limb_triangles(template, name.split("_")[0], twin_of(name)[-1], 0.5)
    body = twin.fit.labels(template.triangles[chosen], (part.shape[0], part.shape[1])) > 0
    far = part & ~widened(body, CLOTHES * twin.fit.scale)
    limb = part & (twin.sources.alpha > 0) & ~far
    flip = _flip(other)
    rows, columns = np.nonzero(limb)
    places = (np.c_[columns, rows] - other[0]) @ flip.T + own[0]
    if np.mean((places < 0).any(1)) > CUT:
        return None
    size = np.maximum(np.ceil(places.max(0)) + 2, limb.shape[::-1]).astype(int).tolist()
    matrix = np.c_[flip.T, other[0] - flip.T @ own[0]]

    def flipped(field: Floats, border: int) -> Floats:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(field, matrix, size, flags=flags, borderMode=border), np.float32)

    masks = {
        twin_of(key): flipped(mask.astype(np.float32), cv2.BORDER_CONSTANT) > 0.5
        for key, mask in twin.parts.parts.items()
        if key != "rest"
    }
    masks["rest"] = ~np.any(list(masks.values()), axis=0)
    sources = replace(
        twin.sources,
        colour=flipped(twin.sources.colour, cv2.BORDER_REPLICATE),
        alpha=flipped(np.where(far, 0, twin.sources.alpha).astype(np.float32), cv2.BORDER_CONSTANT),
        face=np.zeros((size[1], size[0]), np.bool_),
        hands_seen=twin.sources.hands_seen[::-1],
    )
    return LimbPicture(sources=sources, fit=fit, parts=replace(twin.parts, parts=masks))


def cloth_of(limb: str, own: LimbPicture, template: BodyTemplate) -> Cloth:
    """What both arms ("arm") or legs ("leg") wear, as far as nothing hides them; trousers where hardly any is seen."""
    sources, parts, fit = own.sources, own.parts, own.fit
    shape = (sources.alpha.shape[0], sources.alpha.shape[1])
    pixels, places = [np.zeros((0, 3), np.float32)], [np.zeros(0, np.float32)]
    for name in (f"{limb}_l", f"{limb}_r"):
        if name not in parts.parts:
            continue
        unhidden = _unhidden(fit, template, limb, name[-1], shape)
        seen = narrowed(parts.parts[name] & (sources.alpha > SOLID), RIM)
        along = along_limb(fit.joints.points[list(_chain(name).joints), :2], shape)
        seen &= unhidden | (along > FOOT)
        pixels.append(sources.colour[seen])
        places.append(along[seen])
    colour, place = np.concatenate(pixels), np.concatenate(places)
    step = np.floor(np.maximum(place, 0) * STEPS).astype(int)
    usual = np.full((2 * STEPS, 3), np.nan)
    for k in range(2 * STEPS):
        if np.count_nonzero(step == k) >= PIXELS_MIN:
            usual[k] = np.median(colour[step == k], axis=0)
    known = np.isfinite(usual[:, 0])
    if not known.any():
        shirt = np.median(sources.colour[parts.parts["rest"] & (sources.alpha > SOLID)], axis=0)
        plain = np.tile(trousers_colour(shirt.astype(np.float64)), (2 * STEPS, 1))
        return Cloth(colours=plain, bare=np.zeros(2 * STEPS, np.bool_), end=None)
    bare = skin_like(np.nan_to_num(usual)[None].astype(np.float32), sources.skin, known[None])[0]
    ends = np.flatnonzero(bare)
    if len(ends):  # between bare pieces is a hand that lies there, or shade
        known[ends[0] : ends[-1]] &= bare[ends[0] : ends[-1]]
    pieces = np.flatnonzero(known)
    nearest = pieces[np.argmin(np.abs(pieces[:, None] - np.arange(2 * STEPS)), axis=0)]
    bare = bare[nearest]
    colours = np.stack([np.interp(np.arange(2 * STEPS), pieces, usual[pieces, k]) for k in range(3)], 1)
    # Between skin and cloth there is a hem.
    apart = np.searchsorted(pieces, np.arange(2 * STEPS))
    low, high = (pieces[np.clip(apart + k, 0, len(pieces) - 1)] for k in (-1, 0))
    colours = np.where((bare[low] != bare[high])[:, None], usual[nearest], colours)
    beyond = place > FOOT
    end = np.median(colour[beyond], axis=0).astype(np.float64) if np.count_nonzero(beyond) >= PIXELS_MIN else None
    return Cloth(colours=gaussian_smoothed(colours, STEPS_SIGMA), bare=bare, end=end)


def _unhidden(fit: BodyFit, template: BodyTemplate, limb: str, side: str, shape: tuple[int, int]) -> Mask:
    """(h, w) what of the body model's "arm" or "leg" of ``side`` lies before everything else."""
    labels = fit.labels(template.triangles, shape)
    return nearest_of(labels, limb_triangles(template, limb, side, 0.5))


def painted(name: str, cloth: Cloth, own: LimbPicture, fit: BodyFit, template: BodyTemplate) -> LimbPicture:
    """The body model's limb ``name`` where ``fit`` has it, in its ``cloth``, with its light and shade.

    ``own`` is the real picture. Bare legs are drawn under the trunk, which ends in a hem there.
    """
    sources, parts = own.sources, own.parts
    limb, side = name.split("_")
    chain = _chain(name)
    used = np.unique(template.triangles[limb_triangles(template, limb, side, 0.5)])
    far = np.ceil(fit.vertices[used, :2].max(0) + 2 * SHOE_WIDTH * fit.scale + 2).astype(int)
    shape = (max(sources.alpha.shape[0], int(far[1])), max(sources.alpha.shape[1], int(far[0])))
    bones = (f"upperarm_{side}", f"lowerarm_{side}") if limb == "arm" else (f"thigh_{side}", f"calf_{side}")
    along = along_limb(fit.joints.points[list(chain.joints), :2], shape)
    step = np.clip(np.floor(along * STEPS), 0, 2 * STEPS - 1).astype(int)
    place = np.clip(along * STEPS - 0.5, 0, 2 * STEPS - 1)
    colour = np.stack([np.interp(place, np.arange(2 * STEPS), cloth.colours[:, k]) for k in range(3)], -1)
    bare = cloth.bare[step]
    mask, light = body_light(fit, template, bones, shape)
    _, smooth = body_light(fit, template, bones, shape, cloth=True)
    flat = colour.astype(np.float32)
    colour = np.where(bare[..., None], lit_skin(flat, light), lit_cloth(flat, smooth))
    whole = mask | (widened(mask, TROUSERS_WIDTH * fit.scale) & ~bare)
    if limb == "leg":
        last = cloth.colours[-1]
        worn = shoe(
            fit, template, side, last if cloth.end is None else cloth.end, shape, last if cloth.bare[-1] else None
        )
        before = (worn.alpha > 0.5) & ~(whole & ~bare & (along < 2))
        colour[before] = worn.colour[before]
        whole |= before
    made = replace(
        sources,
        colour=np.asarray(colour, np.float32),
        alpha=softened(whole, RIM_SIGMA),
        face=np.zeros(shape, np.bool_),
        hands_seen=(False, False),
    )
    hem = short_hem(cloth, fit) if limb == "leg" else None
    return LimbPicture(sources=made, fit=fit, parts=replace(parts, parts={"rest": ~whole, name: whole}, hem=hem))


def without_remains(
    parts: Segmentation,
    doubtful: Doubtful,
    alpha: Floats,
    fit: BodyFit,
    resting_fit: BodyFit,
    template: BodyTemplate,
    anatomy: Anatomy,
    forearms: Collection[str],
) -> Segmentation:
    """``parts`` with what is left of the ``doubtful`` arms beside the trunk and before it theirs, not the rest's.

    The picture shows the upper half of the arms in ``forearms``: what lies beside that stays the rest's.
    """
    left = doubtful.all | set(forearms)
    if not left:
        return parts
    shape = (alpha.shape[0], alpha.shape[1])
    arms = both_limbs(template, "arm")
    trunk = resting_fit.labels(template.triangles[~arms], shape) > 0
    face = face_only(anatomy, shape)
    head = head_region(anatomy, alpha) > 0
    above = np.zeros(shape, np.bool_)
    for name in forearms:
        above |= along_limb(fit.joints.points[list(_chain(name).joints), :2], shape) < UPPER
    masks = dict(parts.parts)
    for name in sorted(left & set(masks)):
        limb, side = name.split("_")
        own, twin = (
            fit.labels(template.triangles[limb_triangles(template, limb, other, 0.5)], shape) > 0
            for other in (side, twin_of(name)[-1])
        )
        if limb == "leg":
            gone = masks.get(twin_of(name), np.zeros(shape, np.bool_)) & ~widened(twin, BESIDE * fit.scale)
            gone &= distance_to(own) < distance_to(twin)
        else:
            rest = masks["rest"] & (alpha > SEEN)
            gone = (widened(own, BESIDE * fit.scale) & ~trunk) | _unhidden(fit, template, limb, side, shape)
            gone |= widened(own | masks[name], SPIKE_REACH * fit.scale) & rest & ~opened(rest, SPIKE * fit.scale)
            gone &= ~head
            hand = hand_region(anatomy, side, shape, fit.scale)
            if hand is not None:
                gone |= widened(hand, HAND_RIM * fit.scale) & ~face
            gone &= masks["rest"]
        if name in forearms:
            gone &= ~above
        masks = {key: mask | gone if key == name else mask & ~gone for key, mask in masks.items()}
    return replace(parts, parts=masks)
