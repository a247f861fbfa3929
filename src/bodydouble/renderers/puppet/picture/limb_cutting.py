"""Cutting the character's arms and legs out, and inventing those that the reference does not show."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.compositing.light import LUMA
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.head_region import head_region
from bodydouble.renderers.puppet.picture.limbs import (
    Limb,
    Piece,
    in_colour_of,
    invented_hand,
    invented_piece,
    make_piece,
    mirrored,
)
from bodydouble.renderers.puppet.picture.parts import (
    SOFT,
    Bone,
    PartDistances,
    around,
    disc,
    pixel_grid,
    segment_distance,
    soft_disc,
)

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

ARM_JOINTS = ((11, 13, 15), (12, 14, 16))
FINGERS = ((17, 19), (18, 20))
LEG_JOINTS = ((23, 25, 27), (24, 26, 28))
TOES = (31, 32)
SEEN_MIN = 0.3
WRIST_SEEN_MIN = 0.15
"""A hand in a pocket has little more than this; below it the network only guesses."""
HAND_SEEN_MIN = 0.4
PATTERN = 6.0
"""Standard deviation (0-255) of the cloth's pattern that an invented limb shows at most: a badge repeated is worse."""
LEG_SEEN_MIN = 0.5
TRUNK_RADIUS = 0.26
ARM_RADII = (0.21, 0.18, 0.15)
LEG_RADII = (0.30, 0.22, 0.17)
"""Typical half widths in anatomy units (shoulder widths): of upper arm, forearm and hand; of thigh, shin and foot."""
BENT, STRAIGHT = np.deg2rad(50), np.deg2rad(25)
"""Bend of an elbow from which a sleeve hangs off the arm and makes no straight one, and up to which it does."""
IN_FRONT = 0.8
"""Half width, in its own radii, of what a limb takes from the trunk's core where it lies before it."""
JOINT_DISCS = (0.19, 0.15, 0.10)
"""Radii of the round overlaps at shoulder, elbow and wrist, in anatomy units."""
DRAWN_OUT_MIN = 0.4
"""Length over width of the overlaps of the most foreshortened bone."""
JOINT_NARROWEST, JOINT_WIDEST = 0.7, 1.6
"""How much smaller and larger the overlaps at elbow or knee are at most where a limb is thin or its cloth wide."""
HAND_REACH = 0.7
"""How far a hand's piece reaches beyond the hull of its landmarks, in its radii: fingertips, the heel of the hand."""
HAND_DARK = 0.3
"""Light of what is a hand at least, over that of its lit part."""
LEG_DISCS = (0.27, 0.20, 0.13)
INVENTED_ARM = (0.95, 0.85, 0.42)
"""Lengths of upper arm, forearm and hand in shoulder widths, for arms that the reference does not show."""
INVENTED_LEG = (0.86, 0.86)
"""Lengths of thigh and shin in spine lengths (shoulders to hips)."""


@dataclass(frozen=True, kw_only=True)
class LimbSet:
    """The limbs, and what was cut away from the trunk for them, (h, w) 0-1."""

    arms: tuple[Limb, Limb]
    legs: tuple[Limb, Limb]
    arm_mask: Floats
    leg_mask: Floats


@dataclass(frozen=True, kw_only=True)
class _Chain:
    """A limb as the reference shows it: its bones as far as they are seen."""

    bones: list[Bone]
    discs: tuple[float, ...]
    foot: bool  # the third bone is a foot


def cut_limbs(anatomy: Anatomy, cutout: Cutout, skin: Array) -> LimbSet:
    """All four limbs. What belongs to none of them stays with the trunk."""
    height, width = cutout.alpha.shape
    chains = [_arm_chain(anatomy, k, height, width) for k in range(2)]
    chains += [_leg_chain(anatomy, k, height, width) for k in range(2)]
    distances = PartDistances(cutout.colour, cutout.alpha)
    bone_ways = [[distances.distance(distances.seeds(b)) / b.radius for b in chain.bones] for chain in chains]
    limb_ways = [np.min(ways, axis=0) if ways else None for ways in bone_ways]
    trunk = _trunk_way(anatomy, distances, [b for chain in chains for b in chain.bones])
    free = 1 - head_region(anatomy, cutout.alpha).astype(np.float32)
    masks = [mask * free for mask in distances.split([trunk, *[w for w in limb_ways if w is not None]])[1:]]
    # A limb that the picture's lower edge cuts off gets round ends at its joints from mirrored rows.
    grown = min(int(0.35 * anatomy.unit), height) if cutout.alpha[-3:].max() > 0.5 else 0
    longer = Cutout(alpha=_mirrored(cutout.alpha, grown), colour=_mirrored(cutout.colour, grown))
    points = pixel_grid(height + grown, width)
    limbs: list[Limb] = []
    total = [np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)]
    for number, (chain, ways) in enumerate(zip(chains, bone_ways, strict=True)):
        is_leg, side = divmod(number, 2)
        pieces: list[Piece | None] = []
        if ways:
            mask = masks.pop(0)
            total[is_leg] = np.maximum(total[is_leg], mask)
            shares = [_mirrored(share, grown) for share in distances.split(ways)]
            shares = _parted_at_joint(chain, shares, points)
            pieces = _pieces(chain, _mirrored(mask, grown), shares, longer, points, height)
        joints = (LEG_JOINTS if is_leg else ARM_JOINTS)[side]
        whole = _completed_leg(anatomy, cutout, pieces) if is_leg else _completed_arm(anatomy, cutout, skin, pieces)
        limbs.append(Limb(joints=joints, pieces=tuple(whole), invented=len(chain.bones) < 2))
    limbs[:2] = _with_straight_sleeves(limbs[0], limbs[1], chains)
    return LimbSet(arms=(limbs[0], limbs[1]), legs=(limbs[2], limbs[3]), arm_mask=total[0], leg_mask=total[1])


def _with_straight_sleeves(left: Limb, right: Limb, chains: list[_Chain]) -> list[Limb]:
    """The arms; a bent one's forearm is the other's in a mirror where that hangs straight, in the bent one's shade.

    A piece is rigid: cloth that hung down from a bent forearm would stand off from one that hangs.
    """
    bends = [_bend(chain) for chain in chains[:2]]
    arms = [left, right]
    for k in range(2):
        own, other = arms[k].pieces[1], arms[1 - k].pieces[1]
        if own is not None and other is not None and bends[k] > BENT and bends[1 - k] < STRAIGHT:
            upper, _, hand = arms[k].pieces
            arms[k] = replace(arms[k], pieces=(upper, in_colour_of(mirrored(other), own), hand))
    return arms


def _bend(chain: _Chain) -> float:
    """Angle in the picture between the first two bones; NaN, neither bent nor straight, where one is missing."""
    if len(chain.bones) < 2:
        return float("nan")
    upper, lower = (bone.stop - bone.start for bone in chain.bones[:2])
    turn = np.arctan2(upper[0] * lower[1] - upper[1] * lower[0], upper @ lower)
    return float(abs(turn))


def _mirrored(rows: Floats, count: int) -> Floats:
    return np.concatenate([rows, rows[::-1][:count]])


def _inside(point: Array, height: int, width: int) -> bool:
    return bool(-0.02 * width < point[0] < 1.02 * width and point[1] < 1.01 * height)


def _arm_chain(anatomy: Anatomy, k: int, height: int, width: int) -> _Chain:
    body, seen, unit = anatomy.body[:, :2], anatomy.visibility, anatomy.unit
    shoulder, elbow, wrist = ARM_JOINTS[k]
    bones: list[Bone] = []
    if seen[elbow] > SEEN_MIN and _inside(body[elbow], height, width):
        bones.append(Bone(start=body[shoulder], stop=body[elbow], radius=ARM_RADII[0] * unit, seed_from=0.3))
        if seen[wrist] > WRIST_SEEN_MIN and _inside(body[wrist], height, width):
            bones.append(Bone(start=body[elbow], stop=body[wrist], radius=ARM_RADII[1] * unit))
            hand = anatomy.hands[k]
            found = bool(np.isfinite(hand).all())
            if found or seen[wrist] > HAND_SEEN_MIN:
                tip = hand[[9, 12]].mean(0) if found else body[list(FINGERS[k])].mean(0)
                tip = body[wrist] + (tip - body[wrist]) * (1.35 if found else 1.7)
                marks = hand if found else None
                bones.append(Bone(start=body[wrist], stop=tip, radius=ARM_RADII[2] * unit, seed_from=0.15, marks=marks))
    return _Chain(bones=bones, discs=JOINT_DISCS, foot=False)


def _leg_chain(anatomy: Anatomy, k: int, height: int, width: int) -> _Chain:
    body, seen, unit = anatomy.body[:, :2], anatomy.visibility, anatomy.unit
    hip, knee, ankle = LEG_JOINTS[k]
    bones: list[Bone] = []
    if seen[knee] > LEG_SEEN_MIN and _inside(body[knee], height, width):
        bones.append(Bone(start=body[hip], stop=body[knee], radius=LEG_RADII[0] * unit, seed_from=0.3))
        if seen[ankle] > LEG_SEEN_MIN and _inside(body[ankle], height, width):
            bones.append(Bone(start=body[knee], stop=body[ankle], radius=LEG_RADII[1] * unit))
            toe = body[TOES[k]]
            if seen[TOES[k]] > SEEN_MIN and _inside(toe, height, width):
                bones.append(Bone(start=body[ankle], stop=toe, radius=LEG_RADII[2] * unit, seed_from=0.3))
    return _Chain(bones=bones, discs=LEG_DISCS, foot=True)


def _trunk_way(anatomy: Anatomy, distances: PartDistances, bones: list[Bone]) -> Array:
    """Distance from the trunk's and the head's core, in trunk radii."""
    body, unit = anatomy.body[:, :2], anatomy.unit
    middle = (anatomy.shoulders + anatomy.hips) / 2
    corners = body[[11, 12, 24, 23]]
    pull = np.array([0.62, 0.62, 0.8, 0.8])[:, None]
    centres = np.array([anatomy.shoulders, anatomy.shoulders, anatomy.hips, anatomy.hips])
    core = distances.within(centres + (corners - centres) * pull)
    head = Bone(start=anatomy.shoulders, stop=anatomy.head.centre, radius=0.2 * unit)
    core |= distances.seeds(head)
    core |= np.linalg.norm(distances.points - anatomy.head.centre, axis=-1) < 0.5 * anatomy.head.width
    for bone in bones:
        # A forearm or a hand before the belly is no belly.
        near, _ = segment_distance(distances.points, bone.start, bone.stop)
        core &= ~distances.seeds(bone)
        if bone.seed_from < 0.2:
            core &= ~(near < IN_FRONT * bone.radius)
    if not core.any():
        core = np.linalg.norm(distances.points - middle, axis=-1) < 0.2 * unit
    return distances.distance(core) / (TRUNK_RADIUS * unit)


def _parted_at_joint(chain: _Chain, shares: list[Floats], points: Array) -> list[Floats]:
    """``shares`` with elbow or knee parted across: a fold in the cloth there is no border between two parts."""
    if len(chain.bones) < 2:
        return shares
    first, second = (segment_distance(points, b.start, b.stop)[0] / b.radius for b in chain.bones[:2])
    upper = np.clip(0.5 + (second - first) / (2 * SOFT), 0, 1).astype(np.float32)
    both = shares[0] + shares[1]
    return [both * upper, both * (1 - upper), *shares[2:]]


def _half_width(part: Floats, joint: Array, inwards: Array, points: Array, typical: float) -> float:
    """Half the ``part``'s width in px beside its ``joint``: a wide sleeve's ends are as round as it is wide.

    ``inwards`` (2,) leads along the part's own bone: across a bend both parts together are wider than either.
    """
    along = inwards / max(float(np.hypot(*inwards)), 1e-6)
    offset = points - joint - typical * along
    strip = (np.abs(offset @ along) < 2) & (np.hypot(*np.moveaxis(offset, -1, 0)) < 2 * JOINT_WIDEST * typical)
    return float(np.clip(part[strip].sum() / 8, JOINT_NARROWEST * typical, JOINT_WIDEST * typical))


def _pieces(
    chain: _Chain, limb: Floats, shares: list[Floats], cutout: Cutout, points: Array, height: int
) -> list[Piece | None]:
    """One piece for each bone, each with a round overlap into its neighbours; rows from ``height`` on are mirrored.

    Where it is drawn over its neighbour the overlap fades out, so that a joint that bends shows no edge.
    """
    pieces: list[Piece | None] = []
    unit = chain.bones[0].radius / (LEG_RADII[0] if chain.foot else ARM_RADII[0])
    starts = [unit * size for size in chain.discs]
    stops = starts[1:]
    if len(chain.bones) > 1:
        first, second = chain.bones[:2]
        stops[0] = _half_width(shares[0] * limb, first.stop, first.start - first.stop, points, starts[1])
        starts[1] = _half_width(shares[1] * limb, second.start, second.stop - second.start, points, starts[1])
    for k, bone in enumerate(chain.bones):
        over_neighbour = not chain.foot and k < 2
        axis = None if chain.foot else _drawn_out(bone, INVENTED_ARM[k] * unit)
        start = (soft_disc if over_neighbour else disc)(limb.shape, bone.start, starts[k], axis)
        # The cap over the trunk's own pixels: in the reference's pose it is not to be told from them.
        inner = start if k == 0 else start * limb * (shares[k] + shares[k - 1])
        mask = np.maximum(shares[k] * limb, inner)
        ends = start
        if k + 1 < len(chain.bones):
            stop = (soft_disc if chain.foot and k == 0 else disc)(limb.shape, bone.stop, stops[k], axis)
            mask = np.maximum(mask, stop * limb * (shares[k] + shares[k + 1]))
            ends = np.maximum(start, stop)
        elif k == 0:
            # Only the first bone is known: what hangs on beyond its end is not to move with it.
            stop = disc(limb.shape, bone.stop, stops[0])
            length = max(float(np.hypot(*(bone.stop - bone.start))), 1.0)
            along = (points - bone.start) @ (bone.stop - bone.start) / length**2
            mask = np.minimum(mask, np.maximum(np.clip((1.02 - along) / 0.06, 0, 1), stop))
            ends = np.maximum(start, stop)
        mask[height:] *= ends[height:]
        if chain.foot and k == 2:
            # The floor's shade beside a shoe often passes for a part of it.
            near, _ = segment_distance(points, bone.start, bone.stop)
            mask = mask * np.clip((1.15 * bone.radius - near) / (0.15 * bone.radius), 0, 1)
        if bone.marks is not None:
            # A wide cuff hangs from the arm; on the hand it would swing with the fingers.
            mask = mask * around(mask.shape, bone.marks, HAND_REACH * bone.radius)
        if not chain.foot and k == 2:
            mask = _without_sleeve(np.asarray(mask, np.float32), cutout.colour, bone, points)
        mask = np.asarray(np.clip(mask, 0, 1) * cutout.alpha, np.float32)
        colour = cutout.colour
        if not chain.foot and k == 0 and len(chain.bones) > 1:
            colour = _continued(colour, shares[0] * limb * cutout.alpha, shares[1], 0.5 * stops[0])
        pieces.append(make_piece(colour, mask, bone.start, bone.stop))
    return pieces


def _without_sleeve(hand: Floats, colour: Floats, bone: Bone, points: Array) -> Floats:
    """``hand`` (h, w) 0-1 without the dark inside of a wide sleeve about it; a dark glove stays."""
    light = colour @ LUMA.astype(np.float32)
    near, _ = segment_distance(points, bone.start, bone.stop)
    own = light[(near < 0.5 * bone.radius) & (hand > 0.5)]
    if len(own) == 0:
        return hand
    bright = (light > HAND_DARK * np.percentile(own, 75)).astype(np.float32)
    side = 2 * round(0.3 * bone.radius) + 1
    closed = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return hand * cv2.GaussianBlur(closed, (0, 0), max(0.06 * bone.radius, 0.7))


def _drawn_out(bone: Bone, typical: float) -> Array:
    """(2,) along the bone, how long its ends' overlaps are over their width: 1 for a bone of ``typical`` px.

    A bone that the picture shows foreshortened is drawn out to the actor's, and its round ends with it.
    """
    along = bone.stop - bone.start
    length = max(float(np.hypot(*along)), 1e-6)
    return along / length * float(np.clip(length / typical, DRAWN_OUT_MIN, 1))


def _continued(colour: Floats, own: Floats, other: Floats, reach: float) -> Floats:
    """``colour`` (h, w, 3) of a part, continued over ``reach`` px where the picture shows the ``other`` (h, w) 0-1.

    A bare arm's overlap into its bracer is bare: turned another way a piece of the bracer would hang on it.
    """
    weight = cv2.GaussianBlur(own, (0, 0), max(reach, 1.0))
    spread = cv2.GaussianBlur(colour * own[..., None], (0, 0), max(reach, 1.0)) / np.maximum(weight, 1e-4)[..., None]
    share = (other * np.clip(weight * 50, 0, 1))[..., None]
    return np.asarray(colour * (1 - share) + spread * share, np.float32)


def cloth_patch(anatomy: Anatomy, cutout: Cutout, low: float, high: float) -> Floats:
    """(n, m, 3) cloth from the trunk between fractions ``low`` and ``high`` of the way from shoulders to hips."""
    height, width = cutout.alpha.shape
    top = float(anatomy.shoulders[1] + low * (anatomy.hips[1] - anatomy.shoulders[1]))
    bottom = float(anatomy.shoulders[1] + high * (anatomy.hips[1] - anatomy.shoulders[1]))
    rows = max(6, int(0.15 * anatomy.unit))
    y1 = int(np.clip(bottom, rows + 1, height))
    y0 = int(np.clip(min(top, y1 - rows), 0, y1 - rows))
    x = float(anatomy.hips[0])
    half = 0.22 * anatomy.unit
    x0 = int(np.clip(x - half, 0, width - 8))
    x1 = int(np.clip(x + half, x0 + 8, width))
    part, sure = cutout.colour[y0:y1, x0:x1], cutout.alpha[y0:y1, x0:x1] > 0.9
    if sure.mean() < 0.3:
        good = cutout.colour[cutout.alpha > 0.9]
        colour = np.median(good, axis=0) if len(good) else np.array([90.0, 90.0, 100.0])
        return np.tile(colour.astype(np.float32), (8, 8, 1))
    median = np.median(part[sure], axis=0)
    pattern = np.where(sure[..., None], part, median) - median
    return np.asarray(median + pattern * min(1.0, PATTERN / max(float(pattern.std()), 1e-3)), np.float32)


def _cloth_of(piece: Piece | None, otherwise: Floats) -> Floats:
    """Plain cloth in the median colour of a piece that is there, for what is missing beyond it."""
    if piece is None:
        return otherwise
    solid = piece.rgba[piece.rgba[..., 3] > 240]
    if len(solid) < 20:
        return otherwise
    return np.tile(np.median(solid[:, :3], axis=0).astype(np.float32), (4, 4, 1))


def _completed_leg(anatomy: Anatomy, cutout: Cutout, pieces: list[Piece | None]) -> list[Piece | None]:
    """Thigh, shin and foot; what is missing is made of the cloth at the hips, the shoe a darker one."""
    unit, spine = anatomy.unit, max(anatomy.spine, 0.9 * anatomy.unit)
    cloth = cloth_patch(anatomy, cutout, 0.8, 1.0)
    if len(pieces) < 1:
        pieces = [invented_piece(cloth, INVENTED_LEG[0] * spine, 0.56 * unit, 0.42 * unit)]
    if len(pieces) < 2:
        cloth = _cloth_of(pieces[0], cloth)
        pieces.append(invented_piece(cloth * 0.94, INVENTED_LEG[1] * spine, 0.42 * unit, 0.30 * unit))
    if len(pieces) < 3:
        pieces.append(invented_piece(cloth * 0.35, 0.26 * unit, 0.23 * unit, 0.27 * unit))
    return pieces


def _completed_arm(anatomy: Anatomy, cutout: Cutout, skin: Array, pieces: list[Piece | None]) -> list[Piece | None]:
    """Upper arm, forearm and hand; what is missing is made of the cloth at the chest and of skin."""
    unit = anatomy.unit
    cloth = cloth_patch(anatomy, cutout, 0.15, 0.45)
    if len(pieces) < 1:
        pieces = [invented_piece(cloth, INVENTED_ARM[0] * unit, 0.38 * unit, 0.30 * unit)]
    if len(pieces) < 2:
        cloth = _cloth_of(pieces[0], cloth)
        pieces.append(invented_piece(cloth * 0.96, INVENTED_ARM[1] * unit, 0.30 * unit, 0.22 * unit))
    if len(pieces) < 3:
        pieces.append(invented_hand(skin, INVENTED_ARM[2] * unit))
    return pieces
