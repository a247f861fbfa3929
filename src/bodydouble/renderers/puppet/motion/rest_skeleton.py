"""The character's skeleton as its picture shows it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes
from bodydouble.perception.trunk import hip_vector, shoulder_vector
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS, SIDES, Joints, trunk_frame
from bodydouble.renderers.puppet.motion.head import Head

Array = NDArray[np.float64]

CROWN = 1.6
"""Head sizes from the face's middle to the top of the hair. Measured on people in the development clips."""
CROWN_MIN, CROWN_MAX = 1.3, 2.1
"""Bounds of the same in a picture: topknots count as height, tall hats and raised props do not."""
CROWN_REACH = 0.6
"""Face widths to both sides of the face's middle in which the top of the hair is searched."""
FACE_DEPTH = 0.6
"""Face widths from the joint on which a head turns to the middle of its face. See ``fit.HEAD_DEPTH``."""
ALPHA_MIN = 128
"""Alpha (0-255) from which a pixel shows the character."""


@dataclass(frozen=True, kw_only=True)
class RestBone:
    """A limb's bone in the picture."""

    origin: Array  # (3,) px
    azimuth: float  # radians in the picture plane
    elevation: float  # radians away from the camera
    length: float  # px


@dataclass(frozen=True, kw_only=True)
class RestSkeleton:
    """The character's skeleton as its picture shows it."""

    joints: Joints
    bones: dict[str, RestBone]
    chest: Array  # (3, 3) trunk_frame of the shoulders
    pelvis: Array  # (3, 3) of the hips
    spine: float
    shoulder_width: float
    head: Head
    face: Array  # (3,) px, the middle of the face
    crown: float = CROWN  # head sizes from the face's middle to the top of the hair
    sole_below: float = 0.0  # px from the lower landmarks of the feet down to the soles

    @property
    def neck(self) -> Array:
        """(3,) from between the shoulders to where the head turns."""
        return self.joints.head - self.joints.shoulders


def rest_skeleton(
    joints: Joints,
    head: Head,
    alpha: Bytes | None = None,
    sole_below: float = 0.0,
    face_depth: float | None = None,
) -> RestSkeleton:
    """The skeleton of fitted ``joints``. ``alpha`` (h, w) 0-255 shows trunk and head; by default hair is as usual.

    ``sole_below``: see ``feet.sole_below``; by default soles are at the landmarks. ``face_depth`` px is that of the
    middle of the face as it is drawn; by default ``FACE_DEPTH`` before the joint on which the head turns.
    """
    points = joints.points
    up = joints.shoulders - joints.hips
    bones: dict[str, RestBone] = {}
    for chains, names in ((ARMS, ("upperarm", "lowerarm", "hand")), (LEGS, ("thigh", "calf", "foot"))):
        for side in SIDES:
            chain = chains[side]
            places = [*(points[i] for i in chain.joints), points[list(chain.tip)].mean(0)]
            for k, name in enumerate(names):
                along = places[k + 1] - places[k]
                azimuth, elevation = angles(along)
                bones[f"{name}_{side}"] = RestBone(
                    origin=places[k], azimuth=azimuth, elevation=elevation, length=float(np.linalg.norm(along))
                )
    return RestSkeleton(
        joints=joints,
        bones=bones,
        chest=trunk_frame(shoulder_vector(points), up),
        pelvis=trunk_frame(hip_vector(points), up),
        spine=float(np.linalg.norm(up)),
        shoulder_width=float(np.linalg.norm(shoulder_vector(points))),
        head=head,
        face=np.array([*head.centre, joints.head[2] - FACE_DEPTH * head.width if face_depth is None else face_depth]),
        crown=CROWN if alpha is None else crown_of(alpha, head),
        sole_below=sole_below,
    )


def crown_of(alpha: Bytes, head: Head) -> float:
    """Head sizes from the middle of the face up to the top of the hair, as ``alpha`` (h, w) 0-255 shows it."""
    rows, columns = np.nonzero(alpha >= ALPHA_MIN)
    beside = np.c_[columns, rows] - head.centre
    right, down = (head.rotation[:2, axis] / np.linalg.norm(head.rotation[:2, axis]) for axis in (0, 1))
    above = -(beside @ down)[np.abs(beside @ right) < CROWN_REACH * head.width]
    if len(above) == 0:
        return CROWN
    return float(np.clip(above.max() / head.size, CROWN_MIN, CROWN_MAX))


def angles(vector: Array) -> tuple[float, float]:
    """Azimuth in the picture plane and elevation away from the camera of ``vector`` (3,), radians."""
    return float(np.arctan2(vector[1], vector[0])), float(np.arctan2(vector[2], np.hypot(vector[0], vector[1])))


def unit_vector(azimuth: float, elevation: float) -> Array:
    """(3,) the direction of ``angles``."""
    flat = np.cos(elevation)
    return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])


def wrapped(angle: float, low: float) -> float:
    """``angle`` brought into the full circle that begins at ``low``."""
    return float((angle - low) % (2 * np.pi) + low)
