"""Which pixels the removed person covers: the plate is shown there, and no background is learned from them."""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte
from bodydouble.perception.landmark_indices import FEET, BodyPoint
from bodydouble.perception.trunk import HIPS
from bodydouble.renderers.puppet.compositing.colours import coloured, counted_within
from bodydouble.renderers.puppet.compositing.plain import blends
from bodydouble.renderers.puppet.compositing.strands import strands_beside
from bodydouble.renderers.puppet.discs import DISC_RIM, disc
from bodydouble.renderers.puppet.painting import drawable_pixel

Points = NDArray[np.floating]

MATTE_EDGE, MATTE_SURE = 24, 110
"""Matte levels (0-255): the faintest that may be the person, and the level from which it is surely the person."""
FAINT_REACH = 0.012
"""Picture heights. A faint matte counts within this distance of a sure one, or where it is twice as thick as this."""
RIM = 0.011
"""Picture heights by which the mask exceeds the matte: a person's darkened rim and motion blur."""

HALVED_HEIGHT_MIN = 400
"""Lines from which a matte is widened at half size, with half the discs: a twentieth of the time."""
ONE_MORE_PIXEL = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)
"""What grows a mask by a pixel, at its own size."""
WIDENED_LEVEL = 127
"""Level (0-255) of the enlarged mask above which a pixel is in it: half of the range."""

HALVED_DISC_RIM = 0.42
"""``DISC_RIM`` of a mask that grows at half size, in its pixels: with it the shape is nearest to the disc's."""
DISC_RADIUS_MIN = 2
"""Pixels: smaller discs are no discs."""

UNKNOWN, DOUBTFUL = 255, 127
"""Values of ``unknown_mask``: pixels that may be the person, and pixels that are background by the matte alone."""
VISIBLE_MIN = 0.2
"""Landmark visibility (0-1) below which a joint is taken to be hidden behind something that has to stay."""
LEARNING_GROWTH, DRAWING_GROWTH = 1.45, 1.15
"""Factors of the capsules' widths. Wide where background is learned: unknown costs less than a ghost. Narrow where
pixels are replaced. Chosen by eye on the development clips of whole bodies (skirts, wide trousers, large shoes)."""
FEET_GROWTH = 0.8
"""As ``LEARNING_GROWTH``, where somebody else may stand beside the feet. Chosen by eye on two who wrestle."""
LOST_GROWTH = 2.0
"""As ``LEARNING_GROWTH``, of a limb that the matte misses, where other frames may show the background: landmarks err by
a third of a shoe. Chosen by eye on a dancer in large shoes."""
FOUND_MIN, AXIS_POINTS = 0.8, 9
"""Share of the points along a limb's axis that have to be in the matte, for the matte to know the limb; and how many
points are looked at."""
FOOT_WIDTH = 0.30
"""Thickness of the line from heel to toe in shoulder widths."""
SPINE_TO_SHOULDERS = 0.5
"""Least shoulder width over the spine's length: shoulders of somebody seen from the side look narrow."""
TOE_BEYOND, TOE_RADIUS = 0.35, 0.2
"""A shoe's tip is this share of the foot's length beyond the toe's landmark; its radius in shoulder widths."""
SOLE_BELOW = 1.0
"""Heights of the ankle above the line from heel to toe, by which the sole may be below it. Measured on walking people
seen from the side: 0.5 at the heel, 1.0 at the toe."""
THICKNESS_MAX = 32767
"""Pixels: OpenCV's limit for lines."""


@dataclass(frozen=True, kw_only=True)
class Capsule:
    """A thick line between two body landmarks; ``width`` in shoulder widths."""

    start: BodyPoint
    stop: BodyPoint
    width: float


def _both_sides(start: str, stop: str, width: float) -> tuple[Capsule, Capsule]:
    """The left and the right capsule between two landmarks named without their side."""
    left, right = (
        Capsule(start=BodyPoint[f"{side}_{start}"], stop=BodyPoint[f"{side}_{stop}"], width=width)
        for side in ("LEFT", "RIGHT")
    )
    return left, right


CAPSULES = (
    *_both_sides("HIP", "KNEE", 0.42),
    *_both_sides("KNEE", "ANKLE", 0.30),
    *_both_sides("ANKLE", "TOE", 0.34),
    *_both_sides("ANKLE", "HEEL", 0.30),
    *_both_sides("HEEL", "TOE", FOOT_WIDTH),
    *_both_sides("ELBOW", "WRIST", 0.25),
    *_both_sides("WRIST", "INDEX", 0.30),
)
"""Limbs that a matte loses; trunk, upper arms and head it never loses. Widths chosen by eye on development clips."""
AXES = np.array([(capsule.start, capsule.stop) for capsule in CAPSULES])
LEGS_CAPSULES = tuple(capsule for capsule in CAPSULES if capsule.start.name.endswith(("KNEE", "ANKLE", "HEEL")))
"""Shins and feet: mattes end some pixels inside them, also where they find the limb."""
FOREARMS_CAPSULES = tuple(capsule for capsule in CAPSULES if capsule.stop.name.endswith("WRIST"))
ARM_CAPSULES = tuple(capsule for capsule in CAPSULES if capsule.start.name.endswith(("ELBOW", "WRIST")))
FEET_CAPSULES = tuple(capsule for capsule in CAPSULES if capsule.stop.name.endswith(("HEEL", "TOE")))
HAIR_WIDTH = 0.8
"""Shoulder widths that hair takes beside head and neck, both sides together: pigtails, a bun, shoulder-long hair."""
HAIR_DEPTH, HAIR_SHARE_MIN, HAIR_RATIO_MIN, HAIR_PIXELS_MIN = 0.06, 0.02, 4.0, 60
"""Share of the searched zone's width inside the matte's rim in which hair is; share of the rim's pixels from which a
colour is usual there, and its share over that around the zone; pixels that are needed. Chosen by eye on heads."""
HAIR_MARGIN = 0.05
"""Picture heights around a head's mask that are never learned: blurred ends and shade."""
HAZE_REACH = 0.08
"""Picture heights from the mask in which hair may be a haze before a plain wall. Chosen by eye on pigtails."""
HAIR_NOVEL_MAX = 0.0005
"""Share of the pixels around the zone below which a colour is new beside the head."""
HAIR_STRAND = np.ones((3, 3), np.uint8)
"""Thinner strands are texture of the background."""
HAIR_RIM = np.ones((5, 5), np.uint8)
"""By as much hair is widened, for its blend with the background."""
ONE_PIXEL = 1.0
"""The distance of a mask's outermost pixels."""


def removal_mask(matte: Matte, body: Points, visibility: Points) -> Matte:
    """(H, W) 0 or 255: the pixels to replace: the widened ``matte`` and the limbs, because a matte can miss a leg.

    ``body`` (33, 2 or 3) are landmarks in pixels, NaN where the person is absent; ``visibility`` (33,) is 0-1.
    """
    mask = matte_mask(matte)
    _add_limbs(mask, body, visibility, DRAWING_GROWTH)
    return mask


def unknown_mask(image: Image, matte: Matte, body: Points, visibility: Points) -> Matte:
    """(H, W) which pixels of ``image`` (H, W, 3) may be the person; wider than ``removal_mask``.

    ``UNKNOWN`` pixels say nothing of the background. ``DOUBTFUL`` ones are near limbs or hair, but neither in the matte
    nor of the hair's colours: they are background where no frame shows a better one. All others are 0.
    """
    person, hair = matte_mask(matte), np.zeros_like(matte)
    add_hair(hair, body, LEARNING_GROWTH)
    lost = _lost_limbs(matte, body)
    mask = cv2.threshold(_zone(person, body, visibility, lost), 0, DOUBTFUL, cv2.THRESH_BINARY)[1]
    near_head = cv2.min(hair, _widened_within(person, hair, HAIR_MARGIN * len(matte)))
    own_hair = hair_like(image, matte, person, hair)
    sure: Matte = np.asarray(cv2.max(cv2.max(person, near_head), own_hair), np.uint8)
    strands = strands_beside(image, person, float(np.nanmax(body[HIPS, 1], initial=0)))
    sure = np.asarray(cv2.max(sure, strands), np.uint8)
    _add_limbs(sure, body, visibility, DRAWING_GROWTH, LEGS_CAPSULES)
    _add_limbs(sure, body, visibility, LEARNING_GROWTH, lost)
    _add_soles(sure, body, visibility)
    return np.asarray(cv2.max(mask, sure), np.uint8)


def person_zone(matte: Matte, body: Points, visibility: Points) -> Matte:
    """(H, W) 0 or 255: where ``unknown_mask`` can be more than 0, but for hairs and rims. A tenth of its time."""
    return _zone(matte_mask(matte), body, visibility, _lost_limbs(matte, body))


def _zone(person: Matte, body: Points, visibility: Points, lost: tuple[Capsule, ...]) -> Matte:
    """(H, W) 0 or 255: the mask ``person`` with the limbs, widely the ``lost`` ones, and the place of the hair."""
    zone = person.copy()
    _add_limbs(zone, body, visibility, LEARNING_GROWTH)
    _add_limbs(zone, body, visibility, LOST_GROWTH, lost)
    _add_soles(zone, body, visibility)
    add_hair(zone, body, LEARNING_GROWTH)
    return zone


def _widened_within(mask: Matte, zone: Matte, radius: float) -> Matte:
    """(H, W) 0 or 255: ``mask`` grown by a disc of ``radius`` px in the box of ``zone``; elsewhere 0."""
    result, reach = np.zeros_like(mask), max(DISC_RADIUS_MIN, round(radius))
    x, y, w, h = cv2.boundingRect(zone)
    if w:
        top, left = max(0, y - reach - 1), max(0, x - reach - 1)
        around = mask[top : y + h + reach + 1, left : x + w + reach + 1]
        outside = cv2.bitwise_not(_halved(around))
        near = cv2.threshold(_distance(outside), reach / 2 + HALVED_DISC_RIM, 255, cv2.THRESH_BINARY_INV)[1]
        large = cv2.resize(near.astype(np.uint8), around.shape[::-1], interpolation=cv2.INTER_LINEAR)
        inside = large[y - top : y - top + h, x - left : x - left + w]
        result[y : y + h, x : x + w] = cv2.threshold(inside, WIDENED_LEVEL, 255, cv2.THRESH_BINARY)[1]
    return result


def hair_like(image: Image, matte: Matte, person: Matte, zone: Matte) -> Matte:
    """(H, W) 0 or 255: hair within ``zone`` that the mask ``person`` misses, as pigtails and buns; it touches the mask.

    Hair has colours that are far more usual inside the matte's rim than around the zone, or colours that are new there,
    as its blurred ends have. In front of a plain wall, near the mask, it is whatever a blend with hair explains.
    """
    found = np.zeros_like(matte)
    x, y, w, h = cv2.boundingRect(zone)
    if w == 0:
        return found
    here = np.s_[y : y + h, x : x + w]
    wide = np.s_[max(0, y - h // 2) : y + h + h // 2, max(0, x - w // 2) : x + w + w // 2]
    sure = cv2.threshold(_halved(matte[here]), MATTE_SURE, 255, cv2.THRESH_BINARY)[1]
    inside = np.asarray(cv2.min(sure, _halved(zone[here])), np.uint8)
    depth = max(DISC_RADIUS_MIN, round(HAIR_DEPTH * w)) / 2 + DISC_RIM
    rim = np.asarray(cv2.inRange(_distance(inside), (ONE_PIXEL,), (depth,)), np.uint8)
    around = np.asarray(cv2.bitwise_not(_halved(cv2.max(zone[wide], person[wide]))), np.uint8)
    pixels = cv2.countNonZero(rim), cv2.countNonZero(around)
    if 4 * pixels[0] < HAIR_PIXELS_MIN or pixels[1] < HAIR_PIXELS_MIN:
        return found
    own = counted_within(_halved(image[here]), rim) / pixels[0]
    other = counted_within(_halved(image[wide]), around) / pixels[1]
    hair = ((own > HAIR_SHARE_MIN) & (own > HAIR_RATIO_MIN * other)) | (other < HAIR_NOVEL_MAX)
    like = cv2.min(coloured(image[here], hair), zone[here])
    near = _widened_within(person, zone, HAZE_REACH * len(matte))
    smoke = blends(image[wide], np.asarray(cv2.max(near[wide], person[wide]), np.uint8), own > HAIR_SHARE_MIN)
    like = cv2.max(like, cv2.min(smoke[y - wide[0].start :, x - wide[1].start :][:h, :w], near[here]))
    like = cv2.bitwise_and(like, cv2.bitwise_not(person[here]))
    found[here] = _with_touching(cv2.morphologyEx(like, cv2.MORPH_OPEN, HAIR_STRAND), person[here])
    return np.asarray(cv2.dilate(found, HAIR_RIM), np.uint8)


def _halved(picture: MatLike) -> NDArray[np.uint8]:
    """Every other pixel of every other row: enough to tell what is usual."""
    size = (picture.shape[1] + 1) // 2, (picture.shape[0] + 1) // 2
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _with_touching(pieces: MatLike, mask: Matte) -> Matte:
    """(h, w) 0 or 255: ``mask`` with those of ``pieces`` that touch it, both 0 or 255."""
    result = mask.copy()
    x, y, w, h = cv2.boundingRect(pieces)
    if w == 0:
        return result
    here, above, left = np.s_[y : y + h, x : x + w], min(y, 1), min(x, 1)
    around = mask[y - above : y + h + 1, x - left : x + w + 1]
    near = cv2.dilate(around, np.ones((3, 3), np.uint8))[above : above + h, left : left + w]
    beside = cv2.bitwise_and(near, pieces[here])
    labels = np.asarray(cv2.connectedComponents(pieces[here], ltype=cv2.CV_16U)[1], np.uint16)
    touching = np.zeros((1, 1 << 16), np.uint8)
    touching[0, labels[beside > 0]] = 255
    # OpenCV looks up numbers of 16 bits in less time than NumPy does those of the pieces alone.
    cv2.bitwise_or(result[here], cv2.LUT(labels, touching), dst=result[here])
    return result


def matte_mask(matte: Matte) -> Matte:
    """(H, W) 0 or 255: ``matte`` (H, W) 0-255 widened over hair fringe, motion blur and a person's darkened rim."""
    height = len(matte)
    edge = np.asarray(cv2.threshold(matte, MATTE_EDGE, 255, cv2.THRESH_BINARY)[1], np.uint8)
    x, y, w, h = cv2.boundingRect(edge)
    if w == 0:
        return edge
    step = 2 if height >= HALVED_HEIGHT_MIN else 1
    radius = max(DISC_RADIUS_MIN, round(RIM * height))
    thick, rim = disc(FAINT_REACH * height / step, DISC_RADIUS_MIN), disc(radius // step, DISC_RADIUS_MIN)
    reach = step * (len(thick) + len(rim))
    left, top = max(0, x - reach) // step * step, max(0, y - reach) // step * step
    here = np.s_[top : y + h + reach, left : x + w + reach]
    sure = np.asarray(cv2.threshold(matte[here], MATTE_SURE, 255, cv2.THRESH_BINARY)[1], np.uint8)
    faint, sure = _reduced(edge[here], step), _reduced(sure, step)
    # Foliage behind a person gets a faint, thin matte; a blurred hand or shoe gets a faint, thick one.
    person = cv2.bitwise_and(faint, cv2.dilate(sure, thick))
    if cv2.countNonZero(faint) > cv2.countNonZero(person):
        person = cv2.bitwise_or(person, cv2.morphologyEx(faint, cv2.MORPH_OPEN, thick))
    wide = cv2.dilate(person, rim)
    result = np.zeros_like(matte)
    if step == 1:
        result[here] = wide
        return result
    large = cv2.resize(wide, (step * wide.shape[1], step * wide.shape[0]), interpolation=cv2.INTER_LINEAR)
    large = cv2.threshold(large, WIDENED_LEVEL, 255, cv2.THRESH_BINARY)[1]
    if radius % step:  # rounded up, half the radius would hide background that no other frame may show
        large = cv2.dilate(large, ONE_MORE_PIXEL)
    rows, columns = result[here].shape
    result[here] = large[:rows, :columns]
    return result


def _reduced(mask: Matte, step: int) -> Matte:
    """``mask``, 0 or 255, with one pixel for ``step`` x ``step``: 255 where any of them is."""
    if step == 1:
        return mask
    odd = mask.shape[0] % step, mask.shape[1] % step
    whole = cv2.copyMakeBorder(mask, 0, odd[0], 0, odd[1], cv2.BORDER_REPLICATE) if any(odd) else mask
    size = whole.shape[1] // step, whole.shape[0] // step
    small = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.threshold(small, 0, 255, cv2.THRESH_BINARY)[1], np.uint8)


def shoulder_width(joints: Points) -> float:
    """Pixels; not less than what somebody has who is seen from the side."""
    left, right = joints[BodyPoint.LEFT_SHOULDER], joints[BodyPoint.RIGHT_SHOULDER]
    spine = float(np.hypot(*((left + right - joints[BodyPoint.LEFT_HIP] - joints[BodyPoint.RIGHT_HIP]) / 2)))
    return max(float(np.hypot(*(left - right))), SPINE_TO_SHOULDERS * spine)


def add_hair(mask: Matte, body: Points, growth: float) -> None:
    """Draw into ``mask`` (H, W) with 255 where hair may be: around the head and down to the shoulders."""
    joints = body[:, :2]
    if not np.isfinite(joints).all():
        return
    head = joints[[BodyPoint.LEFT_EAR, BodyPoint.RIGHT_EAR]].mean(0)
    neck = joints[[BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER]].mean(0)
    thick = max(1, int(growth * HAIR_WIDTH * shoulder_width(joints)))
    cv2.line(mask, drawable_pixel(head), drawable_pixel(neck), 255, min(thick, THICKNESS_MAX))


def _lost_limbs(matte: Matte, body: Points) -> tuple[Capsule, ...]:
    """The limbs whose axis is not in the ``matte``."""
    if not np.isfinite(body[:, :2]).all():
        return ()
    height, width = matte.shape
    joints, share = body[AXES, :2], np.linspace(0, 1, AXIS_POINTS)[:, None]
    points = np.round(joints[:, 0, None] * (1 - share) + joints[:, 1, None] * share)  # (limbs, AXIS_POINTS, 2)
    inside = np.all((points >= 0) & (points < (width, height)), axis=2)
    at = np.where(inside[..., None], points, 0).astype(int)
    count, found = inside.sum(1), ((matte[at[..., 1], at[..., 0]] > MATTE_SURE) & inside).sum(1)
    lost = (count > 0) & (found / np.maximum(count, 1) < FOUND_MIN)
    return tuple(capsule for capsule, is_lost in zip(CAPSULES, lost.tolist(), strict=True) if is_lost)


def _add_limbs(
    mask: Matte, body: Points, visibility: Points, growth: float, capsules: tuple[Capsule, ...] = CAPSULES
) -> None:
    """Draw the limbs' ``capsules`` and shoes into ``mask`` (H, W) with 255; arguments as in ``removal_mask``."""
    joints = body[:, :2]
    if not np.isfinite(joints).all():
        return
    shoulders = shoulder_width(joints)
    for capsule in capsules:
        if _in_sight(capsule, visibility):
            thick = max(1, int(growth * capsule.width * shoulders))
            cv2.line(
                mask,
                drawable_pixel(joints[capsule.start]),
                drawable_pixel(joints[capsule.stop]),
                255,
                min(thick, THICKNESS_MAX),
            )
    for _, heel, toe in () if capsules is ARM_CAPSULES else FEET:
        if visibility[toe] > VISIBLE_MIN:
            tip = joints[toe] + TOE_BEYOND * (joints[toe] - joints[heel])
            cv2.circle(mask, drawable_pixel(tip), max(1, int(growth * TOE_RADIUS * shoulders)), 255, -1)


def _add_soles(mask: Matte, body: Points, visibility: Points) -> None:
    """Draw what may be soles into ``mask`` (H, W) with 255: the landmarks of a foot are in the middle of the shoe.

    A sole has the colours of floors and shade, so that mattes often end above it. Arguments as in ``removal_mask``.
    """
    joints = body[:, :2]
    if not np.isfinite(joints).all():
        return
    thick = max(1, int(LEARNING_GROWTH * FOOT_WIDTH * shoulder_width(joints)))
    for ankle, heel, toe in FEET:
        along = joints[toe] - joints[heel]
        if min(visibility[heel], visibility[toe]) <= VISIBLE_MIN or not along.any():
            continue
        up = joints[ankle] - joints[heel]
        below = SOLE_BELOW * (along * (up @ along) / (along @ along) - up)
        ends = [joints[heel] - TOE_BEYOND * along + below, joints[toe] + TOE_BEYOND * along + below]
        start, stop = (drawable_pixel(end) for end in ends)
        cv2.line(mask, start, stop, 255, min(thick, THICKNESS_MAX))


def _in_sight(capsule: Capsule, visibility: Points) -> bool:
    """Whether a limb is seen; a forearm also where only its elbow is hidden, as behind the own head."""
    start, stop = float(visibility[capsule.start]), float(visibility[capsule.stop])
    return (stop if capsule in FOREARMS_CAPSULES else min(start, stop)) > VISIBLE_MIN


def forearm_mask(shape: tuple[int, ...], body: Points, visibility: Points) -> Matte:
    """(H, W) 0 or 255: where forearms and hands are in a frame of ``shape``; arguments as in ``removal_mask``."""
    mask = np.zeros(shape, np.uint8)
    _add_limbs(mask, body, visibility, LEARNING_GROWTH, ARM_CAPSULES)
    return mask


def forearms_seen(visibility: Points) -> bool:
    """Whether both forearms are in sight; ``visibility`` (33,) is 0-1."""
    return all(_in_sight(capsule, visibility) for capsule in FOREARMS_CAPSULES)


def add_feet(mask: Matte, body: Points, visibility: Points) -> None:
    """Draw the visible feet into ``mask`` (H, W) with 255, no wider than they are; arguments as in ``removal_mask``."""
    _add_limbs(mask, body, visibility, FEET_GROWTH, FEET_CAPSULES)


def _distance(mask: MatLike) -> NDArray[np.float32]:
    """(H, W) px from each pixel of ``mask``, which is not 0, to the nearest 0; what is outside the picture is no 0.

    Laying a disc takes time that grows with its area; this takes the same for all radii. Off by at most 2 %.
    """
    return np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)
