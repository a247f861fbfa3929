"""A drawn person with exactly known joints: picture, mask and track, without networks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception import Portrait
from bodydouble.perception.track import PersonTrack, empty_track

Joints = NDArray[np.float64]

BACKGROUND = (150, 150, 150)
COLOURS = {
    "skin": (225, 180, 150),
    "shirt": (40, 70, 160),
    "sleeve": (60, 100, 200),
    "trousers": (40, 120, 70),
    "shoe": (90, 40, 30),
}
# Body landmark → position in head heights: x to the right of the body's middle, y down from the top of the head.
STANDING = {
    0: (0.0, 0.55), 2: (0.15, 0.45), 5: (-0.15, 0.45), 7: (0.35, 0.5), 8: (-0.35, 0.5),
    9: (0.12, 0.72), 10: (-0.12, 0.72),
    11: (0.75, 1.4), 12: (-0.75, 1.4), 13: (1.2, 2.4), 14: (-1.2, 2.4), 15: (1.45, 3.3), 16: (-1.45, 3.3),
    17: (1.6, 3.6), 18: (-1.6, 3.6), 19: (1.5, 3.7), 20: (-1.5, 3.7), 21: (1.4, 3.5), 22: (-1.4, 3.5),
    23: (0.45, 3.6), 24: (-0.45, 3.6), 25: (0.5, 5.2), 26: (-0.5, 5.2), 27: (0.5, 6.8), 28: (-0.5, 6.8),
    29: (0.45, 7.0), 30: (-0.45, 7.0), 31: (0.65, 7.15), 32: (-0.65, 7.15),
}  # fmt: skip


def joints(head: float = 60.0, centre: float = 250.0, top: float = 30.0) -> Joints:
    """(33, 2) body landmarks in pixels of a standing person facing the camera, arms slightly away from the body.

    ``head``: head height; ``centre`` and ``top``: x of the body and y of the top of the head; all in pixels.
    """
    result = np.zeros((33, 2))
    for index, (x, y) in STANDING.items():
        result[index] = centre + x * head, top + y * head
    for index, like in ((1, 2), (3, 2), (4, 5), (6, 5)):
        result[index] = result[like]
    return result


def track_of(poses: list[Joints], visibility: float = 0.95, shots: list[int] | None = None) -> PersonTrack:
    """A track with the given poses, one a frame, without face and hands."""
    track = empty_track(len(poses))
    for i, pose in enumerate(poses):
        track.body[i] = np.c_[pose, np.zeros(33)]
        track.visibility[i] = visibility
        track.present[i] = True
        track.confidence[i] = 1
        track.box[i] = [*pose.min(0), *pose.max(0)]
    if shots is not None:
        track.shot[:] = shots
    return track


def portrait_of(track: PersonTrack, mask: NDArray[np.float32]) -> Portrait:
    """The analysis of a picture about whose ``mask`` (H, W) 0-1 all passes of the network agree."""
    return Portrait(track=track, mask=mask, agreed=mask)


def picture(pose: Joints, size: tuple[int, int] = (500, 500)) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(H, W, 3) RGB picture of the person in ``pose``, and the mask (H, W) 0-1. ``size`` is width, height."""
    width, height = size
    image = np.full((height, width, 3), BACKGROUND, np.uint8)
    mask = np.zeros((height, width), np.uint8)
    unit = float(np.hypot(*(pose[11] - pose[12])))

    def line(a: int, b: int, thick: float, colour: str) -> None:
        for canvas, value in ((image, COLOURS[colour]), (mask, 255)):
            ends = [tuple(np.round(pose[k]).astype(int).tolist()) for k in (a, b)]
            cv2.line(canvas, ends[0], ends[1], value, max(1, int(thick * unit)), cv2.LINE_AA)

    for hip, knee, ankle, toe in ((23, 25, 27, 31), (24, 26, 28, 32)):
        line(ankle, toe, 0.2, "shoe")
        line(hip, knee, 0.38, "trousers")
        line(knee, ankle, 0.3, "trousers")
    trunk = np.round(pose[[11, 12, 24, 23]]).astype(np.int32)
    for canvas, value in ((image, COLOURS["shirt"]), (mask, 255)):
        cv2.fillConvexPoly(canvas, trunk, value, cv2.LINE_AA)
        cv2.polylines(canvas, [trunk], True, value, int(0.25 * unit), cv2.LINE_AA)
    neck = np.round((pose[11] + pose[12]) / 2).astype(int)
    face = np.round(pose[0]).astype(int)
    for canvas, value in ((image, COLOURS["skin"]), (mask, 255)):
        cv2.line(canvas, tuple(neck.tolist()), tuple(face.tolist()), value, int(0.28 * unit), cv2.LINE_AA)
        cv2.ellipse(
            canvas, tuple(face.tolist()), (int(0.27 * unit), int(0.35 * unit)), 0, 0, 360, value, -1, cv2.LINE_AA
        )
    for shoulder, elbow, wrist, finger in ((11, 13, 15, 19), (12, 14, 16, 20)):
        line(wrist, finger, 0.16, "skin")
        line(elbow, wrist, 0.22, "sleeve")
        line(shoulder, elbow, 0.27, "sleeve")
    return image, mask.astype(np.float32) / 255  # pyright: ignore[reportReturnType]
