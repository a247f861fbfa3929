"""What stands in front of the person and has to stay there: a ball, a cup, lettering.

The matte cannot tell: it takes what the person touches for the person. What can is colour and place: a pixel before
the trunk with a colour that neither the trunk nor skin usually has belongs to something else.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.balls import Ball, Sighting, circle_radius, find_ball, known_ball
from bodydouble.renderers.puppet.compositing.colours import LEVELS, colour_codes, counted, with_neighbours
from bodydouble.renderers.puppet.compositing.looks import Look
from bodydouble.renderers.puppet.compositing.plate import Box, Plates

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]
Points = NDArray[np.floating]

OUTSIDE, TRUNK, LEGS, FEET, ARMS, HEAD = range(6)
PARTS = 6
WORK_HEIGHT = 240
"""Things are looked for in pictures of this height."""
DIFFERENCE_MIN = 34
"""Largest channel difference (0-255) to the plate from which a pixel cannot be the background."""
SHARE_MIN, FREQUENCY_MIN = 0.004, 0.7
"""A colour is a part's own if it covers this share of the part in this share of the looks."""
LOOKS_MIN = 6
SOLID_MIN = 0.8
"""Share of its convex hull that a thing fills; folds and what the matte missed of a person are ragged."""
SLENDER_MAX = 2.6
FOOT_REACH = 0.6
"""Shoulder widths around the feet's own places in which a piece may be a foot: the sole of a raised one."""
GUESSED_MAX = 0.5
"""Share of a piece that may be beside the body before a made-up plate: more is the scene in a gap of the matte."""
SIZE_MIN, SIZE_MAX = 0.25, 1.1
"""A thing's extent over the shoulders' width."""


@dataclass(frozen=True, kw_only=True)
class _View:
    """What things are looked for in, small: a crop of one frame."""

    step: int  # pixels of the frame for one of this
    codes: NDArray[np.int32]  # (h, w) colours
    parts: Mask  # (h, w) labels
    own: NDArray[np.bool_]  # (h, w) colours that are usual where they are
    apart: NDArray[np.bool_]  # (h, w) where the plate is not to be seen
    person: Mask  # (h, w) the matte
    guessed: NDArray[np.bool_]  # (h, w) beside the body, and the plate is made up: who knows what is there
    shoulders: float  # px


@dataclass(frozen=True, kw_only=True)
class ActorColours:
    """The colours that each part of the removed person usually has, and the ball that they play, if any."""

    known: NDArray[np.bool_]  # (PARTS, LEVELS ** 3)
    ball: Ball | None = None

    def foreign_things(self, image: Image, plate: Mask, matte: Mask, body: Points, box: Box) -> Floats | None:
        """(h, w) 0-1 of things in front of the person within a crop, or None where there are none.

        ``image``, ``plate`` (with the alpha of ``Plates.with_seen``) and ``matte`` are cut to ``box``; ``body`` (33, 2
        or 3) is in the whole frame. A thing has colours foreign to the place where it is, is not like the plate,
        compact, and touches the person. A ball is one at a foot too, whatever the shoe's colour.
        """
        view = self._view(image, plate, matte, body, box)
        if view is None:
            return None
        found = np.zeros(view.parts.shape, np.uint8)
        hulls = [hull for hull in _compact_pieces(view) if not self._is_shoe(hull, view)]
        for hull in hulls:
            cv2.fillConvexPoly(found, hull, 255)
        if self.ball is not None and not any(_is_round(hull, self.ball.radius / view.step) for hull in hulls):
            self._add_ball_at_foot(self.ball, view, found)
        if not found.any():
            return None
        # The rim of a thing that moves is half thing, half background: it goes with the thing.
        found = cv2.dilate(found, np.ones((3, 3), np.uint8))
        (h, w), step = matte.shape, view.step
        large = cv2.resize(found, (found.shape[1] * step, found.shape[0] * step), interpolation=cv2.INTER_LINEAR)
        large = cv2.copyMakeBorder(large, 0, h - large.shape[0], 0, w - large.shape[1], cv2.BORDER_REPLICATE)
        return np.asarray(cv2.GaussianBlur(large, (0, 0), 1.0), np.float32) / np.float32(255)

    def _view(self, image: Image, plate: Mask, matte: Mask, body: Points, box: Box) -> _View | None:
        h, w = matte.shape
        # By a whole number: OpenCV averages twenty times as fast then.
        step = max(1, round(max(h, w) / WORK_HEIGHT))
        size = (w // step, h // step)
        if min(size) < 8:
            return None
        small, behind, near = (
            np.asarray(cv2.resize(x[: size[1] * step, : size[0] * step], size, interpolation=cv2.INTER_AREA), np.uint8)
            for x in (image, plate, matte)
        )
        joints = (body[:, :2] - np.array(box[:2])) / step
        parts, codes = part_labels(joints, size), colour_codes(small)
        channels = cv2.split(cv2.absdiff(small, np.ascontiguousarray(behind[..., :3])))
        return _View(
            step=step,
            codes=codes,
            parts=parts,
            own=self.known.ravel().take(parts.astype(np.int32) * LEVELS**3 + codes),
            apart=cv2.max(cv2.max(channels[0], channels[1]), channels[2]) > DIFFERENCE_MIN,
            person=near,
            guessed=(behind[..., 3] < 128) & ~_before_body(joints, size),
            shoulders=_shoulder_width(joints),
        )

    def _is_shoe(self, hull: NDArray[np.int32], view: _View) -> bool:
        """Whether a piece is a raised or blurred foot: by one, not round, and where feet are or of their colours.

        Soles are seldom seen: their colours are not known.
        """
        if circle_radius(hull[:, 0]) is not None:
            return False
        piece = cv2.fillConvexPoly(np.zeros(view.parts.shape, np.uint8), hull, 1) > 0
        reach = max(3, round(FOOT_REACH * view.shoulders)) | 1
        feet = (view.parts == FEET).astype(np.uint8)
        if cv2.dilate(feet, np.ones((reach, reach), np.uint8))[piece].mean() < 0.5:
            return False
        return bool(feet[piece].mean() > 0.8 or self.known[FEET].take(view.codes[piece]).mean() > 0.5)

    def _add_ball_at_foot(self, ball: Ball, view: _View, found: Mask) -> None:
        radius = ball.radius / view.step
        # The best place of all is looked at: while the ball is in the air a shoe is not taken for it.
        centre = find_ball(view.apart & ball.colours.take(view.codes), radius)
        if centre is None:
            return
        disc = cv2.circle(np.zeros_like(found), centre, round(2 * radius), 1, -1)
        if (view.parts[disc > 0] == FEET).any():
            cv2.circle(found, centre, round(radius), 255, -1)

    def sightings(self, image: Image, plate: Mask, matte: Mask, body: Points, box: Box) -> list[Sighting]:
        """The round things in front of the person, away from the feet; as ``foreign_things``."""
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
            result.append(Sighting(radius=radius * view.step, colours=with_neighbours(colours)))
        return result


def learn_ball(colours: ActorColours, looks: list[Look], plates: Plates, track: PersonTrack) -> ActorColours:
    """``colours`` with the ball that is seen in ``looks`` again and again, if there is one."""
    seen: list[Sighting] = []
    for look in looks:
        height, width = look.matte.shape
        box = (0, 0, width, height)
        seen += colours.sightings(
            look.image, plates.with_seen(look.index, box), look.matte, track.body[look.index], box
        )
    return replace(colours, ball=known_ball(seen))


def learn_colours(looks: list[Look], track: PersonTrack) -> ActorColours | None:
    """From looks over the whole track; None where there are too few to tell what is usual."""
    if len(looks) < LOOKS_MIN:
        return None
    often, seen = np.zeros((PARTS, LEVELS**3)), np.zeros(PARTS)
    for look in looks:
        h, w = look.matte.shape
        zoom = min(1.0, WORK_HEIGHT / h)
        size = (round(w * zoom), round(h * zoom))
        small = np.asarray(cv2.resize(look.image, size, interpolation=cv2.INTER_AREA), np.uint8)
        inside = cv2.resize(look.matte, size, interpolation=cv2.INTER_AREA) > 200
        parts = part_labels(track.body[look.index, :, :2] * zoom, size)
        codes = colour_codes(small)
        for part in range(1, PARTS):
            here = codes[inside & (parts == part)]
            if len(here) < 30:
                continue
            often[part] += counted(here) / len(here) > SHARE_MIN
            seen[part] += 1
    known = often >= FREQUENCY_MIN * np.maximum(seen, 1)[:, None]
    known |= known[ARMS] | known[HEAD]  # arms and hair hang before everything else
    known[OUTSIDE] = known[TRUNK] | known[LEGS]
    hardly = seen < LOOKS_MIN / 2
    hardly[OUTSIDE] = False
    known[hardly] = True  # every colour may be its own
    return ActorColours(known=known)


def _shoulder_width(joints: Points) -> float:
    """Pixels; not less than what a person seen from the side has."""
    across = float(np.hypot(*(joints[11] - joints[12])))
    spine = float(np.hypot(*((joints[11] + joints[12] - joints[23] - joints[24]) / 2)))
    return max(across, 0.55 * spine, 4.0)


def part_labels(joints: Points, size: tuple[int, int]) -> Mask:
    """(h, w) which part is where, for joints (33, 2) in pixels of a picture of ``size`` (width, height)."""
    labels = np.zeros((size[1], size[0]), np.uint8)
    if not np.isfinite(joints).all():
        return labels
    q = np.clip(np.round(joints), -8000, 8000).astype(np.int32)
    width = _shoulder_width(joints)

    def limb(chain: tuple[int, ...], thick: float, label: int) -> None:
        cv2.polylines(labels, [q[list(chain)]], False, label, max(1, round(thick * width)))

    for hip, knee, ankle in ((23, 25, 27), (24, 26, 28)):
        limb((hip, knee, ankle), 0.5, LEGS)
    for ankle, heel, toe in ((27, 29, 31), (28, 30, 32)):
        limb((ankle, heel, toe, ankle), 0.6, FEET)  # with the rim of the shoes: their colour must not become the legs'
    trunk = q[[11, 12, 24, 23]]
    cv2.fillPoly(labels, [trunk], TRUNK)
    cv2.polylines(labels, [trunk], True, TRUNK, max(1, round(0.4 * width)))
    for shoulder, elbow, wrist, knuckle in ((11, 13, 15, 19), (12, 14, 16, 20)):
        limb((shoulder, elbow, wrist, knuckle), 0.28, ARMS)
    head = joints[[0, 7, 8]].mean(0)
    cv2.circle(labels, (int(head[0]), int(head[1])), max(1, round(0.5 * width)), HEAD, -1)
    return labels


def _before_body(joints: Points, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(h, w) where trunk, legs and arms certainly are, none of the gaps between them; as ``part_labels``."""
    body = np.zeros((size[1], size[0]), np.uint8)
    if np.isfinite(joints).all():
        q = np.clip(np.round(joints), -8000, 8000).astype(np.int32)
        cv2.fillPoly(body, [q[[11, 12, 24, 23]]], 1)
        for chain in ((23, 25, 27), (24, 26, 28), (11, 13, 15, 19), (12, 14, 16, 20)):
            cv2.polylines(body, [q[list(chain)]], False, 1, max(1, round(0.25 * _shoulder_width(joints))))
    return body > 0


def _is_round(hull: NDArray[np.int32], radius: float) -> bool:
    found = circle_radius(hull[:, 0])
    return found is not None and abs(found - radius) < 0.3 * radius


def _compact_pieces(view: _View) -> list[NDArray[np.int32]]:
    """The hulls (N, 1, 2) of the pieces that can be things: compact, not too small or large, touching the person."""
    candidate = (view.apart & ~view.own).astype(np.uint8) * np.uint8(255)
    shoulders = view.shoulders
    # Arms and head have colours of their own that come and go (sleeves, teeth): no thing is made of them alone.
    k = max(3, round(0.07 * shoulders)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))
    candidate = np.asarray(cv2.morphologyEx(candidate, cv2.MORPH_CLOSE, kernel), np.uint8)
    candidate = np.asarray(cv2.morphologyEx(candidate, cv2.MORPH_OPEN, kernel), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(candidate)
    reach = max(3, round(0.1 * shoulders)) | 1
    near = cv2.dilate(view.person, np.ones((reach, reach), np.uint8)) > 127
    result: list[NDArray[np.int32]] = []
    for i in range(1, count):
        extent = float(max(stats[i, cv2.CC_STAT_WIDTH], stats[i, cv2.CC_STAT_HEIGHT]))
        if not SIZE_MIN * shoulders <= extent <= SIZE_MAX * shoulders:
            continue
        here = labels == i
        if not near[here].any() or (view.parts[here] == HEAD).mean() > 0.3 or view.guessed[here].mean() > GUESSED_MAX:
            continue
        outlines, _ = cv2.findContours(here.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        hull = np.asarray(cv2.convexHull(np.concatenate(list(outlines))), np.int32)
        short, long = sorted(cv2.minAreaRect(hull)[1])
        area = float(cv2.contourArea(hull))
        if stats[i, cv2.CC_STAT_AREA] >= SOLID_MIN * area and long + 1 <= SLENDER_MAX * (short + 1):
            result.append(hull)
    return result
