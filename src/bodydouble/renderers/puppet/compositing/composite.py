"""One finished frame: the source, the plate where the person was, the puppet, and what is in front of it.

Only the box around the changes is computed; outside it the frame has the source's bytes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask, Matte, PixelBox
from bodydouble.renderers.puppet.compositing.blending import blended
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.compositing.captions import Captions
from bodydouble.renderers.puppet.compositing.carried import Carried, CarriedPiece
from bodydouble.renderers.puppet.compositing.carrier_view import ELBOWS, Carrier
from bodydouble.renderers.puppet.compositing.desk import Desk
from bodydouble.renderers.puppet.compositing.eyelids import paint_closed_lids
from bodydouble.renderers.puppet.compositing.fringe import without_fringe, without_rim
from bodydouble.renderers.puppet.compositing.ground_shade import shade_ground
from bodydouble.renderers.puppet.compositing.hands import KeptHand, keep_hand, moved_hand
from bodydouble.renderers.puppet.compositing.held import Held, hand_box
from bodydouble.renderers.puppet.compositing.left_over import with_left_over
from bodydouble.renderers.puppet.compositing.light import Light, lab_of_colour, relight
from bodydouble.renderers.puppet.compositing.mouth import MouthLight, paint_inside
from bodydouble.renderers.puppet.compositing.occlusion import ActorColours
from bodydouble.renderers.puppet.compositing.other_hands import OtherHands
from bodydouble.renderers.puppet.compositing.passers import place_of, split
from bodydouble.renderers.puppet.compositing.pieces import CELL, pieces_of
from bodydouble.renderers.puppet.compositing.reduction import reduced, softened
from bodydouble.renderers.puppet.compositing.removal import removal_mask
from bodydouble.renderers.puppet.compositing.scraps import scraps_beside
from bodydouble.renderers.puppet.compositing.seams import match_light
from bodydouble.renderers.puppet.compositing.softness import softened_puppet
from bodydouble.renderers.puppet.compositing.stored_plates import Plates
from bodydouble.renderers.puppet.drawing.drawing import Drawing, DrawnHand
from bodydouble.renderers.puppet.drawing.layered_puppet import LayeredPuppet
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.expression import INNER_LIPS
from bodydouble.renderers.puppet.motion.hand_sources import hand_transform

WRAP_STRENGTH = 0.22
"""How much of the surrounding light spills onto the character's rim."""
HAND_KEPT_MIN = 0.02
"""Share of the actor's hand below which it is not drawn."""
REMOVED_SOFT, REMOVED_SOFT_MIN_PIXELS = 1 / 240, 1.5
"""Standard deviation of the removed part's edge, in picture heights and at least in pixels."""
CARRIED_RIM = np.ones((5, 5), np.uint8)
"""By as much what is carried is removed farther out than it is drawn: nothing may stay beside the moved one."""
RIM_WIDTH, GLOW_SHRINK, GLOW_SIGMA = 1 / 120, 4, 2.0
"""Picture heights that light spills over the rim; the factor by which the blurred pictures are reduced for it, and the
standard deviation of the spilling light there."""
BLUR_EXTENT = 3
"""Standard deviations that a blur reaches: farther out it is under 1 %."""
AROUND_GONE = np.ones((9, 9), np.uint8)
"""Cells around what is removed in which the background is compared with the frame's, to be brought to its light."""
DESK_REACH, FOREARM_WIDTH, FOREARM_SOFT_PIXELS = 0.1, 0.9, 2.0
"""Heights of the puppet's box above a desk's edge from which a hand counts as lying on it; a forearm's thickness in
hand lengths, and the softness of its edge."""
BOX_PAD, BOX_PAD_MIN_PIXELS = 1 / 60, 8
"""Border of the box that is computed, in picture heights and at least in pixels, so that blurred edges end in it."""


@dataclass(frozen=True, kw_only=True)
class _FrameCrop:
    """One frame of the source, and the part of it that changes."""

    index: int
    image: Image  # (H, W, 3)
    matte: Matte  # (H, W)
    box: PixelBox  # what follows is cut to it
    plate: Image  # (h, w, 3) the background, in its own light
    things: Floats | None  # (h, w) 0-1 alpha of things in front of the person; None if there are none
    front: Matte | None  # (h, w) 0-255 people in front of the person; None without any

    def inside(self, box: PixelBox) -> tuple[PixelBox, tuple[slice, slice]] | None:
        """The part of ``box`` that is in this one, and where it is in what is cut to this one; None without overlap."""
        x0, y0, x1, y1 = self.box
        u0, v0, u1, v1 = max(box[0], x0), max(box[1], y0), min(box[2], x1), min(box[3], y1)
        return ((u0, v0, u1, v1), np.s_[v0 - y0 : v1 - y0, u0 - x0 : u1 - x0]) if u1 > u0 and v1 > v0 else None


@dataclass(frozen=True, kw_only=True)
class Composer:
    """Makes finished frames; keeps nothing between them, so any thread may make any frame."""

    puppet: LayeredPuppet
    motion: Motion
    plates: Plates
    bystanders: BystanderMasks
    light: Light
    mouth: MouthLight
    desks: dict[int, Desk]  # by shot
    softness: dict[int, float]  # by shot, px: standard deviation of the blur that the puppet needs
    actor_colours: ActorColours | None
    held: Held | None
    carried: Carried | None = None
    other_hands: OtherHands | None = None
    bars: Mask | None = None  # (H, W) black sides of the video
    captions: Captions | None = None
    passers: Floats | None = None  # (LEVELS ** 3,) from ``learn_passers``
    whole_hands: Mapping[tuple[int, int], KeptHand] = field(default_factory=dict)  # from ``gather_hands``

    def frame(self, index: int, image: Image, matte: Matte) -> Image:
        """Frame ``index`` with the person replaced; the source itself where nobody is there."""
        if not self.motion.present[index] or self.plates.shot_of(index) is None:
            return image
        height, width = image.shape[:2]
        body = self.motion.body[index]
        gone = removal_mask(matte, body, self.motion.visibility[index])
        drawing = self.puppet.draw(index, height, width)
        who = None if self.carried is None else Carrier.of(body, self.motion.hands[index])
        about = None if who is None else who.reach(height, width)
        place = self._passed_place(index, height, width)
        box = _union([_box_of(gone), drawing.bounds if drawing else None, about, place], width, height)
        if box is None:
            return image
        x0, y0, x1, y1 = box
        source, expected = image[y0:y1, x0:x1], self.bystanders.expected(index, height)
        everywhere = expected or about is not None or self.actor_colours is not None or self.held is not None
        needed = self._needed(index, gone, drawing, box, everywhere=everywhere)
        with_seen = self.plates.with_seen(index, box, needed)
        player = self.actor_colours
        things = None if player is None else player.ball_in_front(source, with_seen, matte[y0:y1, x0:x1], body, box)
        source = without_rim(source, things, gone[y0:y1, x0:x1], height)
        plate = np.asarray(cv2.cvtColor(with_seen, cv2.COLOR_RGBA2RGB), np.uint8)
        gone_here = with_left_over(gone[y0:y1, x0:x1], source, with_seen, body, box, image.shape)
        passer = None
        if place is not None and self.passers is not None:
            sight = self.bystanders.sight(index) - y0
            found = split(source, plate, matte[y0:y1, x0:x1], self.passers, body[:, :2] - [x0, y0], sight)
            passer, matte = found.passer, matte.copy()
            found.correct(matte[y0:y1, x0:x1], gone_here)
            gone[y0:y1, x0:x1] = gone_here
        carried: list[CarriedPiece] = []
        if self.carried is not None and who is not None and drawing is not None:
            carried = self.carried.find(source, with_seen, matte[y0:y1, x0:x1], who.seen_from(x0, y0), height)
            _add(gone_here, carried)
        lit = match_light(plate, source, _left(gone_here, needed))
        seen = np.asarray(cv2.extractChannel(with_seen, 3), np.uint8)
        others = self.bystanders.around(index, image, matte, gone, box, lit, passer, seen) if expected else None
        removed, things = self._removed(index, image, gone_here, box, things, others)
        if others is not None:
            carried = [piece for piece in carried if not piece.is_somebody(others[0])]
            source = without_fringe(source, matte[y0:y1, x0:x1], others[0], height)
        base = blended(source, lit, removed)
        if drawing is not None:
            front = None if others is None else others[1]
            shown = _FrameCrop(index=index, image=image, matte=matte, box=box, plate=plate, things=things, front=front)
            shade_ground(base, drawing, box, things)
            self._lay_puppet(shown, base, drawing)
            for piece in carried:
                self._lay_carried(shown, base, drawing, piece)
            for drawn in drawing.hands:
                if drawn.kept > HAND_KEPT_MIN:
                    self._lay_hand(shown, base, drawn)
                if self.held is not None and not drawn.behind:
                    self._lay_held(shown, base, drawn, self.held)
        result = image.copy()
        result[y0:y1, x0:x1] = base
        if self.captions is not None:
            self.captions.lay_over(index, image, result)
        return result

    def _passed_place(self, index: int, height: int, width: int) -> PixelBox | None:
        """Where the person is in frame ``index``, in sight or not, if somebody may be before them; else None."""
        if self.passers is None or not self.bystanders.may_pass(index, height):
            return None
        return place_of(self.motion.body[index], (height, width))

    def _removed(
        self,
        index: int,
        image: Image,
        gone: Matte,
        box: PixelBox,
        things: Floats | None,
        others: tuple[Matte, Matte] | None,
    ) -> tuple[Matte, Floats | None]:
        """(h, w) 0-255 how far the person is removed, and (h, w) 0-1 what is in front of the puppet, within ``box``.

        ``gone`` (h, w) is 255 where the person is, ``things`` what is known to be in front, and ``others`` are
        bystanders, as ``BystanderMasks.around`` finds them.
        """
        x0, y0, x1, y1 = box
        removed = softened(np.asarray(gone, np.uint8), max(REMOVED_SOFT_MIN_PIXELS, len(image) * REMOVED_SOFT))
        if things is not None:
            removed = _weighed(removed, 1 - things)
        if others is not None:
            removed = _weighed(removed, 1 - others[0] * np.float32(1 / 255))
            things = _joined(things, others[1] * np.float32(1 / 255))
        hands = self.other_hands.mask(index, image) if self.other_hands is not None else None
        if hands is not None:
            share = hands[y0:y1, x0:x1] * np.float32(1 / 255)
            removed, things = _weighed(removed, 1 - share), _joined(things, share)
        if self.bars is not None:
            things = _joined(things, self.bars[y0:y1, x0:x1].astype(np.float32))
            removed = _weighed(removed, 1 - things)
        return removed, things

    def _needed(
        self, index: int, gone: MatLike, drawing: Drawing | None, box: PixelBox, *, everywhere: bool
    ) -> list[PixelBox]:
        """Pieces of ``box``, relative to its corner, in which the background is needed to replace ``gone`` (H, W).

        Well behind the puppet it is not, unless something makes the puppet transparent.
        """
        height, (x0, y0, x1, y1) = len(gone), box
        here = gone[y0:y1, x0:x1]
        if everywhere:
            return pieces_of(np.ones((-(-(y1 - y0) // CELL), -(-(x1 - x0) // CELL)), np.bool_), x1 - x0, y1 - y0)
        wanted = cv2.dilate(cv2.threshold(reduced(here, CELL), 0, 255, cv2.THRESH_BINARY)[1], AROUND_GONE)
        desk = self.desks.get(int(self.motion.shot[index]))
        if drawing is not None and desk is None and self.bars is None and self.other_hands is None:
            cover = np.zeros(here.shape, np.uint8)
            u0, v0, u1, v1 = drawing.bounds
            cover[v0 - y0 : v1 - y0, u0 - x0 : u1 - x0] = drawing.alpha
            opaque = cv2.threshold(reduced(cover, CELL), 254, 255, cv2.THRESH_BINARY)[1]
            glow = BLUR_EXTENT * (GLOW_SHRINK * GLOW_SIGMA + max(1.0, height * RIM_WIDTH))
            side = 1 + 2 * math.ceil(glow / CELL)
            wanted = cv2.min(wanted, cv2.bitwise_not(cv2.erode(opaque, np.ones((side, side), np.uint8))))
        return pieces_of(np.asarray(wanted, np.uint8) > 0, x1 - x0, y1 - y0)

    def _lay_puppet(self, shown: _FrameCrop, base: Image, drawing: Drawing) -> None:
        """Draw the puppet, in the scene's light and behind the things in front of it, into ``base``, cut to the box."""
        index, image = shown.index, shown.image
        x0, y0 = drawing.bounds[:2]
        dx, dy = x0 - shown.box[0], y0 - shown.box[1]
        h, w = drawing.rgba.shape[:2]
        inside = np.s_[dy : dy + h, dx : dx + w]
        under = base[inside]
        shot = int(self.motion.shot[index])
        rgba, alpha = softened_puppet(drawing, self.softness.get(shot, 0.0))
        colour = relight(rgba, self.light, index)
        self._paint_face(index, colour, drawing, image)
        desk = self.desks.get(shot)
        if desk is not None:
            alpha = _weighed(alpha, self._before_desk(index, desk, drawing))
        if shown.front is not None:
            scraps = scraps_beside(alpha, shown.front[inside], shown.matte[y0 : y0 + h, x0 : x0 + w])
            if scraps is not None:
                alpha[scraps] = 0
        if shown.things is not None:
            alpha = _weighed(alpha, 1 - shown.things[inside])
        colour = _wrap_light(colour, under, alpha, image.shape[0])
        base[inside] = blended(under, colour, alpha)

    def _before_desk(self, index: int, desk: Desk, drawing: Drawing) -> Floats:
        """(h, w) or (h, 1) factor of the puppet's alpha: nothing below the desk's edge but forearms laid upon it.

        A hand that is seen below the edge is in front of the desk, and so is its forearm if that comes from above.
        """
        shown = desk.shown(drawing.bounds)
        x0, y0, x1, y1 = drawing.bounds
        for drawn in drawing.hands:
            elbow = self.motion.body[index, ELBOWS[drawn.side]]
            if (
                drawn.kept <= HAND_KEPT_MIN
                or elbow[1] > desk.line
                or drawn.wrist[1] < desk.line - DESK_REACH * (y1 - y0)
            ):
                continue
            mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
            ends = np.round(np.array([elbow, drawn.wrist]) - [x0, y0]).astype(np.int32)
            thick = max(3, round(FOREARM_WIDTH * float(np.hypot(*drawn.direction))))
            cv2.line(mask, ends[0].tolist(), ends[1].tolist(), 255, thick)
            arm = cv2.GaussianBlur(mask, (0, 0), FOREARM_SOFT_PIXELS).astype(np.float32) * np.float32(drawn.kept / 255)
            shown = np.asarray(np.maximum(shown, arm), np.float32)
        return shown

    def _lay_hand(self, shown: _FrameCrop, base: Image, drawn: DrawnHand) -> None:
        """The actor's own hand, recoloured; into ``base``."""
        points, elbow = self.motion.hands[shown.index, drawn.side], self.motion.body[shown.index, ELBOWS[drawn.side]]
        if not np.isfinite(points).all():
            return
        move, source = drawn.moved, int(self.motion.hand_source[shown.index, drawn.side])
        hand = self.whole_hands.get((source, drawn.side)) if source != shown.index else None
        if hand is not None:
            taken = hand_transform(self.motion.hands[source, drawn.side], points)
            move = move @ np.vstack([taken, [0, 0, 1]])
            hand = replace(hand, alpha=hand.alpha * np.float32(drawn.kept))
        else:
            colour = self.light.lit(lab_of_colour(self.puppet.character.body.hand_colours[drawn.side]))
            other = self.motion.hands[shown.index, 1 - drawn.side]
            hand = keep_hand(shown.image, shown.matte, points, elbow, self.light, colour, drawn.kept, other)
        if hand is not None:
            hand = moved_hand(hand, move, *shown.matte.shape)
        self._lay_moved(shown, base, hand, shown.things)

    def _lay_carried(self, shown: _FrameCrop, base: Image, drawing: Drawing, piece: CarriedPiece) -> None:
        """Draw what the actor carries into ``base``: the source's pixels, moved with the character's hands."""
        moves = [drawn.moved for drawn in drawing.hands if drawn.side in piece.hands]
        move = np.mean(moves, axis=0) if moves else np.eye(2, 3)
        left, top = shown.box[:2]
        x0, y0, x1, y1 = piece.box[0] + left, piece.box[1] + top, piece.box[2] + left, piece.box[3] + top
        kept = KeptHand(box=(x0, y0, x1, y1), colour=shown.image[y0:y1, x0:x1], alpha=piece.alpha)
        self._lay_moved(shown, base, moved_hand(kept, move, *shown.matte.shape), shown.things)

    def _lay_held(self, shown: _FrameCrop, base: Image, drawn: DrawnHand, held: Held) -> None:
        """Draw the thing that the actor's hand holds into ``base``: the source's pixels, moved with the hand."""
        weight = float(self.motion.hand_weight[shown.index, drawn.side])
        points = self.motion.hands[shown.index, drawn.side]
        around = hand_box(points, *shown.matte.shape) if weight > 0 else None
        cut = shown.inside(around) if around is not None else None
        if cut is None:
            return
        (x0, y0, x1, y1), there = cut
        source = shown.image[y0:y1, x0:x1]
        thing = held.find(source, shown.plate[there], shown.matte[y0:y1, x0:x1], points - [x0, y0])
        if thing is None:
            return
        moved = KeptHand(box=(x0, y0, x1, y1), colour=source, alpha=thing * np.float32(weight))
        self._lay_moved(shown, base, moved_hand(moved, drawn.moved, *shown.matte.shape), None)

    @staticmethod
    def _lay_moved(shown: _FrameCrop, base: Image, hand: KeptHand | None, things: Floats | None) -> None:
        """Draw a hand, or the thing that it holds, into ``base``, behind ``things``."""
        cut = shown.inside(hand.box) if hand is not None else None
        if hand is None or cut is None:
            return
        (x0, y0, x1, y1), there = cut
        own = np.s_[y0 - hand.box[1] : y1 - hand.box[1], x0 - hand.box[0] : x1 - hand.box[0]]
        alpha = hand.alpha[own] if things is None else hand.alpha[own] * (1 - things[there])
        base[there] = blended(base[there], hand.colour[own], _levels(alpha))

    def _paint_face(self, index: int, colour: Image, drawing: Drawing, image: Image) -> None:
        """Draw closed lids and the inside of the open mouth into ``colour``, the lit puppet."""
        if drawing.face is None or not self.motion.face_found[index]:
            return
        face = drawing.face - drawing.bounds[:2]
        paint_closed_lids(colour, face, self.motion.lids[index], drawing.face_cover)
        paint_inside(colour, image, self.motion.lips[index], face[list(INNER_LIPS)], self.mouth, drawing.face_cover)


def _joined(things: Floats | None, more: Floats) -> Floats:
    """(h, w) 0-1 of both."""
    return more if things is None else np.asarray(np.maximum(things, more), np.float32)


def _levels(share: NDArray[np.floating]) -> Matte:
    """0-1 to 0-255."""
    return (share * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _weighed(alpha: Matte, factor: Floats) -> Matte:
    """``alpha`` times ``factor``, 0-1, of a shape that fits."""
    return (alpha * factor + np.float32(0.5)).astype(np.uint8)


def _wrap_light(colour: Image, under: Image, alpha: Matte, height: int) -> Image:
    """Let the blurred surroundings spill over the character's rim."""
    h, w = alpha.shape
    if min(h, w) < GLOW_SHRINK:
        return colour
    # Both are blurred widely: reduced by a whole factor they show the same.
    bare = cv2.bitwise_not(reduced(alpha, GLOW_SHRINK))
    rim = cv2.GaussianBlur(bare, (0, 0), max(1.0, height * RIM_WIDTH) / GLOW_SHRINK)
    glow = cv2.GaussianBlur(reduced(under, GLOW_SHRINK), (0, 0), GLOW_SIGMA)
    rim, glow = (cv2.resize(x, (w, h), interpolation=cv2.INTER_LINEAR) for x in (rim, glow))
    strength = cv2.multiply(rim, alpha, scale=WRAP_STRENGTH / 255)
    return blended(colour, np.asarray(glow, np.uint8), np.asarray(strength, np.uint8))


def _box_of(mask: Matte) -> PixelBox | None:
    x, y, w, h = cv2.boundingRect(mask)
    return (x, y, x + w, y + h) if w else None


def _add(gone: Matte, pieces: Sequence[CarriedPiece]) -> None:
    """Add carried ``pieces`` and their blurred rims to the mask ``gone`` (h, w), 0 or 255, in place."""
    for piece in pieces:
        x0, y0, x1, y1 = piece.box
        part, whole = gone[y0:y1, x0:x1], (piece.alpha > 0).view(np.uint8) * np.uint8(255)
        cv2.max(part, cv2.dilate(whole, CARRIED_RIM), dst=part)


def _left(gone: Matte, needed: list[PixelBox]) -> Matte:
    """(h, w) 0 or 255: what of the boxes ``needed`` is not ``gone`` (h, w)."""
    left = np.zeros_like(gone)
    for u0, v0, u1, v1 in needed:
        cv2.bitwise_not(gone[v0:v1, u0:u1], dst=left[v0:v1, u0:u1])
    return left


def _union(boxes: Sequence[PixelBox | None], width: int, height: int) -> PixelBox | None:
    """The box around all of ``boxes``, widened so that blurred edges end within it."""
    known = [box for box in boxes if box is not None]
    if not known:
        return None
    pad = max(BOX_PAD_MIN_PIXELS, int(height * BOX_PAD))
    x0, y0 = max(0, min(k[0] for k in known) - pad), max(0, min(k[1] for k in known) - pad)
    x1, y1 = min(width, max(k[2] for k in known) + pad), min(height, max(k[3] for k in known) + pad)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
