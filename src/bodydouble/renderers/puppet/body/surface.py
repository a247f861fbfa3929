"""What the fitted body shows at each pixel: which part, how deep, and which bones move it."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.body_template import BONES, BodyTemplate

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

LIMB_BONES = MappingProxyType({"arm": ("upperarm", "lowerarm", "hand"), "leg": ("thigh", "calf", "foot")})
"""The bones of each kind of limb, without their side."""
SUBPIXEL_BITS = 4
WEIGHT_BLUR = 0.16
"""Standard deviation in decimetres by which weights and depth are smoothed: seams of the mesh's parts are hard."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Fields over a picture, continued beyond the body by its nearest pixel."""

    weights: Floats  # (h, w, len(BONES)), sums to 1
    depth: Floats  # (h, w) px, away from the camera
    inside: Mask  # (h, w) the body's silhouette


def triangle_weights(template: BodyTemplate) -> Array:
    """(T, len(BONES)) the mean skinning weights of each triangle's corners."""
    return template.weights[template.triangles].mean(1)


def bone_share(weights: NDArray[Any], bones: tuple[str, ...]) -> Array:
    """(...) the sum over ``bones`` of ``weights`` (..., len(BONES))."""
    return weights[..., [BONES.index(bone) for bone in bones]].sum(-1)


def limb_triangles(template: BodyTemplate, limb: str, side: str, share_min: float) -> Mask:
    """(T,) triangles that follow the "arm" or "leg" of ``side`` by more than ``share_min``."""
    bones = LIMB_BONES[limb]
    return bone_share(triangle_weights(template), tuple(f"{bone}_{side}" for bone in bones)) > share_min


def label_triangles(
    vertices: Array, triangles: NDArray[np.int64], shape: tuple[int, int], far: bool = False
) -> NDArray[np.int32]:
    """(h, w) int32: number + 1 of the nearest (or farthest) of ``triangles`` (T, 3) at each pixel, 0 outside.

    ``vertices`` (V, 3) are in pixels. A painter's algorithm by mean depth: exact enough for a body's small triangles.
    """
    labels = np.zeros(shape, np.int32)
    corners = vertices[triangles]
    depth = corners[..., 2].mean(1)
    fixed = np.round(np.clip(corners[..., :2], -8000, 8000) * (1 << SUBPIXEL_BITS)).astype(np.int32)
    # Triangles that look the other way are always behind others of a closed surface: half of the work is saved.
    a, b = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    facing = np.flatnonzero(area < 0 if not far else area > 0)
    order = facing[np.argsort(depth[facing] if far else -depth[facing], kind="stable")]
    fill = cv2.fillConvexPoly
    for k in order.tolist():
        fill(labels, fixed[k], k + 1, cv2.LINE_8, SUBPIXEL_BITS)
    return labels


def continued(field: NDArray[Any], inside: Mask) -> NDArray[Any]:
    """``field`` (h, w, ...) with each pixel outside ``inside`` (h, w) as its nearest pixel inside."""
    if not inside.any():
        return field
    _, labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.asarray(labels, np.int32)
    table = np.zeros(int(nearest.max()) + 1, np.int64)
    table[nearest[inside]] = np.flatnonzero(inside.ravel())
    return field.reshape(-1, *field.shape[2:])[table[nearest]]


def surface_of(
    vertices: Array,
    template: BodyTemplate,
    chosen: NDArray[np.bool_],
    shape: tuple[int, int],
    scale: float,
    far: bool = False,
) -> Surface:
    """The front (or back) of the ``chosen`` (T,) triangles; ``scale`` is px for a decimetre."""
    triangles = template.triangles[chosen]
    labels = label_triangles(vertices, triangles, shape, far)
    inside = labels > 0
    # Continued as numbers: the weights of a large picture are the renderer's largest array.
    number = continued(np.maximum(labels - 1, 0), inside)
    weights = triangle_weights(template)[chosen].astype(np.float32)[number]
    depth = vertices[triangles][..., 2].mean(1).astype(np.float32)[number]
    sigma = max(1.0, WEIGHT_BLUR * scale)
    used = np.flatnonzero(weights.any((0, 1)))
    for k in used:
        weights[..., k] = cv2.GaussianBlur(weights[..., k], (0, 0), sigma)
    weights /= np.maximum(weights.sum(2, keepdims=True), 1e-6)
    depth = cv2.GaussianBlur(depth, (0, 0), 0.75 * sigma)
    return Surface(weights=weights, depth=np.asarray(depth, np.float32), inside=inside)
