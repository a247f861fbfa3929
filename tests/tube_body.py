"""A body template of tubes around the bones, for tests without the installed template."""

from functools import cache

import numpy as np

from bodydouble.perception.body_template import BONES, BodyTemplate

_HALF = {
    "shoulder": (1.7, -5.0, 0.0),
    "elbow": (3.0, -3.2, 0.0),
    "hand": (4.2, -1.8, 0.0),
    "finger-3-1": (4.7, -1.2, 0.0),
    "upper-leg": (1.0, -0.5, 0.0),
    "knee": (1.3, 3.4, 0.0),
    "ankle": (1.6, 7.5, 0.0),
    "foot-1": (1.7, 8.1, -1.2),
    "eye": (0.3, -7.4, -1.0),
}
JOINTS = {
    "joint-neck": np.array([0.0, -5.9, 0.0]),
    "joint-head": np.array([0.0, -7.0, -0.3]),
    **{f"joint-l-{name}": np.array(place) for name, place in _HALF.items()},
    **{f"joint-r-{name}": np.array(place) * [-1, 1, 1] for name, place in _HALF.items()},
}
AROUND = 8
"""Corners of a tube's cross-section."""


def _ends(bone: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Start, end and radius of the tube of ``bone``, in units of the template."""
    side = bone[-1]
    limbs = {
        "clavicle": ("shoulder", "shoulder", 0.1),
        "upperarm": ("shoulder", "elbow", 0.42),
        "lowerarm": ("elbow", "hand", 0.33),
        "hand": ("hand", "finger-3-1", 0.3),
        "thigh": ("upper-leg", "knee", 0.7),
        "calf": ("knee", "ankle", 0.5),
        "foot": ("ankle", "foot-1", 0.35),
    }
    name = bone.split("_")[0]
    if name in limbs:
        start, stop, radius = limbs[name]
        return JOINTS[f"joint-{side}-{start}"], JOINTS[f"joint-{side}-{stop}"] + [0, 0.01, 0], radius
    heights = {"pelvis": (0.2, -1.2), "spine_01": (-1.2, -2.5), "spine_02": (-2.5, -3.8), "spine_03": (-3.8, -5.3)}
    if bone in heights:
        low, high = heights[bone]
        return np.array([0.0, low, 0.0]), np.array([0.0, high, 0.0]), 1.5
    if bone == "neck_01":
        return np.array([0.0, -5.2, 0.0]), JOINTS["joint-head"], 0.5
    return JOINTS["joint-head"] + [0, 0.6, 0], JOINTS["joint-head"] - [0, 1.4, 0], 0.8


@cache
def tube_body() -> BodyTemplate:
    """One closed tube for each bone, weighted only to this bone. Triangles wind as in the installed template."""
    vertices, triangles, weights = [], [], []
    for number, bone in enumerate(BONES):
        start, stop, radius = _ends(bone)
        axis = (stop - start) / np.linalg.norm(stop - start)
        side = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        other = np.cross(axis, side)
        first = len(vertices)
        for place in (start, stop):
            for k in range(AROUND):
                angle = 2 * np.pi * k / AROUND
                vertices.append(place + radius * (np.cos(angle) * side + np.sin(angle) * other))
        for k in range(AROUND):
            a, b = first + k, first + (k + 1) % AROUND
            c, d = a + AROUND, b + AROUND
            triangles += [[a, c, b], [b, c, d]]
        for k in range(1, AROUND - 1):
            triangles += [[first, first + k, first + k + 1]]
            triangles += [[first + AROUND, first + AROUND + k + 1, first + AROUND + k]]
        weights += [np.eye(len(BONES))[number]] * (2 * AROUND)
    return BodyTemplate(
        vertices=np.array(vertices), triangles=np.array(triangles), weights=np.array(weights), joints=JOINTS
    )
