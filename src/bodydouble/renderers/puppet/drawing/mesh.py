"""Textured triangle meshes, drawn by inverse mapping."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, PixelBox
from bodydouble.perception.track import FACE_POINTS
from bodydouble.perception.triangulation import triangulate
from bodydouble.renderers.puppet.painting import in_box, paint_labels

Array = NDArray[np.float64]

COARSE = 4
"""Pixels a cell of the map that is computed where the deformation is smooth."""
OUTSIDE = -1e4
"""Source coordinate of what no triangle covers: outside every picture."""
TINY = 1e-6
"""Doubled areas in square pixels, and weights (0-1), below it count as zero."""
EDGE_ON = 0.1
"""Share of its area below which a one-sided triangle is seen from its edge: where hair folds behind a turned head, it
would be a crumb beyond the outline. Chosen by eye."""
SEEN_SHARE = 0.4
"""Share of the mesh (0-1), interpolated between coarse cells, above which a pixel is seen. Chosen by eye on the
development clips."""
FOLD_JUMP = 2.5
"""Source pixels between two neighbouring pixels of a drawing from which on a fold lies between them: one side hides the
other. Chosen by eye on the development clips: there, about 1.15 pixels of the picture make one of the drawing."""
FOLD_RIM, FOLD_RIM_LENGTH_MIN = np.ones((3, 3), np.uint8), 80
"""What lies beside a fold is softened with it, where the drawing has so many pixels on its shorter side: a small face
is all folds and what lies beside them, and would be a blur."""
FOLD_JUMP_SMALL = 4.0
"""``FOLD_JUMP`` of smaller drawings."""
FOLD_SIGMA, FOLD_SIDE = 1.0, 5
"""Standard deviation and side in pixels of the blur that takes the steps out of a fold's edge."""
STRIP_ROWS = 32
"""Source coordinates are computed for so many rows at once: 128 kB for 500 columns. Measured: three times as fast as
for all rows at once."""


class Bend(Protocol):
    """A change of a texture's coordinates that is local."""

    def box(self, target: Array) -> Array:
        """(2, 2) px: corners of the frame's part in which it counts, with the mesh's vertices at ``target`` (N, 2)."""
        ...

    def apply(self, source: NDArray[np.float32]) -> None:
        """Change texture coordinates ``source`` (h, w, 2), in place."""
        ...


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """``rgba`` (h, w, 4) uint8 premultiplied, carried by ``vertices`` (N, 2) px in ``triangles`` (T, 3).

    Triangles from ``fine`` on (they are sorted) are mapped pixel by pixel, those before ``inner`` on a coarse grid: the
    fine ones between border on coarse ones, which are interpolated towards them. Those of ``one_sided`` vanish when
    they are folded over or seen from their edge.
    """

    vertices: Array
    triangles: NDArray[np.int64]
    fine: int
    inner: int
    one_sided: NDArray[np.bool_]  # (T,)
    rgba: Bytes


def build_mesh(
    vertices: Array,
    flat: Array,
    rgba: Bytes,
    is_fine: NDArray[np.bool_],
    is_one_sided: NDArray[np.bool_] | None = None,
    edge_max: float = np.inf,
) -> Mesh:
    """Triangulate where ``flat`` (N, 2) lays the vertices out; drop what covers nothing opaque.

    Triangles with an edge of more than ``edge_max`` pixels there are dropped: they only join the ends of bays in the
    vertices' outline. Bent by a turn of the head, such a sliver would show single pixels of what it passes.

    A triangle is fine where all its vertices are in ``is_fine`` (N,), one-sided where any is in ``is_one_sided``.
    """
    triangles = triangulate(flat)
    edges = flat[triangles] - flat[np.roll(triangles, 1, axis=1)]
    triangles = triangles[np.linalg.norm(edges, axis=2).max(1) <= edge_max]
    opaque = cv2.dilate((rgba[..., 3] > 1).astype(np.uint8), np.ones((3, 3), np.uint8))
    total = np.asarray(cv2.integral(opaque), np.int32)
    height, width = opaque.shape
    corners = vertices[triangles]
    low = np.clip(np.floor(corners.min(1)).astype(int) - 1, 0, [width, height])
    high = np.clip(np.ceil(corners.max(1)).astype(int) + 2, 0, [width, height])
    (x0, y0), (x1, y1) = low.T, high.T
    kept = triangles[total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0] > 0]
    fine = is_fine[kept].all(1)
    beside_coarse = np.zeros(len(vertices), np.bool_)
    beside_coarse[kept[~fine]] = True
    inner = fine & ~beside_coarse[kept].any(1)
    order = np.argsort(fine.astype(np.int64) + inner, kind="stable")
    ordered = kept[order]
    one_sided = np.zeros(len(ordered), np.bool_)
    if is_one_sided is not None:
        one_sided = np.asarray(is_one_sided[ordered].any(axis=1) | (ordered >= FACE_POINTS).all(axis=1), np.bool_)
    return Mesh(
        vertices=vertices,
        triangles=ordered,
        fine=int((~fine).sum()),
        inner=int((~inner).sum()),
        one_sided=one_sided,
        rgba=rgba,
    )


def bounds_of(points: Array, height: int, width: int, margin: float = 1.0) -> PixelBox | None:
    """Whole-pixel box around ``points`` (..., 2) inside the frame, or None where nothing is inside."""
    xs, ys = points[..., 0], points[..., 1]
    x0, y0 = (max(0, math.floor(side.min() - margin)) for side in (xs, ys))
    x1, y1 = min(width, math.ceil(xs.max() + margin) + 1), min(height, math.ceil(ys.max() + margin) + 1)
    return (x0, y0, x1, y1) if x1 - x0 >= 2 and y1 - y0 >= 2 else None


def inverse_maps(source: Array, target: Array) -> NDArray[np.float32]:
    """(3, T + 1, 2) affine maps from target to source, row 0 for outside: what x adds, what y adds, and the rest."""
    s1, s2 = source[:, 1] - source[:, 0], source[:, 2] - source[:, 0]
    e1, e2 = target[:, 1] - target[:, 0], target[:, 2] - target[:, 0]
    area = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    area = np.where(np.abs(area) < TINY, TINY, area)[:, None]
    u = np.stack([e2[:, 1], -e2[:, 0]], 1) / area
    v = np.stack([-e1[:, 1], e1[:, 0]], 1) / area
    matrix = s1[:, :, None] * u[:, None] + s2[:, :, None] * v[:, None]
    offset = source[:, 0] - np.einsum("nkj,nj->nk", matrix, target[:, 0])
    maps = np.zeros((3, len(source) + 1, 2), np.float32)
    maps[2, 0] = OUTSIDE
    maps[0, 1:], maps[1, 1:], maps[2, 1:] = matrix[..., 0], matrix[..., 1], offset
    return maps


def doubled_area(corners: Array) -> Array:
    """(T,) twice the signed area of triangles (T, 3, 2)."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _paint_order(mesh: Mesh, source: Array, target: Array, depth: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Triangles from the farthest to the nearest, those that face away first; and which triangles are seen at all."""
    area, was = doubled_area(target), doubled_area(source)
    away = area * was <= 0
    order = np.lexsort((-depth[mesh.triangles].mean(1), ~away))
    scale = np.abs(area).sum() / max(np.abs(was).sum(), TINY)
    from_edge = area * np.sign(was) < EDGE_ON * scale * np.abs(was)
    return order, (np.abs(area) > TINY) & ~(from_edge & mesh.one_sided)


def source_map(labels: NDArray[np.int32], maps: NDArray[np.float32], xs: Array, ys: Array) -> NDArray[np.float32]:
    """(h, w, 2) source coordinates at the pixels ``xs`` (w,), ``ys`` (h,)."""
    # Both coordinates are taken as one number, and a few rows at a time: the parts stay in the processor's cache.
    pairs = maps.view(np.complex64)[..., 0]
    across, down = np.repeat(xs.astype(np.float32), 2), ys.astype(np.float32)[:, None]
    height, width = labels.shape
    result, spare = np.empty((height, 2 * width), np.float32), np.empty((STRIP_ROWS, 2 * width), np.float32)
    for y in range(0, height, STRIP_ROWS):
        numbers = labels[y : y + STRIP_ROWS].astype(np.intp)
        strip, part = result[y : y + STRIP_ROWS], spare[: len(numbers)]
        pairs[0].take(numbers, out=strip.view(np.complex64), mode="clip")
        strip *= across
        pairs[1].take(numbers, out=part.view(np.complex64), mode="clip")
        part *= down[y : y + STRIP_ROWS]
        strip += part
        pairs[2].take(numbers, out=part.view(np.complex64), mode="clip")
        strip += part
    return result.reshape(height, width, 2)


def draw_mesh(
    mesh: Mesh, target: Array, depth: Array, height: int, width: int, bends: Sequence[Bend] = ()
) -> tuple[PixelBox, Bytes] | None:
    """The mesh with its vertices at ``target`` (N, 2), ``depth`` (N,) away from the camera, as premultiplied RGBA.

    ``bends`` change where the texture is sampled.
    """
    corners = target[mesh.triangles]
    box = bounds_of(corners, height, width)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    source = mesh.vertices[mesh.triangles]
    maps = inverse_maps(source, corners)
    order, solid = _paint_order(mesh, source, corners, depth)
    order = order[(solid & in_box(corners, box))[order]]
    w, h = -(-(x1 - x0) // COARSE), -(-(y1 - y0) // COARSE)
    xs = np.arange(w, dtype=np.float64) * COARSE + (x0 + 0.5 * COARSE - 0.5)
    ys = np.arange(h, dtype=np.float64) * COARSE + (y0 + 0.5 * COARSE - 0.5)
    labels = paint_labels((corners - [x0 - 0.5, y0 - 0.5]) / COARSE - 0.5, order[order < mesh.inner], (h, w))
    coarse = source_map(labels, maps, xs, ys)
    inside = (labels > 0).astype(np.uint8)
    _extend(coarse, inside.astype(np.float32))
    size = (w * COARSE, h * COARSE)
    full = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR), np.float32)[: y1 - y0, : x1 - x0]
    near = cv2.resize(inside * 255, size, interpolation=cv2.INTER_LINEAR)[: y1 - y0, : x1 - x0]
    seen = np.asarray(cv2.threshold(near, SEEN_SHARE * 255, 255, cv2.THRESH_BINARY)[1], np.uint8)
    window = _refine(mesh, corners, order, maps, box, full, seen)
    for bend in bends:
        part = bounds_of(bend.box(target), y1, x1)
        if part is not None:
            u0, v0 = max(part[0] - x0, 0), max(part[1] - y0, 0)
            bend.apply(full[v0 : part[3] - y0, u0 : part[2] - x0])
    one_map: Any = None  # both coordinates are in ``full``
    drawn = cv2.remap(mesh.rgba, full, one_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    drawn = np.asarray(cv2.copyTo(drawn, seen), np.uint8)
    if window is not None:
        smooth_folds(drawn[window], full[window])
    return box, drawn


def smooth_folds(drawn: Bytes, source: NDArray[np.float32]) -> None:
    """Soften the edges of ``drawn`` (h, w, 4) where ``source`` (h, w, 2) jumps, in place.

    A cheek before hair, or lips that meet: each pixel shows one side or the other, and the edge would have steps.
    """
    one_map: Any = None  # both coordinates are in ``source``
    fold = np.zeros(drawn.shape[:2], np.uint8)
    is_small = min(fold.shape) < FOLD_RIM_LENGTH_MIN
    least = FOLD_JUMP_SMALL if is_small else FOLD_JUMP
    pixels = cv2.convertMaps(source, one_map, cv2.CV_16SC2)[0]  # whole numbers take half the time
    for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        jumps = cv2.threshold(cv2.absdiff(pixels[first], pixels[second]), least, 255, cv2.THRESH_BINARY)[1]
        # Both coordinates' answers are two numbers of 16 bits, read as one.
        jump = (jumps.view(np.uint32)[..., 0] > 0).view(np.uint8)
        cv2.bitwise_or(fold[first], jump, fold[first])
        cv2.bitwise_or(fold[second], jump, fold[second])
    x, y, w, h = cv2.boundingRect(fold)
    if w == 0:
        return
    left, top = max(0, x - FOLD_SIDE), max(0, y - FOLD_SIDE)
    around = drawn[top : y + h + FOLD_SIDE, left : x + w + FOLD_SIDE]
    soft = cv2.GaussianBlur(around, (FOLD_SIDE, FOLD_SIDE), FOLD_SIGMA)
    beside = fold[top : y + h + FOLD_SIDE, left : x + w + FOLD_SIDE]
    cv2.copyTo(soft, beside if is_small else cv2.dilate(beside, FOLD_RIM), around)


def _extend(coarse: NDArray[np.float32], inside: NDArray[np.float32]) -> None:
    """Give the cells beside the mesh the mean of their mapped neighbours, so that interpolation has two sides."""
    weight = cv2.blur(inside, (3, 3))
    edge = (inside == 0) & (weight > TINY)
    known = cv2.copyTo(coarse, (inside > 0).view(np.uint8))
    coarse[edge] = cv2.blur(known, (3, 3))[edge] / weight[edge, None]


def _refine(
    mesh: Mesh,
    corners: Array,
    order: NDArray[np.int64],
    maps: NDArray[np.float32],
    box: PixelBox,
    full: NDArray[np.float32],
    seen: Bytes,
) -> tuple[slice, slice] | None:
    """Map the fine triangles' pixels exactly, and mark them as ``seen``; both in place.

    Answers where in ``full`` they are; None without any.
    """
    x0, y0, x1, y1 = box
    if mesh.fine >= len(corners):
        return None
    part = bounds_of(corners[mesh.fine :], y1, x1)
    if part is None:
        return None
    u0, v0, u1, v1 = max(part[0], x0), max(part[1], y0), part[2], part[3]
    if u1 - u0 < 2 or v1 - v0 < 2:
        return None
    labels = paint_labels(corners - [u0, v0], order[order >= mesh.fine], (v1 - v0, u1 - u0))
    exact = source_map(labels, maps, np.arange(u0, u1, dtype=np.float64), np.arange(v0, v1, dtype=np.float64))
    window = np.s_[v0 - y0 : v1 - y0, u0 - x0 : u1 - x0]
    covered = (labels > 0).astype(np.uint8) * np.uint8(255)
    cv2.copyTo(exact, covered, full[window])
    cv2.bitwise_or(seen[window], covered, seen[window])
    return window
