"""Where a hand is in a frame, by its landmarks: masks of its fingers, of all that may be it, and of its arm."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Floats, Image, PixelBox
from bodydouble.perception.landmark_indices import HandPoint
from bodydouble.renderers.puppet.motion.hand_sources import hand_axis
from bodydouble.renderers.puppet.painting import LINE_END_MAX

Points = NDArray[np.floating]

BONES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11), (11, 12),
    (9, 13), (13, 14), (14, 15), (15, 16), (13, 17), (17, 18), (18, 19), (19, 20), (0, 17),
)  # fmt: skip
"""Pairs of hand landmarks along the fingers and across the palm."""
PALM = (
    HandPoint.WRIST, HandPoint.THUMB_CMC, HandPoint.INDEX_MCP, HandPoint.MIDDLE_MCP, HandPoint.RING_MCP,
    HandPoint.PINKY_MCP,
)  # fmt: skip
FINGERS = ((5, 8), (9, 12), (13, 16), (17, 20))
"""First and last landmarks of the fingers without the thumb."""
BESIDE = ((5, 12), (9, 16), (13, 20))
"""First and last landmarks of two fingers beside each other: what is between them may be theirs. What is between thumb
and fingers is not, such as another arm."""
FINGER_CORE, FINGER_THICK, FINGER_REACH, WRIST_THICK, WRIST_LENGTH, SOFT = 0.08, 0.2, 0.36, 0.62, 0.4, 0.05
"""In hand lengths (wrist to the middle knuckle): thickness of a finger's middle, of a finger, of one with its blur, and
of the wrist; how much of the wrist belongs to the hand, and the standard deviation of the mask's edge."""
WRIST_FADE = (-0.3, 0.0)
"""Places along the hand (-1 towards the elbow, 0 wrist, 1 knuckles) between which it fades in: cuffs stay out."""
SIZE_MIN_PIXELS = 4
"""Side in pixels of the smallest part of a frame that shows a hand."""


def seen_length(points: Points) -> float:
    """Pixels: what thicknesses are shares of, of the hand with landmarks ``points`` (21, 2).

    A foreshortened hand has wider fingers than its seen length says, and narrower ones than its palm.
    """
    seen = np.hypot(*(points[HandPoint.WRIST] - points[HandPoint.MIDDLE_MCP]))
    return float(np.sqrt(seen * np.hypot(*hand_axis(points))))


def box_about(points: Points, margin: float, image: Image) -> PixelBox | None:
    """The part of ``image`` within ``margin`` px of ``points`` (21, 2); None where it is too small."""
    x0, y0 = np.clip(np.floor(points.min(0) - margin), 0, [image.shape[1], image.shape[0]]).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(points.max(0) + margin), 0, [image.shape[1], image.shape[0]]).astype(int).tolist()
    return (x0, y0, x1, y1) if min(x1 - x0, y1 - y0) >= SIZE_MIN_PIXELS else None


@dataclass(frozen=True, kw_only=True)
class HandShape:
    """The landmarks of a hand in a crop of a frame."""

    points: Points  # (21, 2) px
    elbow: Points  # (2,) px
    length: float  # px
    size: tuple[int, int]  # height, width

    @classmethod
    def of(cls, points: Points, elbow: Points, length: float, box: PixelBox) -> "HandShape":
        x0, y0, x1, y1 = box
        return cls(points=points - [x0, y0], elbow=elbow - [x0, y0], length=length, size=(y1 - y0, x1 - x0))

    def thick(self, share: float) -> int:
        """Pixels of a line ``share`` hand lengths thick."""
        return max(1, round(share * self.length))

    def place(self) -> Floats:
        """(h, w) along the hand: 0 at the wrist, 1 at the knuckles."""
        axis, seen = hand_axis(self.points), self.points[HandPoint.MIDDLE_MCP] - self.points[HandPoint.WRIST]
        along = axis / (np.hypot(*axis) * max(float(np.hypot(*seen)), 1.0))
        x, y = (
            np.arange(side, dtype=np.float32) - np.float32(start)
            for side, start in zip(self.size[::-1], self.points[0], strict=True)
        )
        return np.asarray((x * np.float32(along[0]))[None] + (y * np.float32(along[1]))[:, None], np.float32)

    def flesh(self, thick: float) -> Bytes:
        """(h, w) 0 or 255: palm and fingers ``thick`` hand lengths thick, without what is between these."""
        mask, q = palm_mask(self.points, self.size), np.round(self.points).astype(np.int32)
        for a, b in BONES:
            cv2.line(mask, q[a].tolist(), q[b].tolist(), 255, self.thick(thick))
        return mask

    def arm(self, reach: float, thick: float, mask: Bytes) -> Bytes:
        """``mask`` (h, w) with a line of 255 from the wrist to the elbow, at most ``reach`` hand lengths long."""
        away = max(float(np.hypot(*(self.elbow - self.points[0]))), 1.0)
        end = self.points[0] + (self.elbow - self.points[0]) / away * min(reach * self.length, LINE_END_MAX)
        start, stop = np.round(np.stack([self.points[0], end])).astype(int).tolist()
        cv2.line(mask, start, stop, 255, self.thick(thick))
        return mask

    def reach(self) -> Bytes:
        """(h, w) 0 or 255: all that may be the hand."""
        mask, q = self.flesh(FINGER_REACH), np.round(self.points).astype(np.int32)
        for first, last in BESIDE:
            cv2.fillConvexPoly(mask, cv2.convexHull(q[first : last + 1]), 255)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(mask, outlines, -1, 255, cv2.FILLED)  # the hollow of a fist
        return self.arm(WRIST_LENGTH, WRIST_THICK, mask)

    def shape(self, place: Floats) -> Floats:
        """(h, w) 0-1 soft mask of hand and the start of the wrist, fading towards the arm beside the bones."""
        sigma = max(1.0, SOFT * self.length)
        soft = cv2.GaussianBlur(self.reach(), (0, 0), sigma)
        bones = cv2.GaussianBlur(self.flesh(FINGER_THICK), (0, 0), sigma) * np.float32(1 / 255)
        return np.asarray(soft * np.float32(1 / 255) * np.maximum(ramp(*WRIST_FADE, place), bones), np.float32)


def palm_mask(points: Points, size: tuple[int, ...]) -> Bytes:
    """(h, w) 0 or 255: the palm of the hand with landmarks ``points`` (21, 2) px."""
    mask = np.zeros(size[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points[list(PALM)]).astype(np.int32)), 255)
    return mask


def ramp(zero: float, one: float, values: Floats) -> Floats:
    """0-1 where ``values`` go from ``zero`` to ``one``."""
    scale = 1 / (one - zero)
    return np.asarray(np.clip(values * np.float32(scale) - np.float32(zero * scale), 0, 1), np.float32)
