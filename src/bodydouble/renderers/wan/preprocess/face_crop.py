"""The face pictures that carry expression, and what is shown where there is no face.

The box is upstream's (``get_face_bboxes`` of Wan-Video/Wan2.2): around the 68 face points, which reach from the brows
to the chin, area times 1.3, three quarters of the added height above. A face that is lost leaves its box on the head
for ``HOLD_FRAMES``; after that, and where no face was found yet in the shot, the picture is black, which is -1 in the
model's range and what the model was trained to read as "no expression given".
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.whole_body import FACE, whole_body

SIDE = 512
AREA_SCALE = 1.3
HOLD_FRAMES = 12
"""Half a second at 24 frames a second: longer than a blink of the network or a hand before the face, shorter than a
turn of the head, after which the held picture would show hair."""
FACE_CONFIDENCE_MIN = 0.5
HEAD = (0, 1, 2, 3, 4)  # nose, eyes, ears
HEAD_CONFIDENCE_MIN = 0.3
BOX_SIDE_MIN = 8
"""Pixels. A smaller face is a colour, not an expression."""

Box = NDArray[np.float64]  # (4,) x0, y0, x1, y1


def face_box(points: NDArray[np.float64], width: int, height: int) -> Box:
    """The box around face points (N, 2), widened and clipped to the frame; whole pixels."""
    low, high = points.min(0), points.max(0)
    grown = (high - low) * (AREA_SCALE**0.5 - 1)
    x0, x1 = low[0] - grown[0] / 2, high[0] + grown[0] / 2
    y0, y1 = low[1] - grown[1] * 3 / 4, high[1] + grown[1] / 4
    return np.trunc([max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)])


def face_boxes(track: PersonTrack, width: int, height: int) -> NDArray[np.float64]:
    """(F, 4) the box to crop in each frame of ``track``, NaN where the picture is to be black.

    Follows from the track alone, so that any segment can be started anywhere with the same result.
    """
    boxes = np.full((len(track), 4), np.nan)
    held: Box | None = None  # relative to the head
    age = 0
    shot = None
    for i in range(len(track)):
        if track.shot[i] != shot:
            shot, held = track.shot[i], None
        body = whole_body(track, i, (width, height))
        sure = body.confidence[list(HEAD)] >= HEAD_CONFIDENCE_MIN
        head = body.points[list(HEAD)][sure].mean(0) if sure.any() else None
        if body.confidence[FACE].mean() >= FACE_CONFIDENCE_MIN:
            box = face_box(body.points[FACE], width, height)
            held, age = (None if head is None else box - np.tile(head, 2)), 0
        else:
            age += 1
            if held is None or head is None or age > HOLD_FRAMES:
                held = None
                continue
            moved = held + np.tile(head, 2)
            box = np.trunc(np.clip(moved, 0, [width, height, width, height]))
        if (box[2:] - box[:2]).min() >= BOX_SIDE_MIN:
            boxes[i] = box
    return boxes


def crop_face(image: Image, box: Box) -> Image:
    """(512, 512, 3) of ``image`` in ``box``, stretched to a square as in training; black where the box is NaN."""
    if np.isnan(box).any():
        return np.zeros((SIDE, SIDE, 3), np.uint8)
    x0, y0, x1, y1 = box.astype(int)
    shrinks = min(x1 - x0, y1 - y0) > SIDE
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image[y0:y1, x0:x1], (SIDE, SIDE), interpolation=how), np.uint8)
