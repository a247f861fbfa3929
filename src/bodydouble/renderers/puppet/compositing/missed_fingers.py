"""Fingers that landmarks miss: a hand that comes up fast and points is taken for a fist.

The matte shows such a finger: it is thin, begins at the hand and leads away from the wrist.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

from bodydouble.perception.arrays import Bytes, Floats, Mask, Matte, PixelBox
from bodydouble.perception.landmark_indices import HandPoint
from bodydouble.renderers.puppet.compositing.hand_shape import SOFT, HandShape, Points, box_about
from bodydouble.renderers.puppet.motion.hand_sources import hand_axis

REACH, ARM_LENGTH, ARM_WIDTH = 1.6, 4.0, 1.0
"""Hand lengths (wrist to the middle knuckle) about the landmarks that are looked at, and length and thickness of a
forearm."""
WORK_LENGTH = 16
"""Pixels of a hand's length in the picture in which fingers are looked for, at most."""
FAINT, SURE = 40, 90
"""Levels of a matte (0-255) from which a pixel may show a thin finger, and which the finger reaches somewhere: what is
faint throughout is background."""
THICK, THICK_RIM, AT_HAND, KNUCKLES = 0.45, 0.12, 0.25, 0.5
"""Hand lengths: what is wider is no finger, nor is its rim; how near to the hand a finger begins, and about the hand
what is thick is the hand itself. Fingers are 0.2 wide, and up to 0.36 with their blur."""
LONG_MIN, AWAY_MIN = 0.4, 0.9
"""Hand lengths: least length of a missed finger, and of the way from the wrist to its tip, as the hand points."""
TINY = 1e-6
"""Lengths in pixels below it count as zero."""
JOIN = 0.35
"""Hand lengths over which a missed finger is joined to the hand, and its blur added. These three are chosen by eye on a
dancer who points."""


@dataclass(frozen=True, kw_only=True)
class MissedFingers:
    """Where they are in a frame."""

    box: PixelBox
    mask: Bytes  # 0 or 255, of the size of the box

    def joined(self, box: PixelBox) -> PixelBox:
        """The box around these fingers and ``box``."""
        return (*np.minimum(self.box[:2], box[:2]).tolist(), *np.maximum(self.box[2:], box[2:]).tolist())

    def soft(self, box: PixelBox, length: float) -> Floats:
        """0-1 within ``box``, which contains theirs, with edges as soft as a hand's of ``length`` px."""
        whole = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
        x, y = self.box[0] - box[0], self.box[1] - box[1]
        whole[y : y + self.mask.shape[0], x : x + self.mask.shape[1]] = self.mask
        return np.asarray(cv2.GaussianBlur(whole, (0, 0), max(1.0, SOFT * length)) * np.float32(1 / 255), np.float32)


def missed_fingers(
    matte: Matte, points: Points, elbow: Points, length: float, other: Points | None
) -> MissedFingers | None:
    """The fingers that the ``matte`` (H, W) 0-255 shows and the landmarks ``points`` (21, 2) px miss; None without any.

    ``elbow`` (2,) px, ``length`` px of the hand, ``other`` (21, 2) px the person's other hand, which has fingers too.
    """
    around = box_about(points, REACH * length, matte)
    if around is None:
        return None
    x0, y0, x1, y1 = around
    zoom = min(1.0, WORK_LENGTH / length)
    size = (max(1, round((x1 - x0) * zoom)), max(1, round((y1 - y0) * zoom)))
    shown = np.asarray(cv2.resize(matte[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA), np.uint8)
    unit = length * zoom
    person = (shown > FAINT).view(np.uint8)
    thick = cv2.dilate(cv2.morphologyEx(person, cv2.MORPH_OPEN, _disc(THICK * unit)), _disc(2 * THICK_RIM * unit))
    thin = cv2.subtract(person, thick)
    if not cv2.countNonZero(thin):
        return None
    hand = _at(points, elbow, zoom, unit, around, size)
    own = hand.reach()
    left = hand.arm(ARM_LENGTH, ARM_WIDTH, own.copy())
    if other is not None and np.isfinite(other).all():
        cv2.max(left, _at(other, elbow, zoom, unit, around, size).reach(), dst=left)
    thin[left > 0] = 0
    axis = hand_axis(hand.points)
    along = axis / max(float(np.hypot(*axis)), TINY)
    beside, knuckles = (cv2.dilate(own, _disc(2 * reach * unit)) > 0 for reach in (AT_HAND, KNUCKLES))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thin)
    found = np.zeros(thin.shape, np.uint8)
    for label in range(1, count):
        if np.hypot(*stats[label, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]) < LONG_MIN * unit:
            continue
        piece = labels == label
        if _goes_on(piece, thick, knuckles):
            continue
        away = (np.argwhere(piece)[:, ::-1] - hand.points[HandPoint.WRIST]) @ along
        if shown[piece].max() >= SURE and (piece & beside).any() and away.min() > 0 and away.max() > AWAY_MIN * unit:
            found[piece] = 255
    if not found.any():
        return None
    whole = cv2.resize(found, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    joined = np.asarray(cv2.dilate(whole, _disc(2 * JOIN * length)), np.uint8)
    x, y, w, h = cv2.boundingRect(joined)
    return MissedFingers(box=(x0 + x, y0 + y, x0 + x + w, y0 + y + h), mask=joined[y : y + h, x : x + w])


def _goes_on(piece: Mask, thick: MatLike, beside: Mask) -> bool:
    """Whether a thin ``piece`` (h, w) of the person has no tip: it leaves the picture, or something ``thick`` follows.

    A shin or a forearm beside a hand is such a piece. What is ``beside`` the hand is its own.
    """
    if piece[[0, -1]].any() or piece[:, [0, -1]].any():
        return True
    around = cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return bool((around & (np.asarray(thick) > 0) & ~beside).any())


def _at(points: Points, elbow: Points, zoom: float, length: float, box: PixelBox, size: tuple[int, int]) -> HandShape:
    """The hand in the part ``box`` of a frame, enlarged by ``zoom`` to ``size`` (width, height)."""
    return HandShape(
        points=(points - box[:2]) * zoom, elbow=(elbow - box[:2]) * zoom, length=length, size=(size[1], size[0])
    )


def _disc(diameter: float) -> Bytes:
    """A structuring element of about ``diameter`` px."""
    size = max(1, round(diameter)) | 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
