"""Laying the body template on a picture's joints."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.body_template import BONES, BodyTemplate
from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.perception.trunk import hip_vector, shoulder_vector
from bodydouble.renderers.puppet.body.skeleton import (
    ARMS,
    LEGS,
    SHORTEST,
    SIDES,
    SPINE_SHARES,
    Joints,
    normalized,
    trunk_frame,
)
from bodydouble.renderers.puppet.body.surface import Surface, label_triangles, surface_of
from bodydouble.renderers.puppet.picture.anatomy import Anatomy

Array = NDArray[np.float64]

HEAD_SCALE_MIN, HEAD_SCALE_MAX = 0.6, 3.0
"""Limits of a head's scale over its body's: heads of drawn figures are large. Chosen by eye on drawn pictures."""
HEAD_DEPTH = 0.6
"""Depth of a head over the template's, scaled to the height of its eyes. Measured in eleven clips by how far faces move
aside as they turn: their middle is 0.6 face widths before the joint, the template's 1.0."""
OPPOSITE = -0.9999
"""Cosine below which two directions are opposite, and the axis of the half turn between them is arbitrary."""
WIDTH_MIN, WIDTH_MAX = 0.8, 1.25
"""Bounds of shoulder and hip width over the template's, in units of the common scale."""


@dataclass(frozen=True, kw_only=True)
class Girth:
    """Factors on the thickness of limbs, 1 as in the template."""

    arm: float = 1.0
    leg: float = 1.0


@dataclass(frozen=True, kw_only=True)
class BodyFit:
    """The template laid on a picture."""

    vertices: Array  # (V, 3) px, z away from the camera
    joints: Joints
    scale: float  # px for a decimetre of the template
    _painted: dict[Any, NDArray[np.int32]] = field(default_factory=dict[Any, NDArray[np.int32]], init=False, repr=False)

    def labels(self, triangles: NDArray[np.int64], shape: tuple[int, int], far: bool = False) -> NDArray[np.int32]:
        """As ``label_triangles``, of the body's ``triangles`` (T, 3); read-only, and painted once for all who ask."""
        key = triangles.tobytes(), shape, far
        if key not in self._painted:
            labels = self._painted[key] = label_triangles(self.vertices, triangles, shape, far)
            labels.setflags(write=False)
        return self._painted[key]

    def surface(self, template: BodyTemplate, chosen: NDArray[np.bool_], shape: tuple[int, int]) -> Surface:
        """The front of the ``chosen`` (T,) triangles in a picture of ``shape``."""
        labels = self.labels(template.triangles[chosen], shape)
        return surface_of(labels, self.vertices, template, chosen, self.scale)


@dataclass(frozen=True, kw_only=True)
class _BoneMap:
    """An affine map template → picture: ``matrix`` about ``origin``, which goes to ``target``."""

    matrix: Array  # (3, 3)
    origin: Array  # (3,)
    target: Array  # (3,)


def fit_body(template: BodyTemplate, anatomy: Anatomy, joints: Joints, girth: Girth = Girth()) -> BodyFit:
    """Bone by bone affine maps from the template to ``joints``, blended by the skinning weights.

    A bone is stretched to the distance of its landmarks; its thickness follows the whole body's scale.
    """
    scale = body_scale(template, joints)
    maps = _trunk_maps(template, anatomy, joints, scale)
    for side in SIDES:
        maps |= _limb_maps(template, joints, side, scale, girth)
    vertices = np.zeros_like(template.vertices)
    for k, bone in enumerate(BONES):
        used = np.flatnonzero(template.weights[:, k] > 0)
        bone_map = maps[bone]
        placed = (template.vertices[used] - bone_map.origin) @ bone_map.matrix.T + bone_map.target
        vertices[used] += template.weights[used, k : k + 1] * placed
    return BodyFit(vertices=vertices, joints=joints, scale=scale)


def body_scale(template: BodyTemplate, joints: Joints) -> float:
    """Pixels for a decimetre: the mean of what shoulder width and spine say."""
    wide = _ratio(shoulder_vector(joints.points), _between(template, "shoulder"))
    long = _ratio(joints.shoulders - joints.hips, _middle(template, "shoulder") - _middle(template, "upper-leg"))
    return float(np.sqrt(wide * long))


def _between(template: BodyTemplate, name: str) -> Array:
    """(3,) from the right to the left joint."""
    return template.joints[f"joint-l-{name}"] - template.joints[f"joint-r-{name}"]


def _middle(template: BodyTemplate, name: str) -> Array:
    return (template.joints[f"joint-l-{name}"] + template.joints[f"joint-r-{name}"]) / 2


def _ratio(wanted: Array, own: Array) -> float:
    return float(np.linalg.norm(wanted) / max(float(np.linalg.norm(own)), SHORTEST))


def _trunk_maps(template: BodyTemplate, anatomy: Anatomy, joints: Joints, scale: float) -> dict[str, _BoneMap]:
    """Pelvis, spine, shoulders, neck and head."""
    points = joints.points
    top, bottom = _middle(template, "shoulder"), _middle(template, "upper-leg")
    up = joints.shoulders - joints.hips
    own = trunk_frame(_between(template, "shoulder"), top - bottom)
    chest_width = np.clip(_ratio(shoulder_vector(points), _between(template, "shoulder")) / scale, WIDTH_MIN, WIDTH_MAX)
    hip_width = np.clip(_ratio(hip_vector(points), _between(template, "upper-leg")) / scale, WIDTH_MIN, WIDTH_MAX)
    tall = _ratio(up, top - bottom)
    maps: dict[str, _BoneMap] = {}
    for bone, share in SPINE_SHARES:
        lateral = (1 - share) * normalized(hip_vector(points)) + share * normalized(shoulder_vector(points))
        wide = ((1 - share) * hip_width + share * chest_width) * scale
        frame = trunk_frame(lateral, up)
        maps[bone] = _BoneMap(
            matrix=frame @ np.diag([wide, tall, scale]) @ own.T,
            origin=bottom + share * (top - bottom),
            target=joints.hips + share * up,
        )
    for side in SIDES:
        maps[f"clavicle_{side}"] = maps["spine_03"]
    chest = maps["spine_03"]
    head_scale = _head_scale(anatomy, joints, template, scale)
    maps["head"] = _BoneMap(
        matrix=anatomy.head.rotation @ np.diag([1, 1, HEAD_DEPTH]) * head_scale,
        origin=template.joints["joint-head"],
        target=joints.head,
    )
    neck = template.joints["joint-neck"]
    start = chest.matrix @ (neck - chest.origin) + chest.target
    turn = shortest_arc(chest.matrix @ (template.joints["joint-head"] - neck), joints.head - start)
    maps["neck_01"] = _BoneMap(
        matrix=turn @ trunk_frame(shoulder_vector(points), up) @ own.T * ((head_scale + scale) / 2),
        origin=neck,
        target=start,
    )
    return maps


def _head_scale(anatomy: Anatomy, joints: Joints, template: BodyTemplate, scale: float) -> float:
    """Pixels for a decimetre of the head: of a drawn figure often far more than of its body."""
    if anatomy.face is None:
        return scale
    own = float(np.linalg.norm(_middle(template, "eye")[:2] - template.joints["joint-head"][:2]))
    eyes = (anatomy.face[FacePoint.LEFT_IRIS, :2] + anatomy.face[FacePoint.RIGHT_IRIS, :2]) / 2
    return float(np.clip(np.hypot(*(eyes - joints.head[:2])) / own, HEAD_SCALE_MIN * scale, HEAD_SCALE_MAX * scale))


def _limb_maps(template: BodyTemplate, joints: Joints, side: str, scale: float, girth: Girth) -> dict[str, _BoneMap]:
    """Arm and leg of one side."""
    points = joints.points
    up = joints.shoulders - joints.hips
    own = trunk_frame(_between(template, "shoulder"), _middle(template, "shoulder") - _middle(template, "upper-leg"))
    maps: dict[str, _BoneMap] = {}
    for chain, names, bones, lateral, thick in (
        (
            ARMS[side],
            ("shoulder", "elbow", "hand", "finger-3-1"),
            ("upperarm", "lowerarm", "hand"),
            shoulder_vector(points),
            scale * girth.arm,
        ),
        (
            LEGS[side],
            ("upper-leg", "knee", "ankle", "foot-1"),
            ("thigh", "calf", "foot"),
            hip_vector(points),
            scale * girth.leg,
        ),
    ):
        turn = trunk_frame(lateral, up) @ own.T
        places = [*(points[index] for index in chain.joints), points[list(chain.tip)].mean(0)]
        for k, bone in enumerate(bones):
            start, stop = (template.joints[f"joint-{side}-{name}"] for name in names[k : k + 2])
            along, wanted = stop - start, places[k + 1] - places[k]
            turn = shortest_arc(turn @ along, wanted) @ turn
            axis = normalized(along)
            stretch = thick if k == 2 else _ratio(wanted, along)
            shape = thick * np.eye(3) + (stretch - thick) * np.outer(axis, axis)
            maps[f"{bone}_{side}"] = _BoneMap(matrix=turn @ shape, origin=start, target=places[k])
    return maps


def shortest_arc(a: Array, b: Array) -> Array:
    """(3, 3) the smallest rotation that turns the direction of ``a`` (3,) to that of ``b`` (3,)."""
    a, b = normalized(a), normalized(b)
    cosine = float(a @ b)
    if cosine < OPPOSITE:
        return np.diag([-1.0, -1.0, 1.0])
    x, y, z = np.cross(a, b)
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + skew + skew @ skew / (1 + cosine)
