"""The ball that the removed person plays, which has to stay.

A matte includes what the person touches. Colour and place tell them apart: a pixel in front of the trunk with a colour
that neither the trunk nor skin usually has may belong to something else. In single frames it belongs to a fold, a lock
of hair or a print just as often: what stays is the ball that is seen again and again, at one size and at other places.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, MaskImage, Matte, PixelBox
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.balls import Ball, Sighting, circle_radius, find_ball, known_ball
from bodydouble.renderers.puppet.compositing.colours import LEVELS, colour_codes, counted, with_neighbours
from bodydouble.renderers.puppet.compositing.reduction import largest_channel, reduced
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.compositing.stored_plates import Plates
from bodydouble.renderers.puppet.painting import LINE_END_MAX

Points = NDArray[np.floating]

OUTSIDE, TRUNK, LEGS, FEET, ARMS, HEAD = range(6)
PARTS = 6
"""Numbers of the body's parts in a picture, and how many there are."""
WORK_HEIGHT = 240
"""Height in pixels of the pictures in which things are searched."""
WORK_SIDE_MIN = 8
"""Shortest side of such a picture, in pixels. Chosen by eye on the development clips."""
DIFFERENCE_MIN = 34
"""Largest channel difference (0-255) to the plate from which a pixel cannot be the background."""
SHARE_MIN, FREQUENCY_MIN = 0.004, 0.7
"""A colour is a part's own if it covers this share of the part in this share of the samples."""
MAIN_SHARE_MIN, MAIN_LEVELS = 0.04, 2
"""Share of trunk or legs, in half of the samples, from which a colour is the clothes' main one; levels of a channel
within which highlights and folds differ from it. Chosen by eye on plain dresses."""
SAMPLES_MIN, PART_PIXELS_MIN = 6, 30
"""Numbers of samples, and of pixels of a part in a sample, from which its usual colours are known."""
ROAMING_MIN, COMPACT_MAX, COLOUR_PIXELS_MIN = 0.3, 0.25, 3
"""Spine lengths that a colour's middle moves over the body (standard deviation) and that it extends (median) for it to
be a ball's or a cup's and no cloth's; pixels of it in a sample from which its middle counts."""
SURE_MATTE = 200
"""Matte level (0-255) from which a pixel is surely the person's."""
NEAR_MATTE = 127
"""Widened matte (0-255) above which a pixel is near the person: half of the range."""
SOLID_MIN, SLENDER_MAX = 0.8, 2.6
"""Smallest share of its convex hull that a thing fills, and its largest length over width. Folds, and parts of a person
that the matte missed, are ragged or long. Chosen by eye on the development clips."""
CLOSE_SIZE, TOUCH_REACH = 0.07, 0.1
"""Shoulder widths: gaps that are closed in a thing, and its largest distance from the person."""
HEAD_SHARE_MAX = 0.3
"""Largest share of a piece on the head: with more it is hair, teeth or glasses."""
FOOT_NEAR_MIN, FOOT_INSIDE_MIN, FOOT_COLOURS_MIN = 0.5, 0.8, 0.5
"""A piece is a foot where more than the first share of it is near the feet's places, and more than the second is in
them or more than the third has a shoe's colours."""
RADIUS_ERROR_MAX, BALL_COLOURS_MIN = 0.3, 0.5
"""Largest difference of a piece's radius from that of the known ball, as a share; least share with the ball's colours
of a piece that is not round: a hand is on it."""
LEG_WIDTH, FOOT_WIDTH, TRUNK_RIM, ARM_WIDTH, HEAD_RADIUS = 0.5, 0.6, 0.4, 0.28, 0.5
"""Thicknesses of the parts in shoulder widths, clothed. Feet include the shoes' rim: its colour must not count as the
legs'."""
SPINE_TO_SHOULDERS, SHOULDERS_MIN_PIXELS = 0.55, 4.0
"""Smallest shoulder width: over the spine's length, for a person seen from the side, and in pixels."""
LEGS_CHAIN = (
    (BodyPoint.LEFT_HIP, BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE),
    (BodyPoint.RIGHT_HIP, BodyPoint.RIGHT_KNEE, BodyPoint.RIGHT_ANKLE),
)
FEET_CHAIN = (
    (BodyPoint.LEFT_ANKLE, BodyPoint.LEFT_HEEL, BodyPoint.LEFT_TOE, BodyPoint.LEFT_ANKLE),
    (BodyPoint.RIGHT_ANKLE, BodyPoint.RIGHT_HEEL, BodyPoint.RIGHT_TOE, BodyPoint.RIGHT_ANKLE),
)
ARMS_CHAIN = (
    (BodyPoint.LEFT_SHOULDER, BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST, BodyPoint.LEFT_INDEX),
    (BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST, BodyPoint.RIGHT_INDEX),
)
TRUNK_CORNERS = (BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_HIP, BodyPoint.LEFT_HIP)
HEAD_POINTS = (BodyPoint.NOSE, BodyPoint.LEFT_EAR, BodyPoint.RIGHT_EAR)
FOOT_REACH = 0.6
"""Shoulder widths around the feet's own places in which a piece may be a foot: the sole of a raised one."""
SIZE_MIN, SIZE_MAX = 0.25, 1.1
"""Smallest and largest extent of a thing over the shoulders' width."""


@dataclass(frozen=True, kw_only=True)
class _View:
    """A reduced crop of one frame, in which things are searched."""

    step: int  # pixels of the frame for one of this
    codes: NDArray[np.int32]  # (h, w) colours
    parts: NDArray[np.uint8]  # (h, w) labels
    own: NDArray[np.bool_]  # (h, w) colours that are usual where they are
    apart: NDArray[np.bool_]  # (h, w) where the plate is not to be seen
    person: Matte
    shoulders: float  # px


@dataclass(frozen=True, kw_only=True)
class ActorColours:
    """The colours that each part of the removed person usually has, and the ball that they play, if any."""

    known: NDArray[np.bool_]  # (PARTS, LEVELS ** 3)
    ball: Ball | None = None

    @property
    def ball_colours(self) -> NDArray[np.bool_] | None:
        """(LEVELS ** 3,) the known ball's."""
        return None if self.ball is None else self.ball.colours

    def ball_in_front(self, image: Image, plate: Image, matte: Matte, body: Points, box: PixelBox) -> Floats | None:
        """(h, w) 0-1 of the known ball, in front of the person within a crop; None where it is not.

        ``image``, ``plate`` and ``matte`` are cut to ``box``; ``body`` (33, 2 or 3) is in the whole frame. The ball has
        colours foreign to the place where it is, is not like the plate, compact, and touches the person. Where it does
        not stand out, at a shoe of its own colour, it is looked for as a disc.
        """
        view = self._view(image, plate, matte, body, box) if self.ball is not None else None
        if view is None or self.ball is None:
            return None
        found = np.zeros(view.parts.shape, np.uint8)
        for hull in _compact_pieces(view):
            if self._is_ball(hull, self.ball, view):
                cv2.fillConvexPoly(found, hull, 255)
        if not found.any():
            self._add_known_ball(self.ball, view, found)
        if not found.any():
            return None
        # The rim of a thing that moves is half thing, half background: it goes with the thing.
        found = cv2.dilate(found, np.ones((3, 3), np.uint8))
        (h, w), step = matte.shape, view.step
        large = cv2.resize(found, (found.shape[1] * step, found.shape[0] * step), interpolation=cv2.INTER_LINEAR)
        large = cv2.copyMakeBorder(large, 0, h - large.shape[0], 0, w - large.shape[1], cv2.BORDER_REPLICATE)
        return np.asarray(cv2.GaussianBlur(large, (0, 0), 1.0), np.float32) / np.float32(255)

    def _view(self, image: Image, plate: Image, matte: Matte, body: Points, box: PixelBox) -> _View | None:
        h, w = matte.shape
        step = max(1, round(max(h, w) / WORK_HEIGHT))
        size = (w // step, h // step)
        if min(size) < WORK_SIDE_MIN:
            return None
        small, behind, near = (np.asarray(reduced(x, step), np.uint8) for x in (image, plate, matte))
        joints = (body[:, :2] - np.array(box[:2])) / step
        parts, codes = part_labels(joints, size), colour_codes(small)
        return _View(
            step=step,
            codes=codes,
            parts=parts,
            own=self.known.ravel().take(parts.astype(np.int32) * LEVELS**3 + codes),
            apart=largest_channel(cv2.absdiff(small, np.ascontiguousarray(behind[..., :3]))) > DIFFERENCE_MIN,
            person=near,
            shoulders=_shoulder_width(joints),
        )

    def _is_ball(self, hull: NDArray[np.int32], ball: Ball, view: _View) -> bool:
        """Whether a piece is the ball: of its size, and round or of its colours."""
        round_radius, wanted = circle_radius(hull[:, 0]), ball.radius / view.step
        piece = cv2.fillConvexPoly(np.zeros(view.parts.shape, np.uint8), hull, 1) > 0
        radius = float(np.sqrt(np.count_nonzero(piece) / np.pi)) if round_radius is None else round_radius
        if abs(radius - wanted) > RADIUS_ERROR_MAX * wanted:
            return False
        if round_radius is not None:
            return True
        own = float(ball.colours.take(view.codes[piece]).mean())
        return own > BALL_COLOURS_MIN and not self._is_shoe(hull, view)

    def _is_shoe(self, hull: NDArray[np.int32], view: _View) -> bool:
        """Whether a piece is a raised or blurred foot: by one, not round, and where feet are or of their colours.

        Soles are seldom seen, so their colours are not known.
        """
        if circle_radius(hull[:, 0]) is not None:
            return False
        piece = cv2.fillConvexPoly(np.zeros(view.parts.shape, np.uint8), hull, 1) > 0
        reach = max(3, round(FOOT_REACH * view.shoulders)) | 1
        feet = (view.parts == FEET).astype(np.uint8)
        if cv2.dilate(feet, np.ones((reach, reach), np.uint8))[piece].mean() < FOOT_NEAR_MIN:
            return False
        return bool(
            feet[piece].mean() > FOOT_INSIDE_MIN or self.known[FEET].take(view.codes[piece]).mean() > FOOT_COLOURS_MIN
        )

    def _add_known_ball(self, ball: Ball, view: _View, found: MaskImage) -> None:
        radius = ball.radius / view.step
        # The best place of all is looked at: while the ball is in the air a shoe is not taken for it.
        centre = find_ball(view.apart & ball.colours.take(view.codes), radius)
        if centre is None:
            return
        disc = cv2.circle(np.zeros_like(found), centre, round(2 * radius), 1, -1)
        if (view.parts[disc > 0] != OUTSIDE).any():
            cv2.circle(found, centre, round(radius), 255, -1)

    def sightings(self, image: Image, plate: Image, matte: Matte, body: Points, box: PixelBox) -> list[Sighting]:
        """The round things in front of the person, away from the feet; as ``ball_in_front``."""
        view = self._view(image, plate, matte, body, box)
        result: list[Sighting] = []
        for hull in _compact_pieces(view) if view is not None else []:
            assert view is not None
            piece = cv2.fillConvexPoly(np.zeros(view.parts.shape, np.uint8), hull, 1)
            radius = circle_radius(hull[:, 0])
            if radius is None or (view.parts[piece > 0] == FEET).any():
                continue
            colours = np.zeros(LEVELS**3, np.bool_)
            colours[view.codes[piece > 0]] = True
            hips, spine = _trunk(body.astype(np.float64))
            x, y = ((hull[:, 0].mean(0) * view.step + box[:2] - hips) / spine).tolist()
            result.append(Sighting(radius=radius * view.step, place=(x, y), colours=with_neighbours(colours)))
        return result


def learn_ball(
    colours: ActorColours, samples: list[SampleFrame], plates: Plates, track: PersonTrack
) -> ActorColours | None:
    """``colours`` with the ball that is seen in ``samples`` again and again; None if there is no ball."""
    seen: list[Sighting] = []
    for sample in samples:
        height, width = sample.matte.shape
        box = (0, 0, width, height)
        seen += colours.sightings(
            sample.image, plates.with_seen(sample.index, box), sample.matte, track.body[sample.index], box
        )
    ball = known_ball(seen)
    return None if ball is None else replace(colours, ball=ball)


def learn_colours(samples: list[SampleFrame], track: PersonTrack) -> ActorColours | None:
    """The usual colours of each part, from samples over the whole track; None if there are too few samples."""
    if len(samples) < SAMPLES_MIN:
        return None
    often, mainly, seen = np.zeros((PARTS, LEVELS**3)), np.zeros((PARTS, LEVELS**3)), np.zeros(PARTS)
    places = _Places()
    for sample in samples:
        h, w = sample.matte.shape
        zoom = min(1.0, WORK_HEIGHT / h)
        size = (round(w * zoom), round(h * zoom))
        small = np.asarray(cv2.resize(sample.image, size, interpolation=cv2.INTER_AREA), np.uint8)
        inside = cv2.resize(sample.matte, size, interpolation=cv2.INTER_AREA) > SURE_MATTE
        parts = part_labels(track.body[sample.index, :, :2] * zoom, size)
        codes = colour_codes(small)
        places.add(codes, inside & ((parts == TRUNK) | (parts == LEGS)), track.body[sample.index, :, :2] * zoom)
        for part in range(1, PARTS):
            here = codes[inside & (parts == part)]
            if len(here) < PART_PIXELS_MIN:
                continue
            often[part] += counted(here) / len(here) > SHARE_MIN
            mainly[part] += np.bincount(here, minlength=LEVELS**3) / len(here) > MAIN_SHARE_MIN
            seen[part] += 1
    known = often >= FREQUENCY_MIN * np.maximum(seen, 1)[:, None]
    roaming = places.roaming()
    clothes = (mainly[[TRUNK, LEGS]] >= 0.5 * np.maximum(seen[[TRUNK, LEGS]], 1)[:, None]).any(0) & ~roaming
    for _ in range(MAIN_LEVELS):
        clothes = with_neighbours(clothes)
    known[[TRUNK, LEGS]] &= clothes | ~roaming
    known |= known[ARMS] | known[HEAD]  # arms and hair hang before everything else
    known[ARMS] |= known[TRUNK]  # an arm's place is not exact: the trunk may be seen next to it
    known[OUTSIDE] = known[TRUNK] | known[LEGS]
    hardly = seen < SAMPLES_MIN / 2
    hardly[OUTSIDE] = False
    known[hardly] = True  # every colour may be its own
    return ActorColours(known=known)


class _Places:
    """Where each colour is seen on trunk and legs, relative to the hips: clothes stay there, a ball does not."""

    def __init__(self) -> None:
        self._middles: list[NDArray[np.float64]] = []
        self._spreads: list[NDArray[np.float64]] = []

    def add(self, codes: NDArray[np.int32], here: NDArray[np.bool_], joints: Points) -> None:
        """One sample's ``codes`` (h, w) within ``here`` (h, w), with ``joints`` (33, 2) in its pixels."""
        if not np.isfinite(joints).all():
            return
        hips, unit = _trunk(joints.astype(np.float64))
        found, (ys, xs) = codes[here], np.nonzero(here)
        count = np.bincount(found, minlength=LEVELS**3).astype(np.float64)
        count[count < COLOUR_PIXELS_MIN] = np.nan
        middle, squares = np.zeros((2, LEVELS**3)), np.zeros(LEVELS**3)
        for axis, values in enumerate(((xs - hips[0]) / unit, (ys - hips[1]) / unit)):
            middle[axis] = np.bincount(found, weights=values, minlength=LEVELS**3) / count
            squares += np.bincount(found, weights=values**2, minlength=LEVELS**3) / count
        self._middles.append(middle)
        self._spreads.append(np.sqrt(np.maximum(squares - (middle**2).sum(0), 0)))

    def roaming(self) -> NDArray[np.bool_]:
        """(LEVELS ** 3,) the colours of something small that moves over the body."""
        roaming = np.zeros(LEVELS**3, np.bool_)
        if not self._middles:
            return roaming
        middles, spreads = np.array(self._middles), np.array(self._spreads)
        often: NDArray[np.bool_] = np.isfinite(middles[:, 0]).sum(0) >= SAMPLES_MIN
        moved = np.sqrt(np.nanvar(middles[..., often], axis=0).sum(0))
        roaming[often] = (moved > ROAMING_MIN) & (np.nanmedian(spreads[:, often], axis=0) < COMPACT_MAX)
        return with_neighbours(roaming)


def _trunk(joints: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The middle of the hips (2,) in pixels, and the spine's length in pixels, of ``joints`` (33, 2 or 3)."""
    left, right, right_hip, left_hip = (joints[point, :2] for point in TRUNK_CORNERS)
    hips = (left_hip + right_hip) / 2
    return hips, max(float(np.hypot(*((left + right) / 2 - hips))), SHOULDERS_MIN_PIXELS)


def _shoulder_width(joints: Points) -> float:
    """Pixels; not less than what a person seen from the side has."""
    left, right, right_hip, left_hip = (joints[point] for point in TRUNK_CORNERS)
    spine = float(np.hypot(*((left + right - left_hip - right_hip) / 2)))
    return max(float(np.hypot(*(left - right))), SPINE_TO_SHOULDERS * spine, SHOULDERS_MIN_PIXELS)


def part_labels(joints: Points, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(h, w) which part is where, for joints (33, 2) in pixels of a picture of ``size`` (width, height)."""
    labels = np.zeros((size[1], size[0]), np.uint8)
    if not np.isfinite(joints).all():
        return labels
    q = np.clip(np.round(joints), -LINE_END_MAX, LINE_END_MAX).astype(np.int32)
    width = _shoulder_width(joints)

    def limbs(chains: tuple[tuple[BodyPoint, ...], ...], thick: float, label: int) -> None:
        for chain in chains:
            cv2.polylines(labels, [q[list(chain)]], False, label, max(1, round(thick * width)))

    limbs(LEGS_CHAIN, LEG_WIDTH, LEGS)
    limbs(FEET_CHAIN, FOOT_WIDTH, FEET)
    trunk = q[list(TRUNK_CORNERS)]
    cv2.fillPoly(labels, [trunk], TRUNK)
    cv2.polylines(labels, [trunk], True, TRUNK, max(1, round(TRUNK_RIM * width)))
    limbs(ARMS_CHAIN, ARM_WIDTH, ARMS)
    head = joints[list(HEAD_POINTS)].mean(0)
    cv2.circle(labels, (int(head[0]), int(head[1])), max(1, round(HEAD_RADIUS * width)), HEAD, -1)
    return labels


def _compact_pieces(view: _View) -> list[NDArray[np.int32]]:
    """The hulls (N, 1, 2) of the pieces that can be things: compact, not too small or large, touching the person."""
    candidate = (view.apart & ~view.own).astype(np.uint8) * np.uint8(255)
    shoulders = view.shoulders
    # Arms and head have colours of their own that come and go (sleeves, teeth): no thing is made of them alone.
    k = max(3, round(CLOSE_SIZE * shoulders)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))
    candidate = np.asarray(cv2.morphologyEx(candidate, cv2.MORPH_CLOSE, kernel), np.uint8)
    candidate = np.asarray(cv2.morphologyEx(candidate, cv2.MORPH_OPEN, kernel), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(candidate)
    reach = max(3, round(TOUCH_REACH * shoulders)) | 1
    near = cv2.dilate(view.person, np.ones((reach, reach), np.uint8)) > NEAR_MATTE
    result: list[NDArray[np.int32]] = []
    for i in range(1, count):
        extent = float(max(stats[i, cv2.CC_STAT_WIDTH], stats[i, cv2.CC_STAT_HEIGHT]))
        if not SIZE_MIN * shoulders <= extent <= SIZE_MAX * shoulders:
            continue
        here = labels == i
        if not near[here].any() or (view.parts[here] == HEAD).mean() > HEAD_SHARE_MAX:
            continue
        outlines, _ = cv2.findContours(here.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        hull = np.asarray(cv2.convexHull(np.concatenate(list(outlines))), np.int32)
        short, long = sorted(cv2.minAreaRect(hull)[1])
        area = float(cv2.contourArea(hull))
        if stats[i, cv2.CC_STAT_AREA] >= SOLID_MIN * area and long + 1 <= SLENDER_MAX * (short + 1):
            result.append(hull)
    return result
