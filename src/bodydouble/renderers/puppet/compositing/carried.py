"""Things in the removed person's hands: a racket, a dumbbell, a cup. They stay, and move with the character's hands.

The landmarks say where hands are. A carried thing is in front of the background, begins at a hand, and has colours that
the part of the body behind it lacks. What a part looks like is learned away from the hands; colours that fill much of
a part in most frames are the part's also where hands are always near, as at the sides of shorts.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, MaskImage, Matte, PixelBox
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.compositing.colours import LEVELS, Colours, colour_codes, counted
from bodydouble.renderers.puppet.compositing.left_over import SEEN_LEVEL, shade, unlike
from bodydouble.renderers.puppet.compositing.occlusion import ARMS, FEET, HEAD, LEGS, PARTS, TRUNK, part_labels
from bodydouble.renderers.puppet.compositing.reduction import reduced
from bodydouble.renderers.puppet.compositing.removal import RIM, shoulder_width
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.compositing.stored_plates import Plates
from bodydouble.renderers.puppet.discs import disc
from bodydouble.renderers.puppet.painting import LINE_END_MAX

Points = NDArray[np.floating]

WORK_UNIT = 40
"""Shoulder width in pixels of the reduced pictures in which things are looked for: the shaft of a racket has one."""
REACH = 2.5
"""Shoulder widths from a hand in which its thing is looked for: a tennis racket is 1.7 long."""
AT_HAND, ABOUT_HAND = 0.45, 0.6
"""Shoulder widths from the middle of a hand in which its thing begins, and in which its colours are counted."""
AWAY, AWAY_ARMS = 0.9, 0.5
"""Shoulder widths from the hands from which a part shows its own colours; arms, because forearms are never far away."""
SIDES = {TRUNK: 0.3, LEGS: 0.2, FEET: 0.2, ARMS: 0.12, HEAD: 0.1}
"""Shoulder widths by which each part is wider than its lines: cloth hangs loose, and landmarks err."""
LOOSE_CLOTH = 0.45
"""Shoulder widths by which clothes in a part's main colours stand off from it: skirts, open jackets."""
FOREARM = 0.3
"""Shoulder widths: thickness of a forearm, on which cuffs and watches are."""
OFTENER = 4.0
"""How much more often a thing's colour is seen about the hands than at the part that it is before."""
RARE = 0.0008
"""Share of a part below which a colour is not the part's."""
MAIN_SHARE, MAIN_OFTEN = 0.08, 0.5
"""Share of a part, in this share of the samples, from which a colour is the part's wherever the hands are."""
PART_PIXELS_MIN = 30
"""Pixels of a part from which its colours are counted."""
SIZE_MIN = 0.13
"""Square root of the smallest area of a piece, in shoulder widths."""
LENGTH_MIN = 0.35
"""Shoulder widths that something extends from the middle of the hand for a thing to be seen: a hand ends before."""
SIGHTINGS_MIN, OFTEN_MIN = 4, 0.5
"""Samples, and share of those with hands in sight, in which a thing is seen."""
COLOUR_OFTEN = 0.15
"""Share of the sightings from which a colour is the thing's."""
DISTINCT = 1.5
"""How much more often the thing has its colours than the background about the hands has: strings let that through."""
LOOSE_REACH, OUT_MIN = 1.5, 0.25
"""Shoulder widths from a hand in which a piece begins that the person's own clothes part from it, and that it extends
beyond their rim."""
SPREAD = 0.12
"""Shoulder widths about a thing's own colours in which others are its: strings, print, a blurred edge."""
SHAFT_END, SHAFT_HALF = 0.1, 0.05
"""Shoulder widths: length of the near end of such a piece, and half the width of its shaft in the hand."""
BESIDE_MIN, MOVES_MIN = 0.3, 0.5
"""Mean share of a thing that is beside the person, or shoulder widths that it moves over the body (standard deviation):
what does neither may be the pocket or the belt at which a hand rests."""
OTHERS_MAX = 0.3
"""Largest share of a piece that may be other people."""
BOX_SIDE_MIN = 16
"""Shortest side in pixels of the part of the frame that is looked at."""
HALF = 0.5
"""Alpha (0-1) from which a pixel is rather the thing's."""
PERSON = 127
"""Matte level (0-255) above which a pixel is the person's, or what they carry."""
WRISTS = (BodyPoint.LEFT_WRIST, BodyPoint.RIGHT_WRIST)
ELBOWS = (BodyPoint.LEFT_ELBOW, BodyPoint.RIGHT_ELBOW)
KNUCKLES = ((BodyPoint.LEFT_INDEX, BodyPoint.LEFT_PINKY), (BodyPoint.RIGHT_INDEX, BodyPoint.RIGHT_PINKY))
HIPS = (BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP)
KNUCKLE_SHARE = 0.7
"""Middle of a hand whose fingers are not seen, on the way from the wrist to the knuckles."""


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """The person who may carry something, in one frame."""

    body: NDArray[np.float64]  # (33, 2) px
    hands: NDArray[np.float64]  # (2, 2) px the middle of each hand

    @classmethod
    def of(cls, body: Points, hands: Points) -> "Carrier":
        """Of the landmarks ``body`` (33, 2 or 3) and ``hands`` (2, 21, 2 or 3), NaN where they are not seen."""
        middles = np.empty((2, 2))
        for side in range(2):
            wrist, knuckles = body[WRISTS[side], :2], body[list(KNUCKLES[side]), :2].mean(0)
            fingers = hands[side, :, :2].mean(0)
            middles[side] = fingers if np.isfinite(fingers).all() else wrist + KNUCKLE_SHARE * (knuckles - wrist)
        return cls(body=body[:, :2].astype(np.float64), hands=middles)

    def seen_from(self, x: int, y: int) -> "Carrier":
        """The same in a crop whose corner is at ``x``, ``y``."""
        return Carrier(body=self.body - [x, y], hands=self.hands - [x, y])

    def reach(self, height: int, width: int) -> PixelBox | None:
        """The part of a frame of ``height`` x ``width`` in which things are looked for; None where no hand is seen."""
        reach = REACH * shoulder_width(self.body)
        if not np.isfinite(reach) or not np.isfinite(self.hands).all():
            return None
        low = np.clip(np.floor(self.hands.min(0) - reach), 0, [width, height]).astype(int)
        high = np.clip(np.ceil(self.hands.max(0) + reach), 0, [width, height]).astype(int)
        if (high - low).min() < BOX_SIDE_MIN:
            return None
        return (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


@dataclass(frozen=True, kw_only=True)
class _View:
    """A reduced picture in which things are looked for."""

    step: int  # pixels of the frame for one of this
    unit: float  # px of this, the shoulders' width
    codes: NDArray[np.int32]  # (h, w) colours
    behind: NDArray[np.int32]  # (h, w) colours of the plate
    person: NDArray[np.bool_]  # (h, w) what the matte shows
    rim: NDArray[np.bool_]  # (h, w) that with the rim which is removed with the person
    front: NDArray[np.bool_]  # (h, w) what is before the background
    parts: NDArray[np.uint8]  # (h, w) labels
    forearms: NDArray[np.bool_]  # (h, w)
    away: tuple[Floats, Floats]  # (h, w) shoulder widths from either hand
    hips: NDArray[np.float64]  # (2,) px of this

    @property
    def nearest(self) -> Floats:
        """(h, w) shoulder widths from the nearer hand."""
        return np.minimum(*self.away)


def _view(image: Image, with_seen: NDArray[np.uint8], matte: Matte, who: Carrier, box: PixelBox, rows: int) -> _View:
    """The view of ``box`` of a frame of ``rows`` lines; ``image`` and ``matte`` are the frame's, ``with_seen`` not."""
    x0, y0, x1, y1 = box
    image, matte = image[y0:y1, x0:x1], matte[y0:y1, x0:x1]
    body, hands = who.body - [x0, y0], who.hands - [x0, y0]
    shoulders = shoulder_width(body)
    step = max(1, round(shoulders / WORK_UNIT))
    small, plate, person = (
        np.ascontiguousarray(np.asarray(reduced(x, step), np.uint8)) for x in (image, with_seen, matte)
    )
    unit, height, width = shoulders / step, *person.shape
    behind = np.asarray(cv2.cvtColor(plate, cv2.COLOR_RGBA2RGB), np.uint8)
    inside = person > PERSON
    differs = (unlike(small, behind) > 0) & (plate[..., 3] > SEEN_LEVEL) & ~inside
    # A plate can hold the person's usual shadow: where that is gone, the frame is lighter.
    within = differs.view(np.uint8) * np.uint8(255)
    shaded = cv2.max(shade(small, behind, within), shade(behind, small, within))
    joints = np.clip(body / step, -LINE_END_MAX, LINE_END_MAX)
    forearms = np.zeros((height, width), np.uint8)
    for elbow, wrist in zip(ELBOWS, WRISTS, strict=True):
        start, stop = np.round(joints[[elbow, wrist]]).astype(int).tolist()
        cv2.line(forearms, start, stop, 1, max(1, round(FOREARM * unit)))
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    rim = _distance(~inside) <= max(1.0, RIM * rows / step)
    away = tuple(np.asarray(np.hypot(x - cx, y - cy) / unit, np.float32) for cx, cy in (hands / step).tolist())
    return _View(
        step=step,
        unit=unit,
        codes=colour_codes(small),
        person=inside,
        rim=rim,
        front=inside | (differs & (shaded == 0)),
        behind=colour_codes(behind),
        parts=part_labels(joints, (width, height)),
        forearms=forearms > 0,
        away=(away[0], away[1]),
        hips=joints[list(HIPS)].mean(0),
    )


@dataclass(frozen=True, kw_only=True)
class CarriedPiece:
    """What one hand carries, or both together, in a ``box`` of the frame."""

    box: PixelBox
    alpha: Floats  # (h, w) 0-1
    hands: tuple[int, ...]  # 0, 1 or both

    def is_somebody(self, others: Matte) -> bool:
        """Whether it is rather a part of other people, by their mask ``others`` 0-255 of what ``box`` is in."""
        x0, y0, x1, y1 = self.box
        return _is_somebody(self.alpha > HALF, others[y0:y1, x0:x1])


@dataclass(frozen=True, kw_only=True)
class Carried:
    """The colours that each part of the person has, and those of the carried thing."""

    own: NDArray[np.bool_]  # (PARTS, LEVELS ** 3) where the hands are not
    main: NDArray[np.bool_]  # (PARTS, LEVELS ** 3) wherever the hands are
    colours: Colours  # (LEVELS ** 3,)

    def find(
        self, image: Image, with_seen: NDArray[np.uint8], matte: Matte, who: Carrier, rows: int
    ) -> list[CarriedPiece]:
        """What ``who`` carries in a crop of a frame of ``rows`` lines; boxes are in the crop.

        ``image`` (h, w, 3) and ``matte`` (h, w) are cut to it, and ``who`` is in pixels from its corner. ``with_seen``
        (h, w, 4) is the background, from ``Plates``.
        """
        box = who.reach(*matte.shape)
        if box is None:
            return []
        x0, y0, x1, y1 = box
        view = _view(image, with_seen[y0:y1, x0:x1], matte, who, box, rows)
        shape = (y1 - y0, x1 - x0)
        return [
            CarriedPiece(box=box, alpha=_enlarged(self._whole(view, mask, hands), view.step, shape), hands=hands)
            for hands, mask in _pieces(view, self.own, self.main, self.colours).items()
        ]

    def _whole(self, view: _View, mask: MaskImage, hands: tuple[int, ...]) -> MaskImage:
        """``mask`` with what has the thing's colours between its parts and its ``hands``, also before such clothes."""
        between = _hull(np.stack(np.nonzero(mask)[::-1], 1), [_middle(view.away[side]) for side in hands], mask.shape)
        return mask | (between & (view.front & self.colours.take(view.codes)).view(np.uint8))


def _middle(away: Floats) -> list[int]:
    """x, y of the pixel where ``away`` (h, w) is least."""
    y, x = np.unravel_index(int(away.argmin()), away.shape)
    return [int(x), int(y)]


def _hull(points: NDArray[np.int64], more: list[list[int]], shape: tuple[int, ...]) -> MaskImage:
    """(h, w) 0 or 1: the convex hull of ``points`` (N, 2) and ``more``."""
    hull = cv2.convexHull(np.concatenate([points, more]).astype(np.int32))
    return np.asarray(cv2.fillConvexPoly(np.zeros(shape[:2], np.uint8), hull, 1), np.uint8)


def _enlarged(mask: MaskImage, step: int, shape: tuple[int, ...]) -> Floats:
    """``mask`` (h, w) 0 or 1 as a soft one of ``shape``."""
    wide = cv2.dilate(mask, np.ones((3, 3), np.uint8)).astype(np.float32)
    large = cv2.resize(wide, (mask.shape[1] * step, mask.shape[0] * step), interpolation=cv2.INTER_LINEAR)
    rest = shape[0] - large.shape[0], shape[1] - large.shape[1]
    large = cv2.copyMakeBorder(large, 0, rest[0], 0, rest[1], cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(large, (0, 0), max(0.8, step / 2)), np.float32)


def _distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(h, w) px from each pixel of ``mask`` (h, w) to the nearest one that is not in it; 0 there."""
    return np.asarray(cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3), np.float32)


def _foreign(view: _View, own: NDArray[np.bool_], main: NDArray[np.bool_]) -> MaskImage:
    """(h, w) 0 or 1: what is before the background and lacks the colours of the parts about it."""
    mine = own[ARMS].take(view.codes)  # landmarks of arms err most
    for part, side in SIDES.items():
        away = _distance(view.parts != part) / np.float32(view.unit)
        for colours, reach in ((own, side), (main, LOOSE_CLOTH)):
            if colours[part].any():
                mine |= (away <= reach) & colours[part].take(view.codes)
    foreign = view.front & ~mine & ~view.forearms & (view.nearest < REACH)
    inside = cv2.morphologyEx((foreign & view.person).view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    outside = (foreign & ~view.person).view(np.uint8)
    return np.asarray(cv2.morphologyEx(cv2.max(inside, outside), cv2.MORPH_CLOSE, disc(2, 1)), np.uint8)


def _pieces(
    view: _View, own: NDArray[np.bool_], main: NDArray[np.bool_], colours: Colours | None
) -> dict[tuple[int, ...], MaskImage]:
    """Hands → (h, w) 0 or 1 of what they carry; of the known ``colours``, if any are."""
    foreign = _foreign(view, own, main)
    # The person's rim differs from the plate too: there only the thing's own colours join pieces, but at the hand.
    rim = view.rim & ~view.person & (view.nearest > AT_HAND)
    if colours is not None:
        like = (foreign > 0) & colours.take(view.codes)
        foreign = foreign * (_distance(~like) <= SPREAD * view.unit).view(np.uint8)
        rim &= ~like
    count, labels, stats, _ = cv2.connectedComponentsWithStats(foreign * (~rim).view(np.uint8))
    beyond = _distance(~view.rim)
    result: dict[tuple[int, ...], MaskImage] = {}
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < (SIZE_MIN * view.unit) ** 2:
            continue
        here = labels == label
        nearest = [float(away[here].min()) for away in view.away]
        hands = tuple(side for side in range(2) if nearest[side] < AT_HAND)
        mask = here.view(np.uint8)
        if not hands:
            touching = cv2.dilate(mask, disc(2, 1)) > 0
            out = float(beyond[here].max()) / view.unit
            if min(nearest) > LOOSE_REACH or out < OUT_MIN or not (touching & view.rim).any():
                continue
            hands = (int(np.argmin(nearest)),)
            mask = cv2.max(mask, _shaft(view, here, hands[0]))
        elif view.nearest[here].max() < LENGTH_MIN:
            continue
        result[hands] = np.maximum(result.get(hands, 0), mask)
    return result


def _is_somebody(mask: NDArray[np.bool_], others: Matte) -> bool:
    """Whether much of ``mask`` (h, w) is in the mask ``others`` (h, w) 0-255 of other people."""
    return bool(np.mean(others[mask] > PERSON) > OTHERS_MAX)


def _shaft(view: _View, piece: NDArray[np.bool_], side: int) -> MaskImage:
    """(h, w) 0 or 1: the way from a hand to the near end of a ``piece`` that clothes of its colour part from it."""
    away = view.away[side]
    near = np.nonzero(piece & (away < away[piece].min() + SHAFT_END))[::-1]
    x, y = _middle(away)
    r = max(1, round(SHAFT_HALF * view.unit))
    return _hull(np.stack(near, 1), [[x - r, y], [x + r, y], [x, y - r], [x, y + r]], piece.shape)


def learn_carried(
    samples: list[SampleFrame],
    plates: Plates,
    track: PersonTrack,
    bystanders: BystanderMasks | None = None,
    ball: Colours | None = None,
) -> Carried | None:
    """What is carried in many of the ``samples``; None if nothing is. A known ``ball`` (LEVELS ** 3,) is in play."""
    looks: list[tuple[_View, SampleFrame, PixelBox]] = []
    for sample in samples:
        who = Carrier.of(track.body[sample.index], track.hands[sample.index])
        box = who.reach(*sample.matte.shape)
        if box is not None:
            plate = plates.with_seen(sample.index, box)
            looks.append((_view(sample.image, plate, sample.matte, who, box, len(sample.matte)), sample, box))
    views = [view for view, _, _ in looks]
    least = max(SIGHTINGS_MIN, OFTEN_MIN * len(views))
    if len(views) < least:
        return None
    own, main = _own_colours(views)
    if ball is not None:
        own[ARMS] |= ball
    seen: list[tuple[_View, NDArray[np.bool_]]] = []
    for k, (view, sample, box) in enumerate(looks):
        if len(seen) + len(looks) - k < least:
            return None
        found = list(_pieces(view, own, main, None).values())
        others = bystanders.unknown(sample.index, sample.image) if found and bystanders is not None else None
        if others is not None:
            x0, y0, x1, y1 = box
            near = np.asarray(reduced(others[y0:y1, x0:x1], view.step), np.uint8)
            found = [mask for mask in found if not _is_somebody(mask > 0, near)]
        if found:
            seen.append((view, np.maximum.reduce(found) > 0))
    if len(seen) < least or not _is_thing(seen):
        return None
    shares = [counted(view.codes[mask]) / np.count_nonzero(mask) for view, mask in seen]
    behind = [view.behind[~view.front & (view.nearest < REACH)] for view in views]
    around = np.mean([counted(codes) / max(len(codes), 1) for codes in behind], axis=0)
    often = np.mean([share > 0 for share in shares], axis=0) >= COLOUR_OFTEN
    return Carried(own=own, main=main, colours=often & (np.mean(shares, axis=0) > DISTINCT * around))


def _is_thing(seen: list[tuple[_View, NDArray[np.bool_]]]) -> bool:
    """Whether what is seen in views, with masks (h, w), is no part of the person's clothes at which a hand rests.

    It is where the person is not, or moves over the body.
    """
    if np.mean([1 - view.person[mask].mean() for view, mask in seen]) > BESIDE_MIN:
        return True
    places = [(np.stack(np.nonzero(mask)[::-1]).mean(1) - view.hips) / view.unit for view, mask in seen]
    return bool(np.sqrt(np.var(places, axis=0).sum()) > MOVES_MIN)


def _own_colours(views: list[_View]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(PARTS, LEVELS ** 3) the colours that each part has away from the hands, and those that it mainly has."""
    free, whole = (np.full((PARTS, len(views), LEVELS**3), np.nan, np.float32) for _ in range(2))
    about = np.zeros(LEVELS**3)
    for k, view in enumerate(views):
        nearest = view.nearest
        for part in SIDES:
            here = view.person & (view.parts == part)
            away = here & (nearest > (AWAY_ARMS if part == ARMS else AWAY))
            for rows, mask in ((free, away), (whole, here)):
                codes = view.codes[mask]
                if len(codes) >= PART_PIXELS_MIN:
                    rows[part, k] = counted(codes) / len(codes)
        codes = view.codes[view.front & (nearest < ABOUT_HAND) & ~view.forearms]
        about += counted(codes) / max(len(codes), 1)
    least = np.maximum(RARE, about / len(views) / OFTENER)
    own, main = np.zeros((2, PARTS, LEVELS**3), np.bool_)
    for part in SIDES:
        seen = free[part][np.isfinite(free[part, :, 0])]
        own[part] = np.median(seen, axis=0) >= least if len(seen) else False
        seen = whole[part][np.isfinite(whole[part, :, 0])]
        main[part] = (seen > MAIN_SHARE).mean(0) >= MAIN_OFTEN if len(seen) and part in (TRUNK, LEGS) else False
    return own, main
