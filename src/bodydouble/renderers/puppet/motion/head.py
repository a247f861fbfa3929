"""Where a head is and how it is turned."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import BodyPoint, FacePoint
from bodydouble.renderers.puppet.body.quaternions import cross

Array = NDArray[np.float64]

OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
"""Face mesh indices of the face's outline, clockwise from the top."""
CHEEKS = (117, 118, 50, 205, 36, 346, 347, 280, 425, 266, 4, 5, 195)
"""Face mesh indices of cheeks and nose, skirting eyes, mouth, brows and beard: skin alone."""
TURN_MAX = np.deg2rad(85)
"""Limit of the turn away from the reference's own direction, approached but never reached: 40° become 37°, 64° 54° and
80°, a profile's, 63°. Chosen by eye and by the face network: with 70° a profile is a head seen from three quarters;
followed whole up to 40°, with 75°, heads hide far eyes that the actor's show."""
FACELESS_TURN_MAX = np.deg2rad(30)
"""The same of a head without a face mesh, such as one from the side: turned farther it would be a strip."""
YAW_GAIN = 1.4
"""Factor on the yaw of an actor's face mesh: the network sees too little depth in turned faces. Measured: 10°, 23°, 36°
and 57° where noses and cheeks on screen say 14°, 32°, 46° and 61°, and a viewer 12°, 40°, 47° and 88°."""
ANGLE_MIN = 1e-6
"""Turns in radians below it count as none."""
EARS_TO_SIZE = 0.67
"""``Head.size`` over the distance between the ears, for an average adult face."""


HEAD_POINTS = (
    BodyPoint.NOSE, BodyPoint.LEFT_EYE, BodyPoint.RIGHT_EYE, BodyPoint.LEFT_MOUTH, BodyPoint.RIGHT_MOUTH,
)  # fmt: skip
TINY = 1e-9
"""Lengths in pixels below it count as zero."""
SIDES_WEIGHT, EYES_WEIGHT, JAW_WEIGHT = 1.0, 0.7, 0.5
"""Weights of the lines between the face's sides, the eyes' outer corners and the jaw's angles in its right axis."""
MIDLINE_WEIGHT, CHIN_WEIGHT = 1.0, 0.6
"""Weights in its down axis of the line from hairline to chin, and of the one from the brows to the chin's corners."""
JAW_ANGLES = (132, 361)
"""Face mesh points of the jaw's angles, image left and right."""
CHIN_POINTS, BROW_POINTS = (152, 377, 148), (151, 9)
"""Face mesh points about the chin, and above the bridge of the nose."""
MESH_POINTS = 468
"""Points of the face mesh; the irises follow."""
EAR_DEPTH_KEPT = 0.36
"""Share of the ears' difference in depth that turns a head seen by its body alone: the network exaggerates it, and
``limited_turn`` takes turns for those of face meshes."""
WIDTH_TO_SHOULDERS, TURN_KEPT, WIDTH_TURNED = 0.3, 0.2, 0.5
"""Of a head seen by its body alone: least width in shoulder widths; share of its width below which it counts as seen
from behind; and the share across that it is then given, so that the puppet keeps facing the camera."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """A head in the picture. ``rotation``'s columns are the head's own right, down and backward axes."""

    rotation: Array  # (3, 3)
    centre: Array  # (2,) px, mean of the 468 face points
    origin: Array  # (3,) px, what ``local`` coordinates are relative to
    width: float  # px between the sides of the face
    height: float  # px between the brow's root and the foot of the nose: steady while talking
    turn_max: float = TURN_MAX  # radians: limit of the turn away from ``rotation``

    @property
    def size(self) -> float:
        return float(np.sqrt(self.width * self.height))

    @property
    def scale(self) -> Array:
        """(3,) what normalised coordinates are multiplied with."""
        return np.array([self.width, self.height, self.width])


def head_of_face(points: Array) -> Head:
    """The head of a face mesh (468 or more, 3)."""
    p = points
    x = (
        SIDES_WEIGHT * (p[FacePoint.LEFT_CHEEK] - p[FacePoint.RIGHT_CHEEK])
        + EYES_WEIGHT * (p[FacePoint.LEFT_EYE_OUTER] - p[FacePoint.RIGHT_EYE_OUTER])
        + JAW_WEIGHT * (p[JAW_ANGLES[1]] - p[JAW_ANGLES[0]])
    )
    chin, brows = (sum(p[k] for k in points) / len(points) for points in (CHIN_POINTS, BROW_POINTS))
    y = MIDLINE_WEIGHT * (p[FacePoint.CHIN] - p[FacePoint.FOREHEAD_TOP]) + CHIN_WEIGHT * (chin - brows)
    x = x / max(float(np.linalg.norm(x)), TINY)
    y = y - x * (x @ y)
    y = y / max(float(np.linalg.norm(y)), TINY)
    rotation = np.stack([x, y, cross(x, y)], 1)
    origin = (p[FacePoint.RIGHT_CHEEK] + p[FacePoint.LEFT_CHEEK] + p[FacePoint.FOREHEAD_TOP] + p[FacePoint.CHIN]) / 4
    local = (p[:MESH_POINTS] - origin) @ rotation
    return Head(
        rotation=rotation,
        centre=p[:MESH_POINTS, :2].mean(0),
        origin=origin,
        width=max(float(local[FacePoint.LEFT_CHEEK, 0] - local[FacePoint.RIGHT_CHEEK, 0]), 1.0),
        height=max(float(local[FacePoint.UNDER_NOSE, 1] - local[FacePoint.BETWEEN_BROWS, 1]), 1.0),
    )


def head_of_body(body: Array) -> Head:
    """The head of the body landmarks (33, 3) alone: coarse, for heads that show no face."""
    ears = body[BodyPoint.LEFT_EAR] - body[BodyPoint.RIGHT_EAR]
    # Seen from behind the left ear is at the left; a puppet keeps facing the camera, turned as far as it can.
    x = ears * np.array([1.0, 1.0, EAR_DEPTH_KEPT])
    shoulders = max(float(np.hypot(*(body[BodyPoint.LEFT_SHOULDER] - body[BodyPoint.RIGHT_SHOULDER])[:2])), 1.0)
    width = max(float(np.linalg.norm(x)), WIDTH_TO_SHOULDERS * shoulders)
    if x[0] < TURN_KEPT * width:
        x = x * [-1, -1, 1] if x[0] < 0 else x
        x[0] = max(float(x[0]), WIDTH_TURNED * width)
    x = x / np.linalg.norm(x)
    y = np.array([0.0, 1.0, 0.0])
    y = y - x * (x @ y)
    y = y / max(float(np.linalg.norm(y)), TINY)
    centre = body[list(HEAD_POINTS)].mean(0)
    return Head(
        rotation=np.stack([x, y, cross(x, y)], 1),
        centre=centre[:2],
        origin=centre,
        width=width,
        height=width * EARS_TO_SIZE**2,
        turn_max=FACELESS_TURN_MAX,
    )


def as_seen(turn: Array) -> Array:
    """(3, 3) how an actor's head is turned, by ``turn`` (3, 3) of its face mesh, whose yaw is too small."""
    yaw = float(np.arcsin(np.clip(-turn[2, 0], -1, 1)))
    return np.asarray(turn @ cv2.Rodrigues(np.array([0.0, (YAW_GAIN - 1) * yaw, 0.0]))[0], np.float64)


def limited_turn(own: Array, wanted: Array, turn_max: float = TURN_MAX) -> Array:
    """(3, 3): from ``own`` towards ``wanted``; roll is followed whole, yaw and pitch up to ``turn_max`` radians.

    ``wanted`` is an actor's face mesh's, whose yaw is too small.
    """
    vector = cv2.Rodrigues(own.T @ as_seen(wanted))[0].ravel()
    out_of_plane = vector[:2]
    angle = float(np.linalg.norm(out_of_plane))
    vector[:2] = out_of_plane * (turn_max * np.tanh(angle / turn_max) / max(angle, ANGLE_MIN))
    return own @ cv2.Rodrigues(vector)[0]
