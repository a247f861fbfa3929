"""Things held in a hand: a coin, a cup, a telephone. They stay in front of the character as the source shows them.

The landmarks give the hand's place. A held thing is between or beside the fingers, and its pixels are neither skin nor
background, nor a blend of both, nor the person's clothes. Its colours are seen there repeatedly; those of a chance
shadow are not.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, MaskImage, Matte, PixelBox
from bodydouble.perception.landmark_indices import BodyPoint, HandPoint
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.colours import LEVELS, Colours, colour_codes, counted, with_neighbours
from bodydouble.renderers.puppet.compositing.hand_shape import palm_mask
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.compositing.stored_plates import Plates
from bodydouble.renderers.puppet.painting import LINE_END_MAX, hull_mask

Points = NDArray[np.floating]

REACH = 1.25
"""Hand lengths (wrist to middle knuckle) around the hull of a hand's landmarks in which a held thing is searched."""
SKIN_SHADES = (0.4, 0.6, 0.8, 1.0, 1.2)
"""Skin in a fist's shadows and in its highlights, over the palm's own brightness."""
BLUR_ERROR = 20.0
"""Distance in RGB (0-255) from every blend of skin and background at which a pixel is neither."""
MATTE_MIN = 100
"""Matte level (0-255) above which a pixel may be the hand's or its thing's. Chosen by eye on the development clips."""
SIZE_MIN = 0.2
"""Square root of a thing's smallest area, in hand lengths. Smaller ones are nails, rings and gaps between fingers."""
HAND_LENGTH_MIN = 6.0
"""Length of a hand in pixels below which its landmarks are too inaccurate."""
BOX_SIDE_MIN = 4
"""Shortest side in pixels of the part of the frame that is looked at. Chosen by eye on the development clips."""
TINY = 1e-6
"""Lengths in pixels below it count as zero."""
SQUARED_DIFFERENCE_MIN = 1e-3
"""Smallest divisor, a squared difference in levels between skin and background: equal ones have one blend."""
WRISTS = (BodyPoint.LEFT_WRIST, BodyPoint.RIGHT_WRIST)
KNUCKLES = (
    (BodyPoint.LEFT_INDEX, BodyPoint.LEFT_PINKY),
    (BodyPoint.RIGHT_INDEX, BodyPoint.RIGHT_PINKY),
)
LOST_BEYOND, LOST_RADIUS = 1.3, 1.3
"""Area around a hand that does not show the person's own colours, if its fingers are not seen. Centre, on the line from
the body's wrist to its knuckles, and radius in lengths of that line."""
CLOTHES_SHARE_MIN, CLOTHES_OFTEN_MIN = 0.001, 0.25
"""A colour is the person's own if it covers this share of the person without hands, in this share of the samples."""
HULL_REACH = 0.5
"""Distance from the hull of a certain part in which the rest of the thing is searched, in roots of the hull's area."""
FINGER_REACH = 0.25
"""Largest distance between the fingers and a held thing, in hand lengths."""
WRIST_OUT = 0.15
"""Share of the hand's length next to the wrist that is not searched, because cuffs are there."""
SOLID_SIZE = 0.12
"""Hand lengths: pores up to this size are closed, shreds up to it are dropped."""
SOFT_PIXELS = 0.8
"""Standard deviation of a held thing's edge in pixels."""
PALM_PIXELS_MIN = 12
"""Number of pixels of a palm from which its colour is known."""
SURE_MATTE = 200
"""Matte level (0-255) from which a pixel is surely the person's."""
SIGHTINGS_MIN = 3
"""Smallest number of hands in which a held thing's colours are seen. Chosen by eye on the development clips."""
OFTEN_MIN = 0.15
"""Smallest share of the examined hands in which a held thing's colours are seen."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """Colours of the held thing, ``colours`` (LEVELS ** 3,), and of the ``clothes`` (LEVELS ** 3,)."""

    colours: Colours
    clothes: Colours

    def find(self, image: Image, plate: Image, matte: Matte, points: Points) -> Floats | None:
        """(h, w) 0-1 of what the hand with landmarks ``points`` (21, 2) px holds in a crop; None where nothing."""
        codes = colour_codes(image)
        like = _foreign(image, plate, matte, points, self.colours.take(codes))
        if like is None:
            return None
        piece = _held_piece(like & ~self.clothes.take(codes), points)
        if piece is None:
            return None
        # Where its colours are the person's too it is known by lying about the rest of it.
        piece = _solid(like & _about(piece), _hand_length(points)) | piece
        return np.asarray(cv2.GaussianBlur(piece.astype(np.float32), (0, 0), SOFT_PIXELS), np.float32)


def hand_box(points: Points, height: int, width: int) -> PixelBox | None:
    """The part of the frame in which a hand's thing is looked for; None where the hand is outside or too small."""
    length = _hand_length(points)
    if not np.isfinite(points).all() or length < HAND_LENGTH_MIN:
        return None
    low = np.clip(np.floor(points.min(0) - REACH * length), 0, [width, height]).astype(int)
    high = np.clip(np.ceil(points.max(0) + REACH * length), 0, [width, height]).astype(int)
    if (high - low).min() < BOX_SIDE_MIN:
        return None
    return (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _hand_length(points: Points) -> float:
    """Pixels from the wrist to the middle knuckle."""
    return float(np.hypot(*(points[HandPoint.MIDDLE_MCP] - points[HandPoint.WRIST])))


def _hand_zone(points: Points, shape: tuple[int, ...]) -> MaskImage:
    """(h, w) 0 or 1: about fingers and palm, without the wrist, where cuffs are."""
    length = _hand_length(points)
    mask = np.zeros(shape[:2], np.uint8)
    hull = cv2.convexHull(np.round(points).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    cv2.polylines(mask, [hull], True, 1, max(1, round(2 * REACH * length)))
    along = (points[HandPoint.MIDDLE_MCP] - points[HandPoint.WRIST]) / max(length, TINY)
    xs = (np.arange(shape[1]) - points[0, 0]) * along[0]
    ys = (np.arange(shape[0]) - points[0, 1]) * along[1]
    mask[xs[None, :] + ys[:, None] < WRIST_OUT * length] = 0
    return mask


def learn_held(samples: list[SampleFrame], plates: Plates, track: PersonTrack) -> Held | None:
    """The thing that is held in many of the ``samples``; None if there is none."""
    clothes = _own_colours(samples, track)
    votes, hands = np.zeros(LEVELS**3, np.int64), 0
    for sample in samples:
        height, width = sample.matte.shape
        for side in range(2):
            points = track.hands[sample.index, side, :, :2].astype(np.float64)
            box = hand_box(points, height, width) if track.hand_found[sample.index, side] else None
            if box is None:
                continue
            hands += 1
            x0, y0, x1, y1 = box
            here, local = np.s_[y0:y1, x0:x1], points - [x0, y0]
            image = sample.image[here]
            codes, plate = colour_codes(image), plates.at(sample.index, box)
            foreign = _foreign(image, plate, sample.matte[here], local, ~clothes.take(codes))
            piece = None if foreign is None else _held_piece(foreign, local)
            if piece is not None:
                seen = np.zeros(LEVELS**3, np.bool_)
                seen[codes[piece > 0]] = True
                votes += with_neighbours(seen)
    often = votes >= max(SIGHTINGS_MIN, OFTEN_MIN * hands)
    return Held(colours=often, clothes=clothes) if often.any() else None


def _own_colours(samples: list[SampleFrame], track: PersonTrack) -> Colours:
    """The person's own colours, without their hands: the colours of a thing that is always held are not their own."""
    often = np.zeros(LEVELS**3, np.int64)
    for sample in samples:
        person = (sample.matte > SURE_MATTE).astype(np.uint8)
        for side in range(2):
            points = track.hands[sample.index, side, :, :2].astype(np.float64)
            if track.hand_found[sample.index, side] and np.isfinite(points).all():
                person[_hand_zone(points, person.shape) > 0] = 0
            _without_lost_hand(person, track.body[sample.index, :, :2].astype(np.float64), side)
        codes = colour_codes(sample.image[::2, ::2][person[::2, ::2] > 0])
        often += counted(codes) > CLOTHES_SHARE_MIN * max(len(codes), 1)
    return often >= CLOTHES_OFTEN_MIN * len(samples)


def _without_lost_hand(person: MaskImage, body: Points, side: int) -> None:
    """Clear ``person`` (h, w), in place, about the hand of the ``body`` (33, 2), whether or not its fingers are seen.

    A cup hides the fingers that hold it.
    """
    wrist, knuckles = body[WRISTS[side]], body[list(KNUCKLES[side])].mean(0)
    length = float(np.hypot(*(knuckles - wrist)))
    if not np.isfinite(length) or max(np.abs(wrist).max(), length) > LINE_END_MAX:
        return
    centre = np.round(wrist + LOST_BEYOND * (knuckles - wrist)).astype(int)
    cv2.circle(person, centre.tolist(), max(1, round(LOST_RADIUS * length)), 0, -1)


def _foreign(image: Image, plate: Image, matte: Matte, points: Points, among: NDArray[np.bool_]) -> MaskImage | None:
    """(h, w) 0 or 1: which pixels ``among`` those about a hand are neither its skin nor background.

    None where no palm is seen, or too few pixels are looked at for anything to be held.
    """
    own = image[(palm_mask(points, matte.shape) > 0) & (matte > MATTE_MIN)]
    if len(own) < PALM_PIXELS_MIN:
        return None
    zone = (_hand_zone(points, matte.shape) > 0) & (matte > MATTE_MIN) & among
    if np.count_nonzero(zone) < 0.5 * (SIZE_MIN * _hand_length(points)) ** 2:
        return None
    result = np.zeros(matte.shape, np.uint8)
    result[zone] = ~skin_blends(image[zone], plate[zone], own)
    return result


def skin_blends(pixels: Image, behind: Image, hand: Image) -> NDArray[np.bool_]:
    """(N,) which of ``pixels`` (N, 3) are skin, in light or shade, or skin blended with what is ``behind`` (N, 3).

    ``hand`` (M, 3) are pixels of the hand: their median is its skin.
    """
    front, back = pixels.astype(np.float32), behind.astype(np.float32)
    away = np.full(len(front), np.inf, np.float32)
    skin = np.median(hand, axis=0).astype(np.float32)
    for shade in SKIN_SHADES:
        line = np.minimum(skin * np.float32(shade), 255) - back
        share = ((front - back) * line).sum(1) / np.maximum((line * line).sum(1), SQUARED_DIFFERENCE_MIN)
        nearest = back + np.clip(share, 0, 1)[:, None] * line
        away = np.minimum(away, np.linalg.norm(front - nearest, axis=1))
    return np.asarray(away <= BLUR_ERROR, np.bool_)


def _solid(mask: MaskImage, length: float) -> MaskImage:
    """``mask`` (h, w) 0 or 1 with its pores closed and its shreds gone, for a hand of ``length`` px."""
    k = max(3, round(SOLID_SIZE * length)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel), np.uint8)


def _about(piece: MaskImage) -> MaskImage:
    """(h, w) 0 or 1: the hull of ``piece``, wider by a part of its size."""
    outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(np.concatenate(list(outlines)))
    around = cv2.fillConvexPoly(np.zeros_like(piece), hull, 1)
    reach = round(HULL_REACH * float(np.sqrt(cv2.contourArea(hull)))) * 2 + 1
    return np.asarray(cv2.dilate(around, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))), np.uint8)


def _held_piece(candidate: MaskImage, points: Points) -> MaskImage | None:
    """The largest piece (h, w) 0 or 1 of ``candidate``, whole; None where none is large enough and at the fingers."""
    length = _hand_length(points)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(_solid(candidate, length))
    if count < 2:
        return None
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[best, cv2.CC_STAT_AREA] < (SIZE_MIN * length) ** 2:
        return None
    piece = np.asarray(labels == best, np.uint8)
    fingers = hull_mask(points, candidate.shape)
    reach = 2 * max(1, round(FINGER_REACH * length)) + 1
    near = cv2.dilate(fingers, np.ones((reach, reach), np.uint8))
    return piece if near[piece > 0].any() else None
