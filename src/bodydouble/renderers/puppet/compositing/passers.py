"""Somebody who passes before the removed person, and what of the person is seen beside them, told by colours.

Landmarks and mattes err where somebody hides half of the person: they take the passer's trunk for the person's, and
leave out legs that are seen beside the passer. What is before the background there is one of both. Whatever has colours
that the person lacks in the frames in which nothing hides them is the passer's, and so is what is below it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Matte, PixelBox
from bodydouble.perception.landmark_indices import KNEES, BodyPoint
from bodydouble.perception.people import HEAD_POINTS
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.trunk import HIPS, SHOULDERS
from bodydouble.renderers.puppet.compositing.colours import LEVELS, colour_codes, counted
from bodydouble.renderers.puppet.compositing.reduction import largest_channel
from bodydouble.renderers.puppet.compositing.removal import shoulder_width
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.compositing.stored_plates import Plates
from bodydouble.renderers.puppet.discs import disc, distance_to
from bodydouble.renderers.puppet.painting import drawable_pixel

ANKLES = (BodyPoint.LEFT_ANKLE, BodyPoint.RIGHT_ANKLE)
SAMPLES_MIN = 3
"""Samples with, and as many without a passer, from which both are known."""
SURE_MATTE = 200
"""Level (0-255) of the matte from which a pixel's colour is the person's, and none of its rim's."""
RARE, RATIO_MAX = 0.002, 3.0
"""Share that is added to that of each colour: rarer ones say nothing. The largest logarithm."""
SHARED = 0.7
"""By as much a colour has to be a passer's rather: of what is learned as theirs, some is the person's legs."""
LEGS_WIDTH, SIDE_MIN, PIXELS_MIN = 1.0, 8, 60
"""Shoulder widths at either side of the hips in which passers are learned; the least side in pixels of that part, and
pixels of somebody in a sample."""
LEGS_SEEN_MIN = 0.5
"""Visibility of a knee from which nobody is before the person's legs."""
UNLIKE_MIN, UNLIKE_BLUR = 22, (3, 3)
"""Levels (0-255) of the largest channel's difference to the plate, blurred over such a square, from which a pixel is
before the background. Chosen by eye on a shop's camera."""
MIXED = 0.15
"""Shoulder widths about a pixel in which the more usual kind of colour decides: folds and hair hold some of both."""
AREA_MIN = 0.25
"""Squared shoulder widths that a passer has at least: smaller pieces are things, or mistakes of the plate."""
HEAD, LOW_MARGIN = 0.4, 0.1
"""Shoulder widths about the middle of the person's head that are nobody else's: skin has one colour. By so many a
passer may end above the lowest landmark in sight."""
GAP = np.ones((9, 9), np.uint8)
"""Pixels: smaller gaps in what is before the background are before it too, as clothes have its colours in places."""
STRAND = np.ones((3, 3), np.uint8)
"""Pixels: thinner pieces are nobody."""
UNDER = 0.2
"""Shoulder widths inside the sides of a passer's trunk from which nobody else's legs are seen below it."""
LINE_REACH = 0.35
"""Shoulder widths about the lines of trunk and legs in sight in which what is seen may be the person's."""
HOLES = 0.12
"""Shoulder widths: radius of the gaps in a passer that are closed."""
REACH = 0.6
"""Shoulder widths beside shoulders and hips in which what is seen of the person's legs is."""
ARM_REACH, OWN_MAX = 2.2, -1.5
"""Shoulder widths about the matte in which what touches it in the person's very colours is their arm, and the
logarithm below which a colour is one."""
LEGS_LENGTH = 2.2
"""Trunk lengths from the hips down to the feet, seen from somewhat above."""
PERSON_RIM = np.ones((7, 7), np.uint8)
"""By as much what is seen of the person is removed farther out: its rim is blended with the background."""
PERSON = 110
"""Level (0-255) of the matte from which a pixel is the person's."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Who is seen in a crop of a frame: (h, w) 0 or 255 each."""

    passer: Matte | None  # somebody in front of the person
    person: Matte  # what is seen of the person, also where the matte misses it

    def correct(self, matte: Matte, gone: Matte) -> None:
        """In place: take the passer out of the person's ``matte`` (h, w) and what is ``gone``; add the person."""
        cv2.max(matte, self.person, dst=matte)
        cv2.max(gone, cv2.dilate(self.person, PERSON_RIM), dst=gone)
        if self.passer is not None:
            matte[self.passer > 0] = gone[self.passer > 0] = 0


def learn_passers(
    samples: list[SampleFrame], plates: Plates, track: PersonTrack, hidden: NDArray[np.bool_]
) -> Floats | None:
    """(LEVELS ** 3,) how much rather a colour is a passer's than the person's, as a logarithm; None if nobody passes.

    ``hidden`` (F,) are the frames in which somebody is before the person's legs. Passers are what is before the
    background below the landmarks in sight then; ``samples`` in which a knee is seen show the person.
    """
    if sum(bool(hidden[sample.index]) for sample in samples) < SAMPLES_MIN:
        return None  # in most shots: nothing is counted there
    person, passers, seen = np.zeros(LEVELS**3), np.zeros(LEVELS**3), [0, 0]
    for sample in samples:
        if hidden[sample.index]:
            body, sight = track.body[sample.index, :, :2].astype(np.float64), float(track.box[sample.index, 3])
            box = _about_legs(body, sight, *sample.matte.shape)
            if box is None:
                continue
            x0, y0, x1, y1 = box
            here = np.ascontiguousarray(sample.image[y0:y1, x0:x1])
            plate = np.ascontiguousarray(plates.with_seen(sample.index, box)[..., :3])
            codes, counts = colour_codes(here)[_before(here, plate) > 0], passers
        elif track.visibility[sample.index, KNEES].max() > LEGS_SEEN_MIN:
            codes, counts = colour_codes(sample.image)[sample.matte > SURE_MATTE], person
        else:
            continue
        if len(codes) >= PIXELS_MIN:
            counts += counted(codes) / len(codes)
            seen[counts is person] += 1
    if min(seen) < SAMPLES_MIN:
        return None
    ratio = np.log((passers / seen[0] + RARE) / (person / seen[1] + RARE)) - SHARED
    return np.asarray(np.clip(ratio, -RATIO_MAX, RATIO_MAX), np.float32)


def _about_legs(body: NDArray[np.floating], sight: float, height: int, width: int) -> PixelBox | None:
    """The part of a frame below the landmarks in sight, which end at row ``sight``, where the legs would be."""
    hips, reach = body[HIPS].mean(0), LEGS_WIDTH * shoulder_width(body)
    x0, x1 = max(0, round(float(hips[0] - reach))), min(width, round(float(hips[0] + reach)))
    y0 = max(0, round(sight))
    return (x0, y0, x1, height) if min(x1 - x0, height - y0) >= SIDE_MIN else None


def place_of(body: NDArray[np.floating], shape: tuple[int, ...]) -> PixelBox | None:
    """The box of trunk and limbs of ``body`` (33, 2 or 3) in a frame of ``shape`` (H, W), in sight or not."""
    shoulders, hips = body[SHOULDERS, :2].mean(0), body[HIPS, :2].mean(0)
    reach = (0.5 + ARM_REACH) * shoulder_width(body[:, :2])
    ends = np.stack([shoulders, hips + LEGS_LENGTH * (hips - shoulders)])
    limit = np.array(shape[1::-1])
    low, high = (np.clip(x, 0, limit).astype(int).tolist() for x in (ends.min(0) - reach, ends.max(0) + reach))
    return (low[0], low[1], high[0], high[1]) if high[0] > low[0] and high[1] > low[1] else None


def _before(image: Image, plate: Image) -> MatLike:
    """(h, w) 0 or 255: where ``image`` is not the background ``plate``, both (h, w, 3)."""
    difference = largest_channel(cv2.blur(cv2.absdiff(image, plate), UNLIKE_BLUR))
    return cv2.threshold(difference, UNLIKE_MIN, 255, cv2.THRESH_BINARY)[1]


def split(image: Image, plate: Image, matte: Matte, ratio: Floats, body: NDArray[np.floating], sight: float) -> Split:
    """Who is who in a crop of a frame.

    ``image`` and the background ``plate`` are (h, w, 3), ``matte`` is (h, w), ``ratio`` is as from ``learn_passers``.
    ``body`` (33, 2) are landmarks in pixels of the crop; those in sight end at row ``sight``.
    """
    unit, codes, before = shoulder_width(body), colour_codes(image), _before(image, plate)
    thick = cv2.morphologyEx(before, cv2.MORPH_CLOSE, GAP)
    side = 2 * max(1, round(MIXED * unit)) + 1
    leaning = np.where(before > 0, ratio.take(codes), np.float32(0))
    usual = np.asarray(cv2.threshold(cv2.blur(leaning, (side, side)), 0, 255, cv2.THRESH_BINARY)[1], np.uint8)
    mine, own = cv2.subtract(before, usual), ((ratio < OWN_MAX) * np.uint8(255)).take(codes)
    cv2.circle(usual, drawable_pixel(body[HEAD_POINTS].mean(0)), max(1, round(HEAD * unit)), 0, -1)
    sure = cv2.threshold(matte, PERSON, 255, cv2.THRESH_BINARY)[1]
    # In sight, landmarks and matte know the person.
    free = cv2.subtract(thick, cv2.morphologyEx(own, cv2.MORPH_OPEN, STRAND))
    known = np.s_[: max(0, round(sight))]
    free[known] = cv2.subtract(free[known], sure[known])
    low = min(sight, len(image)) - LOW_MARGIN * unit
    under = thick.copy()
    under[known] = cv2.subtract(under[known], _by_landmarks(body, unit, thick.shape)[known])
    passer = _reaching(cv2.min(before, usual), free, under, round(UNDER * unit), AREA_MIN * unit * unit, low)
    if passer is not None:
        passer = cv2.min(_filled(cv2.morphologyEx(passer, cv2.MORPH_CLOSE, disc(HOLES * unit, 1))), thick)
    arms = cv2.min(_about(sure, ARM_REACH * unit), own)
    person = cv2.min(cv2.min(cv2.max(mine, sure), cv2.max(_place(body, unit, sure), arms)), thick)
    if passer is not None:
        person = cv2.subtract(person, passer)
    return Split(
        passer=None if passer is None else np.asarray(passer, np.uint8), person=_touching(np.asarray(person), matte)
    )


def _reaching(mask: MatLike, free: MatLike, under: MatLike, side: int, area: float, row: float) -> MatLike | None:
    """The pieces of ``mask``, 0 or 255, with what is ``free`` below them, that reach ``row``; None without one.

    A piece has at least ``area`` pixels. What is below a passer's trunk are the legs. More than ``side`` px from its
    sides that is all of what is ``under`` it, in the person's colours too.
    """
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, STRAND)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    large = stats[:, cv2.CC_STAT_AREA] >= area
    large[0] = False
    if not large.any():
        return None
    mask = large[:count].take(np.asarray(labels, np.int32)) * np.uint8(255)
    inner = cv2.erode(mask, np.ones((1, 2 * side + 1), np.uint8))
    below, right_below = (np.maximum.accumulate(x, axis=0) for x in (mask, inner))
    mask = cv2.max(mask, cv2.max(cv2.min(below, free), cv2.min(right_below, under)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    low = stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT] >= row
    low[0] = False
    return low[:count].take(np.asarray(labels, np.int32)) * np.uint8(255) if low.any() else None


def _filled(mask: MatLike) -> MatLike:
    """``mask``, 0 or 255, without holes."""
    outlines, _ = cv2.findContours(np.asarray(mask, np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(mask), outlines, -1, 255, -1)


def _place(body: NDArray[np.floating], unit: float, sure: MatLike) -> Matte:
    """(h, w) 0 or 255: where the person is: about the mask ``sure`` (h, w), and about trunk and legs of ``body``."""
    place = np.zeros(sure.shape[:2], np.uint8)
    shoulders, hips = body[SHOULDERS].mean(0), body[HIPS].mean(0)
    down = hips + LEGS_LENGTH * (hips - shoulders)
    ends = np.array([drawable_pixel(point) for point in (shoulders, hips, down)], np.int32)
    cv2.polylines(place, [ends], False, 255, max(1, round((1 + 2 * REACH) * unit)))
    return np.asarray(cv2.max(place, _about(sure, REACH * unit)), np.uint8)


def _about(mask: MatLike, radius: float) -> Matte:
    """(h, w) 0 or 255: what is up to ``radius`` px from the ``mask``, 0 or 255. Laying wide discs takes far longer."""
    return (distance_to(mask > 0) <= radius).view(np.uint8) * np.uint8(255)


def _by_landmarks(body: NDArray[np.floating], unit: float, shape: tuple[int, ...]) -> Matte:
    """(h, w) of ``shape``, 0 or 255: where trunk and legs of ``body`` (33, 2) are by its landmarks."""
    place, thick = np.zeros(shape[:2], np.uint8), max(1, round(2 * LINE_REACH * unit))
    chains = [
        [drawable_pixel(body[joint]) for joint in chain] for chain in zip(SHOULDERS, HIPS, KNEES, ANKLES, strict=True)
    ]
    for chain in chains:
        cv2.polylines(place, [np.array(chain, np.int32)], False, 255, thick)
    (left_shoulder, left_hip, *_), (right_shoulder, right_hip, *_) = chains
    cv2.fillPoly(place, [np.array([left_shoulder, right_shoulder, right_hip, left_hip], np.int32)], 255)
    return place


def _touching(seen: MatLike, matte: Matte) -> Matte:
    """(h, w) 0 or 255: the pieces of the mask ``seen`` that touch the ``matte`` (h, w)."""
    _, labels = cv2.connectedComponents(cv2.morphologyEx(seen, cv2.MORPH_OPEN, STRAND))
    label = np.asarray(labels, np.int32)
    kept = np.zeros(int(label.max()) + 1, np.bool_)
    kept[label[matte > PERSON]] = True
    kept[0] = False
    return kept.take(label) * np.uint8(255)
