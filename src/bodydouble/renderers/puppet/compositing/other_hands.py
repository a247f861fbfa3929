"""Hands of somebody whom the frame's edge cuts off, in front of the removed person: they stay, with what they hold.

The mattes count such a hand as the removed person's. Its surroundings are told from the person by their colours
(Rother, Kolmogorov and Blake, "GrabCut", SIGGRAPH 2004).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask, MaskImage, Matte
from bodydouble.perception.landmark_indices import HandPoint
from bodydouble.perception.matte import LIMBS, TRUNK
from bodydouble.perception.other_hands import OtherHandFinder
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.samples import SampleFrame

Points = NDArray[np.float64]

LOOKS, OFTEN_MIN = 6, 0.5
"""Sampled frames in which such a hand is looked for, and the share of them from which it is looked for in every one."""
WORK_LENGTH = 20
"""Pixels of a hand's length in the picture in which it is told from the person."""
REACH, NEAR = 3.2, 1.6
"""Hand lengths around the hand that are looked at, and that begin as a part of it."""
GRIP_RISE, GRIP_WIDTH = 0.5, 0.95
"""Hand lengths by which a held thing rises beside the thumb, and its width: of a cup."""
THING_WIDTH, SEED_WIDTH = 2.0, 0.5
"""Width in hand lengths of the strip in which a held thing is completed, and of its middle, from where it is."""
STEP_MAX = 8
"""Levels (0-255) in each channel from pixel to pixel up to which a surface goes on: a lid has shade. From 5 to 14 the
cups of a development clip come out the same."""
SLEEVE_WIDTH, BONE_WIDTH = 1.2, 0.4
"""Hand lengths: thickness of a forearm's surroundings that begin as a part of it, and of what certainly is one."""
PERSON_WIDTH = 0.5
"""Hand lengths: thickness of the removed person's limbs that certainly are theirs."""
PERSON_BONES = [(start, stop) for start, stop, _ in (*LIMBS, *TRUNK) if not start.name.endswith(("KNEE", "ANKLE"))]
"""Without shins and feet: where somebody is in front they are guessed."""
ROUNDS, MODEL_NUMBERS = 3, 65
"""Rounds of colour models and cuts, and OpenCV's count of a model's numbers."""
SOFT_SIGMA = 1.5
"""Pixels: standard deviation of the mask's edge."""
GRIP = [
    HandPoint.THUMB_MCP,
    HandPoint.THUMB_TIP,
    HandPoint.INDEX_MCP,
    HandPoint.INDEX_TIP,
    HandPoint.MIDDLE_TIP,
    HandPoint.RING_TIP,
]
"""Points about what a hand holds."""


class OtherHands:
    """Finds other people's hands in front of the removed person. Safe to call from several threads."""

    def __init__(self, pack: ModelPack, track: PersonTrack) -> None:
        self._track, self._finder = track, OtherHandFinder(pack, track)

    def are_expected(self, samples: list[SampleFrame]) -> bool:
        """Whether such hands are in most of a few of the ``samples``."""
        looks = [samples[k] for k in np.unique(np.linspace(0, len(samples) - 1, LOOKS).astype(int))] if samples else []
        return bool(looks) and float(np.mean([len(self._finder.find(s.index, s.image)) > 0 for s in looks])) > OFTEN_MIN

    def mask(self, index: int, image: Image) -> Matte | None:
        """(H, W) 0-255, soft: hands, forearms and what they hold in frame ``index``; None where there are none."""
        result: Matte | None = None
        for hand in self._finder.find(index, image):
            result = np.zeros(image.shape[:2], np.uint8) if result is None else result
            self._add(result, index, image, hand)
        return None if result is None else np.asarray(cv2.GaussianBlur(result, (0, 0), SOFT_SIGMA), np.uint8)

    def _add(self, result: Matte, index: int, image: Image, hand: Points) -> None:
        """Add a ``hand`` (21, 2) and its surroundings to the mask ``result`` (H, W), in place."""
        height, width = result.shape
        length = float(np.hypot(*(hand[HandPoint.MIDDLE_MCP] - hand[HandPoint.WRIST])))
        centre = hand.mean(0)
        x0, y0 = np.clip(np.floor(centre - REACH * length), 0, [width, height]).astype(int).tolist()
        x1, y1 = np.clip(np.ceil(centre + REACH * length), 0, [width, height]).astype(int).tolist()
        zoom = WORK_LENGTH / length
        size = max(1, round((x1 - x0) * zoom)), max(1, round((y1 - y0) * zoom))
        small = np.asarray(cv2.resize(image[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA), np.uint8)
        scale = np.array(size) / [x1 - x0, y1 - y0]
        body = (self._track.body[index, :, :2].astype(np.float64) - [x0, y0]) * scale
        own = [(points[:, :2].astype(np.float64) - [x0, y0]) * scale for points in self._track.hands[index]]
        piece = told_apart(small, (hand - [x0, y0]) * scale, body, own)
        large = cv2.resize(piece.astype(np.uint8) * np.uint8(255), (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
        result[y0:y1, x0:x1] = cv2.max(result[y0:y1, x0:x1], large)


def told_apart(image: Image, hand: Points, body: Points, own: list[Points]) -> Mask:
    """(h, w) what of ``image`` (h, w, 3) belongs to the ``hand`` (21, 2), whose length is ``WORK_LENGTH`` pixels.

    ``body`` (33, 2) and the hands ``own`` (21, 2) are the removed person's; NaN where they are not seen.
    """
    mask = np.full(image.shape[:2], cv2.GC_PR_BGD, np.uint8)
    wrist, along = hand[HandPoint.WRIST], hand[HandPoint.WRIST] - hand[HandPoint.MIDDLE_MCP]
    elbow = wrist + 2 * REACH * along
    cv2.circle(mask, _pixel(hand.mean(0)), round(NEAR * WORK_LENGTH), cv2.GC_PR_FGD, -1)
    cv2.line(mask, _pixel(wrist), _pixel(elbow), cv2.GC_PR_FGD, round(SLEEVE_WIDTH * WORK_LENGTH))
    for start, stop in PERSON_BONES:
        if np.isfinite(body[[start, stop]]).all():
            cv2.line(mask, _pixel(body[start]), _pixel(body[stop]), cv2.GC_BGD, round(PERSON_WIDTH * WORK_LENGTH))
    for points in own:
        if np.isfinite(points).all():
            cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), cv2.GC_BGD)
    up = hand[HandPoint.INDEX_MCP] - hand[HandPoint.PINKY_MCP]
    up = up / max(float(np.hypot(*up)), 1.0)
    grip = hand[GRIP].mean(0)
    rise = grip + GRIP_RISE * WORK_LENGTH * up
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(hand).astype(np.int32)), cv2.GC_FGD)
    cv2.line(mask, _pixel(wrist), _pixel(elbow), cv2.GC_FGD, round(BONE_WIDTH * WORK_LENGTH))
    cv2.line(mask, _pixel(grip), _pixel(rise), cv2.GC_FGD, round(GRIP_WIDTH * WORK_LENGTH))
    if ((mask == cv2.GC_BGD) | (mask == cv2.GC_PR_BGD)).any():
        cv2.setRNGSeed(0)  # the colour models begin with a random guess
        models = np.zeros((2, 1, MODEL_NUMBERS))
        cv2.grabCut(image, mask, (0, 0, 1, 1), models[0], models[1], ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    found = cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    whole = np.asarray(found, np.uint8)
    whole |= rest_of_thing(image, whole, grip, rise, own)
    labels = np.asarray(cv2.connectedComponents(whole)[1], np.int32)
    column, row = np.clip(np.round(hand.mean(0)), 0, [image.shape[1] - 1, image.shape[0] - 1]).astype(int)
    return (labels == labels[row, column]) & (whole > 0)


def rest_of_thing(image: Image, found: MaskImage, grip: Points, rise: Points, own: list[Points]) -> MaskImage:
    """(h, w) 0 or 1: even surfaces that begin in the held thing ``found`` (h, w), 0 or 1, and end near it.

    A white lid has the colours of a white sleeve behind it. What does not end, as a sleeve, is no part of the thing.
    ``grip`` and ``rise`` (2,) are the ends of its middle; ``own`` are the hands of the person, as in ``told_apart``.
    """
    result, seeds, inside = (np.zeros(found.shape, np.uint8) for _ in range(3))
    cv2.line(seeds, _pixel(grip), _pixel(rise), 1, round(SEED_WIDTH * WORK_LENGTH))
    cv2.line(inside, _pixel(grip), _pixel(rise), 1, round(THING_WIDTH * WORK_LENGTH))
    border = inside - cv2.erode(inside, np.ones((3, 3), np.uint8))
    closed = np.ones((found.shape[0] + 2, found.shape[1] + 2), np.uint8)  # as OpenCV wants it
    filled = closed[1:-1, 1:-1]
    filled[:] = 1 - inside
    for points in own:
        if np.isfinite(points).all():
            cv2.fillConvexPoly(filled, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    for row, column in np.argwhere(seeds & found).tolist():
        if filled[row, column]:
            continue
        before = filled.copy()
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
        cv2.floodFill(image, closed, (column, row), 0, (STEP_MAX,) * 3, (STEP_MAX,) * 3, flags)
        surface = cv2.subtract(filled, before)
        if not cv2.hasNonZero(cv2.min(cv2.min(surface, border), 1 - found)):
            cv2.max(result, surface, dst=result)
    return result


def _pixel(point: Points) -> list[int]:
    return np.round(point).astype(int).tolist()
