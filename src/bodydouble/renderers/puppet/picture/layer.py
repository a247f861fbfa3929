"""One part of the character on a mesh that the body's bones move."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Floats, Mask
from bodydouble.renderers.puppet.body.surface import Surface, bone_share
from bodydouble.renderers.puppet.picture.joint_patches import JointPatch

Array = NDArray[np.float64]

CELL = 0.28
"""Side of a mesh cell in decimetres of the body: elbows bend over about one decimetre."""
CELL_MIN = 6
"""The same in pixels at least: smaller cells cost time and show nothing more."""
TRACE, MOSTLY = 0.02, 0.6
"""Alphas above which a pixel shows anything, and is opaque for a cell. Chosen by eye on the development clips."""
OPAQUE_SHARE = 0.97
"""Share of a cell's pixels that are opaque in an opaque cell. Chosen by eye on the development clips."""
MESH_RIM_SIDE = 5
"""Side in pixels of the square by which a layer's mesh is widened, for soft rims. Chosen by eye on the development
clips."""
BEYOND_JOINT = tuple(f"{bone}_{side}" for bone in ("lowerarm", "hand", "calf", "foot") for side in "lr")
"""The bones of limbs beyond elbows and knees."""
TINY = 1e-9
"""Sums of weights below it count as zero."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A part of the picture on a mesh of its own."""

    vertices: Array  # (N, 3) px in the picture, z away from the camera
    weights: Array  # (N, bones), rows sum to 1
    triangles: NDArray[np.int64]  # (T, 3)
    opaque: Mask  # (T,) drawn after the others: transparent rims never cut holes into a folded limb
    rgba: Bytes  # (h, w, 4) premultiplied: the whole part, with what others hide of it
    front: Bytes | None  # the visible part, drawn again before the trunk; None for the trunk
    moved: Bytes | None = None  # an arm's ``front`` where it has left its place: with what only there is hidden
    hand: Bytes | None = None  # (h, w) 0-255 where an arm's hand is
    joint: JointPatch | None = None  # of a limb whose elbow or knee is whole in ``rgba``
    back: Bytes | None = None  # the trunk seen from behind: hair instead of the face
    skull: Mask | None = None  # (h, w) the back of the head in ``back``, down to the nape
    beyond: Mask | None = None  # (T,) of a limb: beyond its elbow or knee


def make_layer(
    colour: Floats,
    alpha: Floats,
    surface: Surface,
    scale: float,
    front: Floats | None = None,
    around: Floats | None = None,
) -> Layer:
    """A layer of ``colour`` (h, w, 3) and ``alpha`` (h, w) on a square grid that covers what is not transparent.

    The grid covers what another texture shows too: where ``around`` (h, w) 0-1 is not transparent.
    """
    height, width = alpha.shape
    cell = max(CELL_MIN, round(CELL * scale))
    rows, columns = -(-height // cell) + 1, -(-width // cell) + 1
    ys, xs = np.mgrid[0:rows, 0:columns] * cell
    points = np.stack([xs.ravel(), ys.ravel()], 1).astype(np.float64)
    number = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack([number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]], -1).reshape(-1, 4)
    covered = alpha if around is None else np.maximum(alpha, around)
    near = np.asarray(
        cv2.dilate((covered > TRACE).astype(np.uint8), np.ones((MESH_RIM_SIDE, MESH_RIM_SIDE), np.uint8)), np.uint8
    )
    quads = quads[_box_sums(near, points[quads[:, 0]], points[quads[:, 2]]) > 0]
    used = np.unique(quads)
    renumbered = np.zeros(len(points), np.int64)
    renumbered[used] = np.arange(len(used))
    points, quads = points[used], renumbered[quads]
    weights, depth = surface.at(points)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Layer(
        vertices=np.c_[points, depth],
        weights=weights / np.maximum(weights.sum(1, keepdims=True), TINY),
        triangles=triangles,
        opaque=_opaque(alpha, points[triangles]),
        rgba=premultiplied(colour, alpha),
        front=None if front is None else premultiplied(colour, front),
    )


def retextured(layer: Layer, rgba: Bytes) -> Layer:
    """``layer`` with the texture ``rgba`` (h, w, 4), and without the triangles that show nothing of it."""
    corners = layer.vertices[layer.triangles][..., :2]
    seen = (rgba[..., 3] > 0).astype(np.uint8)
    shown = _box_sums(seen, corners.min(1) - MESH_RIM_SIDE // 2, corners.max(1) + MESH_RIM_SIDE // 2) > 0
    return replace(
        layer,
        rgba=rgba,
        triangles=layer.triangles[shown],
        opaque=_opaque(np.asarray(rgba[..., 3] / 255, np.float32), corners[shown]),
        beyond=None if layer.beyond is None else layer.beyond[shown],
    )


def _opaque(alpha: Floats, corners: Array) -> Mask:
    """(T,) which of the triangles with ``corners`` (T, 3, 2) px lie in cells that ``alpha`` (h, w) 0-1 fills."""
    low, high = corners.min(1), corners.max(1)
    whole = _box_sums((alpha > MOSTLY).astype(np.uint8), low, high)
    return np.asarray(whole >= OPAQUE_SHARE * (high - low).prod(1), np.bool_)


def beyond_joint(layer: Layer) -> Mask:
    """(T,) which triangles of a limb's ``layer`` lie beyond its elbow or knee."""
    return np.asarray(bone_share(layer.weights, BEYOND_JOINT)[layer.triangles].mean(1) > 0.5, np.bool_)


def premultiplied(colour: Floats, alpha: Floats) -> Bytes:
    """(h, w, 4) uint8 from ``colour`` 0-255 and ``alpha`` 0-1."""
    result = np.zeros((*alpha.shape, 4), np.uint8)
    x, y, w, h = cv2.boundingRect((alpha > 0).astype(np.uint8))
    if w == 0:
        return result
    here = np.s_[y : y + h, x : x + w]
    share = np.clip(alpha[here], 0, 1)
    seen = np.clip(colour[here], 0, 255)
    seen *= share[..., None]
    # OpenCV rounds to bytes, half to even.
    result[here] = cv2.merge([*cv2.split(cv2.convertScaleAbs(seen)), cv2.convertScaleAbs(share, alpha=255)])
    return result


def _box_sums(mask: Bytes, low: Array, high: Array) -> NDArray[np.int32]:
    """(N,) sums of ``mask`` (h, w) over the boxes from ``low`` to ``high`` (N, 2), cut to the picture."""
    height, width = mask.shape
    total = np.asarray(cv2.integral(mask), np.int32)
    x0, y0 = np.clip(low.astype(int), 0, [width, height]).T
    x1, y1 = np.clip(high.astype(int), 0, [width, height]).T
    return total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]
