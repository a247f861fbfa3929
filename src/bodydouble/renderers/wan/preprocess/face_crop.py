"""Face crops of the driver, which give the model the expression.

The box is that of ``get_face_bboxes`` in Wan-Video/Wan2.2. It encloses the 68 face points (brows to chin), enlarged to
1.3 times the area, with three quarters of the added height above. When the face is lost, the last box follows the head
for ``HOLD_FRAMES``. After that, and before the first face of a shot, the crop is black. Black is -1 in the model's
range, which the model was trained to read as "no expression given".
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.whole_body import FACE, whole_body

SIDE = 512
"""Side of a crop in pixels, the model's input size."""
AREA_SCALE = 1.3
"""Area of the box over that of the face points, as in Wan-Video/Wan2.2."""
SHARE_ABOVE = 3 / 4
"""Share of the added height that lies above the face points, as in Wan-Video/Wan2.2."""
HOLD_FRAMES = 12
"""Half a second at 24 frames per second. Longer than a gap in detection or a hand before the face, shorter than a turn
of the head, after which the box would show hair."""
FACE_CONFIDENCE_MIN = 0.5
"""Mean confidence 0-1 of the face points from which the face counts as found."""
HEAD = (0, 1, 2, 3, 4)  # COCO points: nose, eyes, ears
HEAD_CONFIDENCE_MIN = 0.3
"""Confidence 0-1 from which a point counts towards the position of the head."""
BOX_SIDE_MIN = 8
"""Pixels. A smaller face shows no expression."""

Box = NDArray[np.float64]  # (4,) x0, y0, x1, y1


def face_box(points: NDArray[np.float64], width: int, height: int) -> Box:
    """The enlarged box around face points (N, 2), clipped to the frame of ``width`` x ``height``; whole pixels."""
    low, high = points.min(0), points.max(0)
    grown = (high - low) * (AREA_SCALE**0.5 - 1)
    x0, x1 = low[0] - grown[0] / 2, high[0] + grown[0] / 2
    y0, y1 = low[1] - grown[1] * SHARE_ABOVE, high[1] + grown[1] * (1 - SHARE_ABOVE)
    return np.trunc([max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)])


def face_boxes(track: PersonTrack, width: int, height: int) -> NDArray[np.float64]:
    """The box (F, 4) to crop in each frame of ``track``; NaN where the crop is black.

    Depends on the track alone, so a segment gets the same boxes wherever rendering starts.
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
    """The crop (512, 512, 3) of ``image``, stretched to a square as in training; black if ``box`` is NaN."""
    if np.isnan(box).any():
        return np.zeros((SIDE, SIDE, 3), np.uint8)
    x0, y0, x1, y1 = box.astype(int)
    shrinks = min(x1 - x0, y1 - y0) > SIDE
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image[y0:y1, x0:x1], (SIDE, SIDE), interpolation=how), np.uint8)
