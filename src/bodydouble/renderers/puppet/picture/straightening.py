"""Arms that a picture shows folded, laid out straight: a forearm that lies over its upper arm would be torn from it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS, SHORTEST, SIDES, Joints
from bodydouble.renderers.puppet.body.surface import bone_share, both_limbs, limb_triangles
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.cloth import detail_of
from bodydouble.renderers.puppet.picture.extension import BARE_SHARE, skin_like, usual_cloth
from bodydouble.renderers.puppet.picture.regions import filled, narrowed, opened, softened, widened
from bodydouble.renderers.puppet.picture.sleeves import along_arm

Array = NDArray[np.float64]

FOLDED = 75.0
"""Degrees between upper arm and forearm in the picture up to which an arm is folded. Chosen by eye on pictures with
hands before the chest; hands on hips stay as they are."""
SHORTENED, FOREARM = 0.25, 0.85
"""Length of a forearm on screen over that of its upper arm up to which it points at the camera, and its own length over
the upper arm's. Measured: 0.05 to 0.19 of presenters who hold their hands out, 0.28 to 0.9 of others; 0.83 to 0.9
where both lie in the picture."""
UPPER = 0.5
"""Place along an upper arm, 1 at the elbow, up to which all of an arm's pixels are the upper arm's."""
DOWNWARDS = 0.3
"""Share of a straight arm's length by which it reaches down at least: above a head the picture has no room for it."""
AWAY_STEP, AWAY_STEPS = np.radians(5.0), 12
"""Steps in which a straight forearm is turned inwards where the picture's side would cut it off."""
ROOM = 0.7
"""Decimetres around a straight arm's bones that have to be in the picture."""
SHORT_MIN = 0.4
"""Length of a forearm in the picture over its own, at least: it is not stretched more."""
SOLID = 0.9
"""Alpha from which on a pixel's colour is the person's alone. Chosen by eye on the development clips."""
SEEN = 0.5
"""Alpha from which on a pixel shows an arm. Chosen by eye on the development clips."""
LOOSE = 0.2
"""Decimetres outside the body's arm and hand up to which a folded arm goes: beyond are scraps of what it lies on."""
HIDDEN_SHARE = 0.5
"""Share of an upper arm from which on it counts as hidden. Chosen by eye on forty-six pictures."""
LYING = 0.25
"""Decimetres beside the body's forearm and hand within which what is before the upper arm is still the forearm's."""
OUTLINE, HAND_OUTLINE = 0.2, 0.08
"""Standard deviations in decimetres by which the outline of a straight arm and of its hand are smoothed: they are
pieced together."""
HAND_RIM = 0.12
"""Decimetres beside skin that a hand before a sleeve still spoils."""
JOINT_RIM, JOINT = 0.08, 0.3
"""Decimetres from a joint of a straight arm's pieces within which nothing of them is left, and from which on all is:
drawn outlines are as wide. Chosen by eye on a drawing and on photographs."""
SHARE_MIN = 0.2
"""Share of an arm's pixels from which a colour goes on in what is made up of it."""
RIM = 2
"""Pixels at the rim of what is seen of an arm whose colours do not go on: they are mixed with what is beside it."""


@dataclass(frozen=True, kw_only=True)
class FoldedArm:
    """An arm as a picture shows it."""

    colour: Floats  # (h, w, 3) 0-255, of the whole person
    alpha: Floats  # (h, w) 0-1
    parts: dict[str, Mask]  # (h, w) of the picture's segmentation
    side: str  # "l" or "r"
    hand: Mask | None  # (h, w) where its landmarks are; None where the picture hides it
    forearm_seen: bool
    skin: Array  # (3,) 0-255


@dataclass(frozen=True, kw_only=True)
class StraightArm:
    """A picture in which one arm is straight, larger than the real one where the arm needs room below."""

    colour: Floats  # (h, w, 3) 0-255
    alpha: Floats  # (h, w) 0-1
    parts: dict[str, Mask]  # the arm and the rest


def folded_sides(joints: Joints, width: int, scale: float) -> dict[str, Array]:
    """The direction (2,) in which a forearm is laid, of each arm ("l", "r") that is folded or points at the camera.

    ``width`` is the picture's in px, ``scale`` the px of a decimetre.
    Arms that the picture does not show hang anyway. Those that have no room below are left as they are.
    """
    result: dict[str, Array] = {}
    for side in SIDES:
        if f"arm_{side}" in joints.made_up:
            continue
        shoulder, elbow, wrist = joints.points[list(ARMS[side].joints)]
        upper, lower = elbow[:2] - shoulder[:2], wrist[:2] - elbow[:2]
        cosine = -(upper @ lower) / max(float(np.hypot(*upper) * np.hypot(*lower)), SHORTEST)
        if cosine < np.cos(np.radians(FOLDED)) and not points_at_camera(joints, side):
            continue
        direction = _with_room(joints, side, upper / max(float(np.hypot(*upper)), SHORTEST), width, ROOM * scale)
        if direction is not None:
            result[side] = direction
    return result


def points_at_camera(joints: Joints, side: str) -> bool:
    """Whether the forearm of ``side`` looks far shorter than its upper arm."""
    shoulder, elbow, wrist = joints.points[list(ARMS[side].joints)]
    return float(np.hypot(*(wrist - elbow)[:2])) < SHORTENED * float(np.linalg.norm(elbow - shoulder))


def _own_length(joints: Joints, side: str) -> float:
    """Pixels of the forearm of ``side``; of one that points at the camera as its upper arm tells."""
    shoulder, elbow, wrist = joints.points[list(ARMS[side].joints)]
    length = float(np.linalg.norm(wrist - elbow))
    if points_at_camera(joints, side):
        return max(length, FOREARM * float(np.linalg.norm(elbow - shoulder)))
    return length


def _with_room(joints: Joints, side: str, along: Array, width: int, room: float) -> Array | None:
    """``along`` (2,), turned inwards as far as the sides need; None where there is no room."""
    _, elbow, wrist = joints.points[list(ARMS[side].joints)]
    tip = joints.points[list(ARMS[side].extremity)]
    length = _own_length(joints, side) + float(np.linalg.norm(tip - wrist, axis=1).max())
    inwards = 1.0 if elbow[0] + along[0] * length < width / 2 else -1.0
    for step in range(AWAY_STEPS):
        angle = -inwards * step * AWAY_STEP  # from down towards the right is a turn against the clock
        turned = _rotation(angle) @ along
        end = elbow[0] + turned[0] * length
        if turned[1] > DOWNWARDS and room < end < width - room:
            return turned
    return None


def straightened(joints: Joints, directions: dict[str, Array]) -> Joints:
    """``joints`` with the forearms in ``directions`` (2,), parallel to the picture; hands go on as in the picture."""
    points = joints.points.copy()
    for side, direction in directions.items():
        _, elbow, wrist = ARMS[side].joints
        own = joints.points[wrist] - joints.points[elbow]
        turn = _turn(own[:2], direction)
        points[wrist] = joints.points[elbow] + np.r_[direction, 0.0] * _own_length(joints, side)
        for index in ARMS[side].extremity:
            beyond = joints.points[index] - joints.points[wrist]
            points[index] = points[wrist] + np.r_[turn @ beyond[:2], beyond[2]]
    return replace(joints, points=points)


def _turn(start: Array, end: Array) -> Array:
    """(2, 2) the rotation from the direction of ``start`` (2,) to that of ``end`` (2,)."""
    return _rotation(float(np.arctan2(end[1], end[0]) - np.arctan2(start[1], start[0])))


def _rotation(angle: float) -> Array:
    """(2, 2) the rotation by ``angle``, from x to y, in radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def straight_arm(arm: FoldedArm, folded: BodyFit, straight: BodyFit, template: BodyTemplate) -> StraightArm:
    """The picture's arm as it would look straight: the forearm turned, what it covered made up.

    ``folded`` is the body as in the picture, ``straight`` that with straight arms. What the picture hides of the arm
    has the colours of the rest of it. A hand that it hides is left out.
    """
    side = arm.side
    whole = bone_share(template.triangle_weights, (f"upperarm_{side}", f"lowerarm_{side}")) > 0.5
    lowest = straight.vertices[_vertices_of(template, side), 1].max()
    arm = _with_rows(arm, max(0, int(np.ceil(lowest + 2)) - len(arm.alpha)))
    shape = (arm.alpha.shape[0], arm.alpha.shape[1])
    upper, fore, lying = _upper_and_forearm(arm, folded, template)
    solid = arm.alpha > SOLID
    elbow, wrist = (straight.joints.points[ARMS[side].joints[k], :2] for k in (1, 2))
    beyond = _along(shape, elbow, wrist - elbow) > 0
    turned, there = _turned(arm.colour, fore & solid, folded, straight, side)
    seen = opened(np.where(beyond, there, upper & solid), 1)
    colour = np.where((beyond & there)[..., None], turned, arm.colour).astype(np.float32)
    other = arm.parts.get(f"arm_{'r' if side == 'l' else 'l'}", np.zeros(shape, np.bool_))
    limbs = both_limbs(template, "arm")
    behind = arm.parts["rest"] & (folded.labels(template.triangles[~limbs], shape) > 0)
    body = straight.labels(template.triangles[whole], shape) > 0
    wanted = body & (beyond | lying | other | behind) & ~seen
    colour = _made_up(colour, seen, wanted, straight, side)
    at_shoulder = _beside_arm(
        arm.parts["rest"] & (arm.alpha > SEEN), body, along_arm(straight, side, shape) < UPPER, straight.scale
    )
    outline = _outline(seen | wanted, at_shoulder, straight, side)
    colour = _joined(colour, seen, wanted, outline, beyond, straight.scale)
    rest = arm.parts["rest"] & ~outline & ~beyond
    alpha = np.where(outline, np.float32(1), np.where(rest, arm.alpha, 0)).astype(np.float32)
    return StraightArm(colour=colour, alpha=alpha, parts={"rest": rest, f"arm_{side}": outline})


def _beside_arm(trunk: Mask, body: Mask, upper: Mask, scale: float) -> Mask:
    """(h, w) what of the ``trunk`` beside an arm its outline keeps a corner with: in the ``upper`` half of it.

    That is little where the trunk hides most of what the ``body`` has there of the arm: a corner would be a spike along
    the trunk. All are (h, w); ``scale`` is the px of a decimetre.
    """
    beside = trunk & upper
    if np.count_nonzero(beside & body) > HIDDEN_SHARE * np.count_nonzero(upper & body):
        beside &= widened(body, LOOSE * scale)
    return beside


def _outline(arm: Mask, trunk: Mask, straight: BodyFit, side: str) -> Mask:
    """The ``arm`` (h, w) with a smooth outline. It keeps its fingers, and its corner beside the ``trunk`` (h, w)."""
    elbow, wrist = (straight.joints.points[ARMS[side].joints[k], :2] for k in (1, 2))
    hand = _along((arm.shape[0], arm.shape[1]), wrist, wrist - elbow) > 0
    soft = (softened(arm | trunk, sigma * straight.scale) for sigma in (HAND_OUTLINE, OUTLINE))
    return (np.where(hand, *soft) > 0.5) & widened(arm, OUTLINE * straight.scale) & ~trunk


def _joined(colour: Floats, seen: Mask, wanted: Mask, outline: Mask, beyond: Mask, scale: float) -> Floats:
    """``colour`` (h, w, 3) of an arm whose pieces go over into each other and into what is made up between them.

    What is ``seen`` (h, w) ends in outlines, shades and folds of the folded arm: within the straight one's ``outline``
    (h, w) they would be lines across it. ``wanted`` (h, w) is made up, ``beyond`` (h, w) the forearm's side of the
    elbow.
    """
    bend = seen & ((widened(beyond & seen, 1) & ~beyond) | (widened(~beyond & seen, 1) & beyond))
    away = distance_to(opened(outline & ~seen, JOINT_RIM * scale) | bend)
    known = seen & (away > JOINT * scale)
    if not known.any():
        return filled(colour, seen | wanted, outline)
    plain = filled(colour, usual_cloth(colour, known, SHARE_MIN) | (wanted & ~seen), outline)
    share = np.where(seen, smoothstep(JOINT_RIM * scale, JOINT * scale, away), 0).astype(np.float32)
    share[wanted & ~seen] = 1
    return np.asarray(plain + share[..., None] * (colour - plain), np.float32)


def _vertices_of(template: BodyTemplate, side: str) -> NDArray[np.int64]:
    """Numbers of the vertices of the arm of ``side``."""
    return np.unique(template.triangles[limb_triangles(template, "arm", side, 0.5)])


def _with_rows(arm: FoldedArm, below: int) -> FoldedArm:
    """``arm`` in a picture with more rows ``below``."""

    def padded(mask: Mask) -> Mask:
        return cv2.copyMakeBorder(mask.astype(np.uint8), 0, below, 0, 0, cv2.BORDER_CONSTANT, value=0) > 0

    colour = cv2.copyMakeBorder(arm.colour, 0, below, 0, 0, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(arm.alpha, 0, below, 0, 0, cv2.BORDER_CONSTANT, value=0)
    return replace(
        arm,
        colour=np.asarray(colour, np.float32),
        alpha=np.asarray(alpha, np.float32),
        parts={name: padded(mask) for name, mask in arm.parts.items()},
        hand=None if arm.hand is None else padded(arm.hand),
    )


def _upper_and_forearm(arm: FoldedArm, fit: BodyFit, template: BodyTemplate) -> tuple[Mask, Mask, Mask]:
    """Three masks (h, w): what is seen of the upper arm and of the forearm, and what lies before the upper arm."""
    side, shape = arm.side, (arm.alpha.shape[0], arm.alpha.shape[1])
    lower = bone_share(template.triangle_weights, (f"lowerarm_{side}", f"hand_{side}")) > 0.5
    chosen = limb_triangles(template, "arm", side, 0.5)
    fore = fit.labels(template.triangles[lower], shape) > 0
    upper = fit.labels(template.triangles[chosen & ~lower], shape) > 0
    if arm.hand is not None:
        fore |= arm.hand
    own, body = arm.parts[f"arm_{side}"] & (arm.alpha > SEEN), fore | upper
    skin = skin_like(arm.colour, arm.skin, own)
    bare = np.count_nonzero(skin & body) >= BARE_SHARE * np.count_nonzero(own & body)
    beside = own & widened(body, LOOSE * fit.scale)
    to_fore, to_upper = distance_to(fore), distance_to(upper & ~fore)
    shoulder = (along_arm(fit, side, shape) < UPPER) & (to_upper < to_fore)  # whole: the trunk ends beside it
    own = own & (body | shoulder) | (beside & skin if bare else beside)
    lying = own & (to_fore <= to_upper + LYING * fit.scale)
    if not bare:  # a hand before its own sleeve
        lying |= own & widened(skin, HAND_RIM * fit.scale)
    forearm = own & (to_fore <= to_upper) & arm.forearm_seen
    if arm.hand is None:
        wrist, before = (fit.joints.points[ARMS[side].joints[k], :2] for k in (2, 1))
        forearm &= _along(shape, wrist, wrist - before) < 0
    return own & ~lying, forearm, lying


def _along(shape: tuple[int, int], origin: Array, direction: Array) -> Floats:
    """(h, w) px from ``origin`` (2,) in ``direction`` (2,)."""
    x, y = direction / max(float(np.hypot(*direction)), SHORTEST)
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return np.asarray((columns - origin[0]) * x + (rows - origin[1]) * y, np.float32)


def _turned(colour: Floats, forearm: Mask, folded: BodyFit, straight: BodyFit, side: str) -> tuple[Floats, Mask]:
    """``colour`` (h, w, 3) and the mask ``forearm`` (h, w) turned about the elbow to where the forearm is straight.

    A forearm that points at the camera is stretched; the hand at its end is not.
    """
    _, elbow, wrist = ARMS[side].joints
    own = (folded.joints.points[wrist] - folded.joints.points[elbow])[:2]
    new = (straight.joints.points[wrist] - straight.joints.points[elbow])[:2]
    short = float(np.clip(np.hypot(*own) / max(float(np.hypot(*new)), SHORTEST), SHORT_MIN, 1.0))
    along = new / max(float(np.hypot(*new)), SHORTEST)
    turn = _turn(new, own)
    stretch = np.eye(2) + (short - 1) * np.outer(along, along)
    size = (forearm.shape[1], forearm.shape[0])
    colours: list[Floats] = []
    masks: list[Floats] = []
    for index, back in ((elbow, turn @ stretch), (wrist, turn)):  # straight → picture
        end = straight.joints.points[index, :2]
        matrix = np.c_[back, folded.joints.points[index, :2] - back @ end]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(colour, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        colours.append(np.asarray(moved, np.float32))
        masks.append(np.asarray(cv2.warpAffine(forearm.astype(np.float32), matrix, size, flags=flags), np.float32))
    hand = _along((size[1], size[0]), straight.joints.points[wrist, :2], new) > 0
    turned = np.where(hand[..., None], colours[1], colours[0])
    return np.asarray(turned, np.float32), np.where(hand, masks[1], masks[0]) > SEEN


def _made_up(colour: Floats, seen: Mask, wanted: Mask, straight: BodyFit, side: str) -> Floats:
    """``colour`` (h, w, 3) with what is ``wanted`` (h, w) in the arm's colours, textured as its bone's other side.

    ``seen`` (h, w) shows the arm.
    """
    known = narrowed(seen, RIM)
    if not known.any():
        return colour
    known = usual_cloth(colour, known, SHARE_MIN)  # neither the rim of a hand that lay on it nor a cuff
    result, detail = filled(colour, known, wanted), detail_of(colour, known, straight.scale)
    points = straight.joints.points[list(ARMS[side].joints), :2]
    rows, columns = np.nonzero(wanted)
    place = np.c_[columns, rows].astype(np.float64)
    for start, end, first in ((points[0], points[1], True), (points[1], points[2], False)):
        along = (end - start) / max(float(np.hypot(*(end - start))), SHORTEST)
        here = ((place - points[1]) @ along <= 0) == first
        normal = np.array([-along[1], along[0]])
        mirrored = place - 2 * ((place - start) @ normal)[:, None] * normal
        x, y = np.round(mirrored).astype(int).T
        inside = here & (x >= 0) & (y >= 0) & (x < seen.shape[1]) & (y < seen.shape[0])
        good = inside.copy()
        good[inside] = known[y[inside], x[inside]]
        result[rows[good], columns[good]] += detail[y[good], x[good]]
    return np.clip(result, 0, 255, out=result)
