"""The back of the head as a dome behind the face: what shows beside a face that turns away."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Floats, Mask, PixelBox
from bodydouble.renderers.puppet.body.surface import continued
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.drawing.mesh import bounds_of, doubled_area, inverse_maps, source_map
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.motion.head import OVAL, Head
from bodydouble.renderers.puppet.painting import paint_labels
from bodydouble.renderers.puppet.picture.regions import opened

Array = NDArray[np.float64]

STEPS, STEP_PIXELS_MAX = 7, 18
"""Cells of the dome's grid for a face width, and the largest cell in pixels: outlines of close-ups have no corners."""
SILHOUETTE = 0.45
"""Face widths from the face's outline at which hair no longer turns with the face but stays the head's outline."""
HAIR_DEPTH = 0.25
"""Face widths by which hair and ears at ``SILHOUETTE`` lie behind the face's outline."""
TUFTS = 0.06
"""Half the width in face widths of locks that are no part of the dome: drawn out to its depth they would be spikes."""
BOXY = 2.6
"""Exponent of the dome's profile: 2 is a sphere, more is rounder at the rim and flatter behind, as skulls are."""
DEPTH = 1.0
"""Depth of the dome over its radius: a head is about as deep behind its ears as half its width."""
NECK_SHARE, NAPE_REACH = 0.5, 0.7
"""Share of the depth that is left at the nape, and radii over which the dome comes in to it."""
EDGE = 0.06
"""Face widths over which its lower end goes over into the neck."""
SPREAD = 0.04
"""Face widths over which the rim mixes the depths of the face's outline beside it, as the hair before it does."""
RIM_SMOOTH = 0.1
"""Face widths over which the rim's depth is smoothed: where neighbours lie nearest to distant parts of the rim, the
dome would have steps, and the outline of a turned head corners."""
RIM_WIDTH = 2.0
"""Pixels of its rim in which that depth is measured."""
SOFT, SOFT_SIDE = 0.8, 3
"""Standard deviation and side in pixels of the blur of its edge."""
STRIP_ROWS = 64
"""Rows of the frame that are drawn at once: each strip is as wide as what is seen in it."""
SOLID = 128
"""Alpha (0-255) from which a pixel of the texture is opaque enough to be a part of it."""
TINY = 1e-6
"""Areas below it are seen from their edge."""


@dataclass(frozen=True, kw_only=True)
class Skull:
    """A textured dome, in the picture's pixels."""

    solid: Array  # (N, 3) px in the head's own frame, relative to its origin
    source: Array  # (T, 3, 2) px, the triangles in the texture
    triangles: NDArray[np.int64]  # (T, 3)
    rgba: Bytes  # (h, w, 4) premultiplied

    def drawn(
        self, turn: Array, offset: Array, scale: float, height: int, width: int, hidden: Mask
    ) -> list[tuple[PixelBox, Bytes]]:
        """The dome turned by ``turn`` (3, 3); ``offset`` (2,) px is where its origin is in the frame.

        ``scale``: frame pixels for a picture pixel. Answers boxes, which do not overlap, and (h, w, 4) premultiplied in
        them. What lies in ``hidden`` (height, width) is left out: most of a dome is behind its face.
        """
        turned = self.solid @ turn.T
        place = turned[:, :2] * scale + offset
        corners = place[self.triangles]
        box = bounds_of(corners, height, width)
        if box is None:
            return []
        x0, y0, x1, y1 = box
        seen = np.abs(doubled_area(corners)) > TINY
        order = np.argsort(-turned[self.triangles, 2].mean(1), kind="stable")
        labels = paint_labels(corners - [x0, y0], order[seen[order]], (y1 - y0, x1 - x0))
        shown = ((labels > 0) & ~hidden[y0:y1, x0:x1]).view(np.uint8)
        maps = inverse_maps(self.source, corners)
        return [
            ((x0 + x, y0 + y, x0 + x + w, y0 + y + h), self._part(labels, maps, (x0, y0), (x, y, w, h)))
            for x, y, w, h in _strips(shown)
        ]

    def _part(
        self, labels: NDArray[np.int32], maps: NDArray[np.float32], corner: tuple[int, int], part: PixelBox
    ) -> Bytes:
        """(h, w, 4) what is seen in the ``part`` (x, y, w, h) of ``labels``, which begin at ``corner`` of the frame."""
        x, y, w, h = part
        # Pixels around it take part in the blur.
        left, top = max(x - SOFT_SIDE // 2, 0), max(y - SOFT_SIDE // 2, 0)
        here = labels[top : y + h + SOFT_SIDE // 2, left : x + w + SOFT_SIDE // 2]
        xs = np.arange(here.shape[1], dtype=np.float64) + (corner[0] + left)
        ys = np.arange(here.shape[0], dtype=np.float64) + (corner[1] + top)
        source = source_map(here, maps, xs, ys)
        one_map: Any = None  # both coordinates are in ``source``
        drawn = cv2.remap(self.rgba, source, one_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        soft = np.asarray(cv2.GaussianBlur(drawn, (SOFT_SIDE, SOFT_SIDE), SOFT), np.uint8)
        return soft[y - top : y - top + h, x - left : x - left + w]


def _strips(shown: Bytes) -> list[PixelBox]:
    """(x, y, w, h) of boxes around what of ``shown`` (h, w) is not 0, with a pixel around it, in strips of rows."""
    grown = cv2.dilate(shown, np.ones((SOFT_SIDE, SOFT_SIDE), np.uint8))
    found = ((top, cv2.boundingRect(grown[top : top + STRIP_ROWS])) for top in range(0, len(grown), STRIP_ROWS))
    return [(x, top + y, w, h) for top, (x, y, w, h) in found if w > 0]


def hair_depth(offset: Array, gap: Array, head: Head) -> Array:
    """(N,) px away from the camera of hair, ears and neck, from the face's outline: ``gap`` (N,) px away from it.

    ``offset`` (N, 2) px is from the outline beside it. The depth counts in the head's own frame: on the side that a
    turned head shows, what lies beside the face lies behind it already. Deeper, it would fold as soon as the head turns
    away from that side, and the outline of the hair would be torn.
    """
    wanted = HAIR_DEPTH * head.width * smoothstep(0, SILHOUETTE * head.width, gap)
    own = np.maximum(offset @ head.rotation[:2, 2], 0)
    return np.maximum(wanted - own, 0)


def build_skull(face: Array, head: Head, back: Bytes, region: Mask) -> Skull | None:
    """The dome behind ``face`` (478, 3), textured by the layer ``back`` (h, w, 4), which shows the head in ``region``.

    ``region`` (h, w) ends below at the nape. None where it is too small.
    """
    region = opened(region & (back[..., 3] > SOLID), TUFTS * head.width)
    x, y, w, h = cv2.boundingRect(region.astype(np.uint8))
    step = max(2, min(round(head.width / STEPS), STEP_PIXELS_MAX))
    if w < 3 * step or h < 3 * step:
        return None
    columns, rows = np.arange(x - step, x + w + 2 * step, step), np.arange(y - step, y + h + 2 * step, step)
    grid = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    number = np.arange(len(grid)).reshape(len(rows), len(columns))
    quads = np.stack([number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]], -1).reshape(-1, 4)
    at = np.clip(grid, 0, [region.shape[1] - 1, region.shape[0] - 1])
    inside = region[at[:, 1], at[:, 0]]
    quads = quads[inside[quads].any(1)]
    # The outer ones lie on the rim: the dome begins there, as deep as the hair before it.
    places = np.stack(np.meshgrid(np.arange(region.shape[1]), np.arange(region.shape[0])), -1)
    grid = np.where(inside[:, None], grid, continued(places, region)[at[:, 1], at[:, 0]])
    rim, dome = _depth(face, head, region)
    height = rim[grid[:, 1], grid[:, 0]] + np.where(inside, dome[grid[:, 1], grid[:, 0]], 0)
    points = np.c_[grid, height].astype(np.float64)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    below = (y + h - np.arange(y + h)) / max(EDGE * head.width, 1)
    rgba = np.round(back[: y + h] * np.clip(below, 0, 1)[:, None, None]).astype(np.uint8)
    return Skull(
        solid=(points - head.origin) @ head.rotation,
        source=points[triangles][..., :2],
        triangles=triangles,
        rgba=np.ascontiguousarray(rgba),
    )


def _depth(face: Array, head: Head, region: Mask) -> tuple[Floats, Floats]:
    """(h, w) px away from the camera of the nearest rim of ``region`` (h, w), and (h, w) of the dome behind it."""
    outline = face[list(OVAL)]
    last = int(np.flatnonzero(region.any(1)).max())
    upper = region.copy()
    upper[last:] = True  # the cut at the nape is no rim
    away = distance_to(~upper)
    radius = max(float(away[region].max()), 1.0)
    below = (last - np.arange(len(region))[:, None]) / (NAPE_REACH * radius)
    round_nape = NECK_SHARE + (1 - NECK_SHARE) * _dome(np.clip(below, 0, None))
    edge = region & (away < RIM_WIDTH)
    rows, columns = np.nonzero(edge)
    apart = ((np.stack([columns, rows], 1)[:, None] - outline[None, :, :2]) ** 2).sum(2)
    nearness = 1 / (apart + (SPREAD * head.width) ** 2)
    rim = np.zeros(region.shape, np.float32)
    beside = (nearness @ outline) / nearness.sum(1, keepdims=True)
    rim[edge] = beside[:, 2] + hair_depth(np.stack([columns, rows], 1) - beside[:, :2], np.sqrt(apart.min(1)), head)
    dome = DEPTH * radius * _dome(away / radius) * round_nape * region
    smooth = cv2.GaussianBlur(continued(rim, edge), (0, 0), RIM_SMOOTH * head.width)
    return np.asarray(smooth, np.float32), dome.astype(np.float32)


def _dome(inside: Array | Floats) -> Array:
    """(...) 0-1 height of a sphere at ``inside`` (...) of the way from its rim to its middle."""
    return np.asarray(np.clip(1 - (1 - np.clip(inside, 0, 1)) ** BOXY, 0, 1) ** (1 / BOXY), np.float64)
