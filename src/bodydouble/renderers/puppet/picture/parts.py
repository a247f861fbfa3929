"""Which pixels of the cut-out belong to which part of the body."""

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

GRID_SIDE = 220
"""Longer side of the grid on which distances are measured."""
COLOUR_COST = 0.12
"""Extra length of a step per unit of CIELAB difference: a seam is far away although it is near."""
MARKS_REACH = 0.4
"""Half a finger, in a hand's radii: a hand's landmarks are in the middle of its fingers."""
SOFT = 0.10
"""Half width of the border between two parts, in limb radii."""


@dataclass(frozen=True, kw_only=True)
class Bone:
    """A straight part of a limb: ``start``, ``stop`` (2,) px, ``radius`` px; seeds begin at fraction ``seed_from``.

    What is inside the hull of ``marks`` (N, 2) px, or within ``MARKS_REACH`` of it, is the part's too: of a hand, whose
    fingers leave the straight line.
    """

    start: Array
    stop: Array
    radius: float
    seed_from: float = 0.0
    marks: Array | None = None


def segment_distance(points: Array, start: Array, stop: Array) -> tuple[Array, Array]:
    """Distance of ``points`` (..., 2) from a segment, and where along it (0-1) the nearest place is."""
    along = stop - start
    t = np.clip(((points - start) @ along) / max(float(along @ along), 1e-6), 0, 1)
    return np.linalg.norm(points - (start + t[..., None] * along), axis=-1), t


def pixel_grid(height: int, width: int) -> Array:
    """(h, w, 2) x, y."""
    yy, xx = np.mgrid[0:height, 0:width]
    return np.stack([xx, yy], -1).astype(np.float64)


class PartDistances:
    """Distances along the body's own surface: two sleeves that touch are near, but not across the seam or the gap."""

    def __init__(self, colour: Floats, alpha: Floats) -> None:
        height, width = alpha.shape
        self.zoom = min(1.0, GRID_SIDE / max(height, width))
        self.size = (max(8, round(width * self.zoom)), max(8, round(height * self.zoom)))
        small = np.asarray(cv2.resize(colour, self.size, interpolation=cv2.INTER_AREA), np.float32)
        lab = cv2.cvtColor(np.clip(small / 255, 0, 1), cv2.COLOR_RGB2Lab)
        self.lab = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.7), np.float64)
        self.inside: Mask = np.asarray(cv2.resize(alpha, self.size, interpolation=cv2.INTER_AREA)) > 0.35
        self.points = pixel_grid(self.size[1], self.size[0]) / self.zoom + 0.5 / self.zoom - 0.5
        self._full = (width, height)
        self._graph = self._edges()

    def _edges(self) -> sparse.csr_matrix:
        w, h = self.size
        number = np.arange(w * h).reshape(h, w)
        rows, columns, costs = [], [], []
        for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
            a = np.s_[: h - dy, max(0, -dx) : w - max(0, dx)]
            b = np.s_[dy:, max(0, dx) : w + min(0, dx)]
            both = self.inside[a] & self.inside[b]
            step = np.hypot(dx, dy) / self.zoom
            seam = np.linalg.norm(self.lab[a] - self.lab[b], axis=-1)
            rows.append(number[a][both])
            columns.append(number[b][both])
            costs.append((step * (1 + COLOUR_COST * seam))[both])
        shape = (w * h, w * h)
        return sparse.csr_matrix((np.concatenate(costs), (np.concatenate(rows), np.concatenate(columns))), shape)

    def seeds(self, bone: Bone) -> Mask:
        """The grid's pixels on the bone's axis and among its marks."""
        start = bone.start + (bone.stop - bone.start) * bone.seed_from
        near, _ = segment_distance(self.points, start, bone.stop)
        seeds = (near < max(0.3 * bone.radius, 0.8 / self.zoom)) & self.inside
        if bone.marks is None:
            return seeds
        reach = MARKS_REACH * bone.radius * self.zoom
        return seeds | ((around(self.inside.shape, bone.marks * self.zoom, reach) > 0.5) & self.inside)

    def within(self, polygon: Array) -> Mask:
        """The grid's pixels inside ``polygon`` (N, 2)."""
        mask = np.zeros(self.inside.shape, np.uint8)
        cv2.fillPoly(mask, [np.round(polygon * self.zoom).astype(np.int32)], 1)
        return (mask > 0) & self.inside

    def distance(self, seeds: Mask) -> Array:
        """(h, w) of the grid, px of the picture; infinite where no way leads."""
        start = np.flatnonzero(seeds.ravel())
        if len(start) == 0:
            return np.full(seeds.shape, np.inf)
        found = dijkstra(self._graph, directed=False, indices=start, min_only=True)
        return np.asarray(found).reshape(seeds.shape)

    def split(self, distances: list[Array]) -> list[Floats]:
        """Soft masks (H, W) 0-1 of the picture, one for each of ``distances`` (in radii), summing to about one."""
        stack = np.minimum(np.stack(distances), 1e3)
        # Pixels that no part reaches (thin hair outside the grid's matte) go with their nearest neighbour.
        lost = (stack >= 1e3).all(0)
        if lost.any() and not lost.all():
            _, nearest = cv2.distanceTransformWithLabels(
                np.asarray(lost, np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
            )
            nearest = np.asarray(nearest, np.int32)
            table = np.zeros((len(distances), int(nearest.max()) + 1))
            table[:, nearest[~lost]] = stack[:, ~lost]
            stack = np.where(lost, table[:, nearest], stack)
        masks: list[Floats] = []
        for k in range(len(distances)):
            others = np.delete(stack, k, 0).min(0) if len(distances) > 1 else np.full(stack[k].shape, 1e3)
            lead = np.clip(others - stack[k], -3, 3).astype(np.float32)
            wide = cv2.resize(lead, self._full, interpolation=cv2.INTER_LINEAR)
            masks.append(np.clip(0.5 + wide / (2 * SOFT), 0, 1).astype(np.float32))
        return masks


def around(shape: tuple[int, ...], marks: Array, reach: float) -> Floats:
    """(h, w) 1 inside the hull of ``marks`` (N, 2) px, 0.5 at ``reach`` px from it, with a rim of half of that."""
    outside = np.ones(shape[:2], np.uint8)
    cv2.fillConvexPoly(outside, cv2.convexHull(np.round(marks).astype(np.int32)), 0)
    away = np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, 5), np.float32)
    return np.clip((reach - away) / max(0.5 * reach, 1.0) + 0.5, 0, 1)


def disc(shape: tuple[int, int], centre: Array, radius: float, axis: Array | None = None) -> Floats:
    """(h, w) a round mask with a soft rim of an eighth of the radius.

    With ``axis`` (2,) it is an ellipse: in that direction only as long as the vector, 0-1 diameters.
    """
    return _round(shape, centre, radius, 0.125 * radius, axis)


def soft_disc(shape: tuple[int, int], centre: Array, radius: float, axis: Array | None = None) -> Floats:
    """(h, w) a round mask that is whole up to 0.4 of the radius and fades out from there; as ``disc``."""
    return _round(shape, centre, 0.7 * radius, 0.6 * radius, axis)


def _round(shape: tuple[int, int], centre: Array, radius: float, rim: float, axis: Array | None) -> Floats:
    """(h, w) 1 within ``radius`` px, 0.5 on it, falling over ``rim`` px; ``axis`` as in ``disc``."""
    rim = max(rim, 1.0)
    mask = np.zeros(shape, np.float32)
    x0, y0 = np.maximum(np.floor(centre - radius - rim).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(centre + radius + rim).astype(int) + 1, [shape[1], shape[0]])
    if x1 > x0 and y1 > y0:
        dx, dy = np.arange(x0, x1)[None] - centre[0], np.arange(y0, y1)[:, None] - centre[1]
        away = np.hypot(dx, dy)
        if axis is not None:
            share = max(float(np.hypot(*axis)), 1e-3)
            along = (dx * axis[0] + dy * axis[1]) / share
            away = np.sqrt(np.maximum(away**2 - along**2, 0) + (along / share) ** 2)
        mask[y0:y1, x0:x1] = np.clip((radius - away) / rim + 0.5, 0, 1)
    return mask
