"""A reduced picture about the hands of the removed person, in which what they carry is looked for."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Matte, PixelBox
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.trunk import HIPS, SHOULDERS
from bodydouble.renderers.puppet.compositing.colours import colour_codes
from bodydouble.renderers.puppet.compositing.held import KNUCKLES, WRISTS
from bodydouble.renderers.puppet.compositing.left_over import SEEN_LEVEL, shade, unlike
from bodydouble.renderers.puppet.compositing.occlusion import PARTS, part_labels
from bodydouble.renderers.puppet.compositing.reduction import reduced
from bodydouble.renderers.puppet.compositing.removal import RIM
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.painting import LINE_END_MAX

Points = NDArray[np.floating]

WORK_UNIT = 40
"""Shoulder width in pixels of the reduced pictures in which things are looked for: the shaft of a racket has one."""
REACH = 2.5
"""Shoulder widths from a hand in which its thing is looked for: a tennis racket is 1.7 long."""
BOX_SIDE_MIN = 16
"""Shortest side in pixels of the part of the frame that is looked at."""
FOREARM = 0.3
"""Shoulder widths: thickness of a forearm, on which cuffs and watches are."""
PERSON = 127
"""Matte level (0-255) above which a pixel is the person's, or what they carry."""
ELBOWS = (BodyPoint.LEFT_ELBOW, BodyPoint.RIGHT_ELBOW)
BONES = (
    (SHOULDERS[:1], SHOULDERS[1:], 1.0),
    (SHOULDERS, HIPS, 1.45),
    *(([SHOULDERS[side]], [ELBOWS[side]], 0.85) for side in range(2)),
    *(([ELBOWS[side]], [WRISTS[side]], 0.8) for side in range(2)),
)
"""Ends, and length in shoulder widths, of bones that tell a person's size. Measured on the development pictures."""
KNUCKLE_SHARE = 0.7
"""Share of the way from wrist to knuckles at which a hand has its middle, if its fingers are not seen."""


def _unit(body: Points) -> float:
    """Shoulder width in pixels, by that of ``BONES`` which points least at the camera or away; NaN without a body."""
    return max(float(np.hypot(*(body[a].mean(0) - body[b].mean(0)))) / size for a, b, size in BONES)


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
        """This carrier in a crop with its upper left corner at ``x``, ``y``."""
        return Carrier(body=self.body - [x, y], hands=self.hands - [x, y])

    def reach(self, height: int, width: int) -> PixelBox | None:
        """The part of a frame of ``height`` x ``width`` in which things are looked for; None where no hand is seen."""
        reach = REACH * _unit(self.body)
        if not np.isfinite(reach) or not np.isfinite(self.hands).all():
            return None
        low = np.clip(np.floor(self.hands.min(0) - reach), 0, [width, height]).astype(int)
        high = np.clip(np.ceil(self.hands.max(0) + reach), 0, [width, height]).astype(int)
        if (high - low).min() < BOX_SIDE_MIN:
            return None
        return (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


@dataclass(frozen=True, kw_only=True)
class View:
    """A reduced picture in which things are looked for."""

    step: int  # pixels of the frame for one of this
    unit: float  # px of this, the shoulders' width
    image: Image  # (h, w, 3)
    plate: Image  # (h, w, 3)
    codes: NDArray[np.int32]  # (h, w) colours
    behind: NDArray[np.int32]  # (h, w) colours of the plate
    person: NDArray[np.bool_]  # (h, w) what the matte shows
    rim: NDArray[np.bool_]  # (h, w) that with the rim which is removed with the person
    front: NDArray[np.bool_]  # (h, w) what is before the background
    parts: NDArray[np.uint8]  # (h, w) labels
    beside: tuple[Floats, ...]  # (h, w) for each part, shoulder widths from it; 0 in it
    forearms: NDArray[np.bool_]  # (h, w)
    away: tuple[Floats, Floats]  # (h, w) shoulder widths from either hand
    hips: NDArray[np.float64]  # (2,) px of this

    @property
    def nearest(self) -> Floats:
        """(h, w) shoulder widths from the nearer hand."""
        return np.minimum(*self.away)

    @classmethod
    def of(
        cls, image: Image, with_seen: NDArray[np.uint8], matte: Matte, who: Carrier, box: PixelBox, rows: int
    ) -> "View":
        """What is in ``box`` of a frame of ``rows`` lines; of the arguments only ``with_seen`` is cut to it."""
        x0, y0, x1, y1 = box
        image, matte = image[y0:y1, x0:x1], matte[y0:y1, x0:x1]
        body, hands = who.body - [x0, y0], who.hands - [x0, y0]
        shoulders = _unit(body)
        step = max(1, round(shoulders / WORK_UNIT))
        small, plate, person = (
            np.ascontiguousarray(np.asarray(reduced(x, step), np.uint8)) for x in (image, with_seen, matte)
        )
        unit, height, width = shoulders / step, *person.shape
        behind = np.asarray(cv2.cvtColor(plate, cv2.COLOR_RGBA2RGB), np.uint8)
        inside = person > PERSON
        differs = (unlike(small, behind) > 0) & (plate[..., 3] > SEEN_LEVEL) & ~inside
        # A plate can hold a shadow that the person casts in most frames. Frames without it are lighter than the plate.
        within = differs.view(np.uint8) * np.uint8(255)
        shaded = cv2.max(shade(small, behind, within), shade(behind, small, within))
        joints = np.clip(body / step, -LINE_END_MAX, LINE_END_MAX)
        forearms = np.zeros((height, width), np.uint8)
        for elbow, wrist in zip(ELBOWS, WRISTS, strict=True):
            start, stop = np.round(joints[[elbow, wrist]]).astype(int).tolist()
            cv2.line(forearms, start, stop, 1, max(1, round(FOREARM * unit)))
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
        rim = distance_to(inside) <= max(1.0, RIM * rows / step)
        away = tuple(np.asarray(np.hypot(x - cx, y - cy) / unit, np.float32) for cx, cy in (hands / step).tolist())
        parts = part_labels(joints, (width, height))
        return cls(
            step=step,
            unit=unit,
            image=small,
            plate=behind,
            codes=colour_codes(small),
            person=inside,
            rim=rim,
            front=inside | (differs & (shaded == 0)),
            behind=colour_codes(behind),
            parts=parts,
            beside=tuple(distance_to(parts == part) / np.float32(unit) for part in range(PARTS)),
            forearms=forearms > 0,
            away=(away[0], away[1]),
            hips=joints[HIPS].mean(0),
        )
