"""Where a head is and how it is turned."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
"""Face mesh indices of the face's outline, clockwise from the top."""
CHEEKS = (117, 118, 50, 205, 36, 346, 347, 280, 425, 266, 4, 5, 195)
"""Face mesh indices of cheeks and nose, skirting eyes, mouth, brows and beard: skin alone."""
PIVOT_DEPTH = 0.55
"""How far behind the middle of the face a head turns, in face widths."""
TURN_MAX = np.deg2rad(52)
"""Turn away from the reference's own direction that is approached and never passed: 40° give 33°."""
EARS_TO_SIZE = 0.67
"""``Head.size`` over the distance between the ears, for an average adult face."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """A head in the picture. ``rotation``'s columns are the head's own right, down and backward axes."""

    rotation: Array  # (3, 3)
    centre: Array  # (2,) px, mean of the 468 face points
    origin: Array  # (3,) px, what ``local`` coordinates are relative to
    width: float  # px between the sides of the face
    height: float  # px between the brow's root and the foot of the nose: steady while talking

    @property
    def size(self) -> float:
        return float(np.sqrt(self.width * self.height))

    @property
    def scale(self) -> Array:
        """(3,) what normalised coordinates are multiplied with."""
        return np.array([self.width, self.height, self.width])


def head_of_face(points: Array) -> Head:
    """From the face mesh (>= 468, 3)."""
    p = points
    x = (p[454] - p[234]) + 0.7 * (p[263] - p[33]) + 0.5 * (p[361] - p[132])
    y = (p[152] - p[10]) + 0.6 * ((p[152] + p[377] + p[148]) / 3 - (p[151] + p[9]) / 2)
    x = x / max(float(np.linalg.norm(x)), 1e-9)
    y = y - x * (x @ y)
    y = y / max(float(np.linalg.norm(y)), 1e-9)
    rotation = np.stack([x, y, np.cross(x, y)], 1)
    origin = (p[234] + p[454] + p[10] + p[152]) / 4
    local = (p[:468] - origin) @ rotation
    return Head(
        rotation=rotation,
        centre=p[:468, :2].mean(0),
        origin=origin,
        width=max(float(local[454, 0] - local[234, 0]), 1.0),
        height=max(float(local[164, 1] - local[9, 1]), 1.0),
    )


def head_of_body(body: Array) -> Head:
    """From the body points (33, 3) alone: coarse, for heads that show no face."""
    ears = body[7] - body[8]
    # Seen from behind the left ear is at the left; a puppet keeps facing the camera, turned as far as it can.
    x = ears * np.array([1.0, 1.0, 0.5])
    shoulders = max(float(np.hypot(*(body[11] - body[12])[:2])), 1.0)
    width = max(float(np.linalg.norm(x)), 0.3 * shoulders)
    if x[0] < 0.2 * width:
        x = x * [-1, -1, 1] if x[0] < 0 else x
        x[0] = max(float(x[0]), 0.5 * width)
    x = x / np.linalg.norm(x)
    y = np.array([0.0, 1.0, 0.0])
    y = y - x * (x @ y)
    y = y / max(float(np.linalg.norm(y)), 1e-9)
    centre = body[[0, 2, 5, 9, 10]].mean(0)
    return Head(
        rotation=np.stack([x, y, np.cross(x, y)], 1),
        centre=centre[:2],
        origin=centre,
        width=width,
        height=width * EARS_TO_SIZE**2,
    )


def limited_turn(own: Array, wanted: Array) -> Array:
    """(3, 3): from ``own`` towards ``wanted``; roll is followed whole, yaw and pitch up to ``TURN_MAX``."""
    vector = cv2.Rodrigues(own.T @ wanted)[0].ravel()
    out_of_plane = vector[:2]
    angle = float(np.linalg.norm(out_of_plane))
    vector[:2] = out_of_plane * (TURN_MAX * np.tanh(angle / TURN_MAX) / max(angle, 1e-6))
    return own @ cv2.Rodrigues(vector)[0]


def roll_between(own: Array, wanted: Array) -> Array:
    """(2, 2) the rotation in the picture between two head rotations."""
    angle = np.arctan2(wanted[1, 0], wanted[0, 0]) - np.arctan2(own[1, 0], own[0, 0])
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])
