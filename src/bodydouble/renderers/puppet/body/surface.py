"""Part, depth and bone weights of the fitted body at each pixel."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BONES, BodyTemplate
from bodydouble.renderers.puppet.painting import LINE_END_MAX, in_box, paint_labels

Array = NDArray[np.float64]

LIMB_BONES = MappingProxyType({"arm": ("upperarm", "lowerarm", "hand"), "leg": ("thigh", "calf", "foot")})
"""The bones of each kind of limb, without their side."""
TINY = 1e-6
"""Sums of weights below it count as zero."""
DEPTH_BLUR_MIN = 0.75
"""Smallest standard deviation in pixels with which depth is smoothed. Chosen by eye on the development clips."""
WEIGHT_BLUR, DEPTH_BLUR = 0.16, 0.12
"""Standard deviations in decimetres with which weights and depth are smoothed: seams of the mesh's parts are hard."""
SAMPLES_PER_BLUR = 1.6
"""Samples of a smoothed field for each standard deviation: interpolated between them it differs by at most 1 %."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Fields over a picture (h, w), continued beyond the body by its nearest pixel.

    Weights and depth are smooth, and kept for every ``step``-th row and column only: at full size they would be the
    renderer's largest arrays.
    """

    weights: Floats  # (ceil(h / step), ceil(w / step), len(BONES)), sums to 1
    depth: Floats  # (ceil(h / step), ceil(w / step)) px, away from the camera
    inside: Mask  # (h, w) the body's silhouette
    step: int  # px between two samples of weights and depth

    def reduced(self, field: NDArray[Any]) -> NDArray[Any]:
        """``field`` (h, w, ...) where ``weights`` and ``depth`` are sampled."""
        return sampled(field, self.step)

    def share(self, bones: tuple[str, ...]) -> Floats:
        """(h, w) sum of the weights of ``bones``, 0-1."""
        height, width = self.inside.shape
        small = bone_share(self.weights, bones)
        size = (small.shape[1] * self.step, small.shape[0] * self.step)
        return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.float32)[:height, :width]

    def at(self, points: Array) -> tuple[Array, Array]:
        """(N, len(BONES)) weights and (N,) depth at ``points`` (N, 2) px; beyond the border as on it."""
        height, width = self.depth.shape
        place = np.clip((points - self.step // 2) / self.step, 0, [width - 1, height - 1])
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, [width - 1, height - 1])
        across, down = (place - low).T
        weights, depth = np.zeros((len(points), self.weights.shape[2])), np.zeros(len(points))
        for x, x_share in ((low[:, 0], 1 - across), (high[:, 0], across)):
            for y, y_share in ((low[:, 1], 1 - down), (high[:, 1], down)):
                share = x_share * y_share
                weights += share[:, None] * self.weights[y, x]
                depth += share * self.depth[y, x]
        return weights, depth


def sampled(field: NDArray[Any], step: int) -> NDArray[Any]:
    """Every ``step``-th row and column of ``field`` (h, w, ...): the middle ones, and the last."""
    rows, columns = (np.minimum(np.arange(0, n, step) + step // 2, n - 1) for n in field.shape[:2])
    return field[rows[:, None], columns]


def bone_share(weights: NDArray[Any], bones: tuple[str, ...]) -> Array:
    """(...) the sum over ``bones`` of ``weights`` (..., len(BONES))."""
    return sum((weights[..., BONES.index(bone)] for bone in bones), np.zeros(weights.shape[:-1], weights.dtype))


def limb_triangles(template: BodyTemplate, limb: str, side: str, share_min: float) -> Mask:
    """(T,) triangles that follow the "arm" or "leg" of ``side`` by more than ``share_min``."""
    bones = LIMB_BONES[limb]
    return bone_share(template.triangle_weights, tuple(f"{bone}_{side}" for bone in bones)) > share_min


def both_limbs(template: BodyTemplate, limb: str, share_min: float = 0.5) -> Mask:
    """(T,) as ``limb_triangles``, for both sides."""
    left, right = (limb_triangles(template, limb, side, share_min) for side in ("l", "r"))
    return left | right


def label_triangles(
    vertices: Array, triangles: NDArray[np.int64], shape: tuple[int, int], far: bool = False
) -> NDArray[np.int32]:
    """(h, w) int32: number + 1 of the nearest (or farthest) of ``triangles`` (T, 3) at each pixel, 0 outside.

    ``vertices`` (V, 3) are in pixels. A painter's algorithm by mean depth: exact enough for a body's small triangles.
    """
    corners = vertices[triangles]
    flat, depth = corners[..., :2], corners[..., 2].mean(1)
    # Triangles that look the other way are always behind others of a closed surface: half of the work is saved.
    a, b = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    height, width = shape
    shown = np.flatnonzero((area < 0 if not far else area > 0) & in_box(flat, (0, 0, width, height)))
    order = shown[np.argsort(depth[shown] if far else -depth[shown], kind="stable")]
    return paint_labels(np.clip(flat, -LINE_END_MAX, LINE_END_MAX), order, shape)


def nearest_of(labels: NDArray[np.int32], chosen: Mask) -> Mask:
    """(h, w) where one of the ``chosen`` (T,) triangles lies before all others; ``labels`` are those of all."""
    return chosen[np.maximum(labels - 1, 0)] & (labels > 0)


def continued(field: NDArray[Any], inside: Mask) -> NDArray[Any]:
    """``field`` (h, w, ...) with each pixel outside ``inside`` (h, w) as its nearest pixel inside."""
    if not inside.any():
        return field
    _, labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.asarray(labels, np.int32)
    values = np.zeros((int(nearest.max()) + 1, *field.shape[2:]), field.dtype)
    values[nearest[inside]] = field[inside]
    return values.take(nearest, axis=0)


def surface_of(
    labels: NDArray[np.int32], vertices: Array, template: BodyTemplate, chosen: NDArray[np.bool_], scale: float
) -> Surface:
    """The front (or back) of the ``chosen`` (T,) triangles, whose ``labels`` (h, w) are given.

    ``scale`` is px for a decimetre.
    """
    triangles = template.triangles[chosen]
    inside = labels > 0
    sigma = max(1.0, WEIGHT_BLUR * scale)
    step = max(1, int(sigma / SAMPLES_PER_BLUR))
    number = sampled(continued(np.maximum(labels - 1, 0), inside), step)
    weights = template.triangle_weights[chosen].astype(np.float32)[number]
    for k in np.flatnonzero(weights.any((0, 1))):
        weights[..., k] = cv2.GaussianBlur(weights[..., k], (0, 0), sigma / step)
    weights /= np.maximum(weights.sum(2, keepdims=True), TINY)
    depth = vertices[triangles][..., 2].mean(1).astype(np.float32)[number]
    depth = cv2.GaussianBlur(depth, (0, 0), max(DEPTH_BLUR_MIN, DEPTH_BLUR * scale) / step)
    return Surface(weights=weights, depth=np.asarray(depth, np.float32), inside=inside, step=step)
