"""One layer of the body in a frame: the map that draws it, and in which order its triangles are painted."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Mask
from bodydouble.renderers.puppet.drawing.drawing import STRIP_REACH, lay_under
from bodydouble.renderers.puppet.drawing.mesh import bounds_of, inverse_maps, source_map
from bodydouble.renderers.puppet.painting import Box, in_box, paint_labels
from bodydouble.renderers.puppet.picture.layers import Layer

Array = NDArray[np.float64]

STRETCHED = 1.8
"""Growth of a triangle's longest edge, over that of most triangles, from which it is between two limbs that part.
Chosen by eye on the development clips."""
EDGE_MIN = 1e-6
"""Pixels: keeps edges that are divided by from 0."""
PARALLEL = 0.1
"""Weight of the middle between two lines' ends, over that of the lines, where they meet: parallel ones do not."""
AREA_MIN = 1e-3
"""Doubled area in square pixels up to which a triangle is seen from its edge and not drawn."""


@dataclass(frozen=True, kw_only=True)
class PlacedLayer:
    """One layer in a frame: where its vertices are, and the map that draws it."""

    layer: Layer
    box: Box
    source: NDArray[np.float32]  # (h, w, 2) texture coordinates
    joint: Array | None  # (4, 2) px in the frame: the points of the layer's patch under its joint
    scale: float  # frame pixels for a pixel of the picture

    def drawn(self, texture: Bytes) -> Bytes:
        """(h, w, ...) ``texture`` as the frame shows it."""
        one_map: Any = None  # both coordinates are in ``source``
        drawn = cv2.remap(texture, self.source, one_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(drawn, np.uint8)

    def limb(self, texture: Bytes) -> Bytes:
        """(h, w, 4) as ``drawn``, whole at the joint, where a limb that folds the other way would gape."""
        rgba, patch = self.drawn(texture), self.layer.joint
        if patch is not None and self.joint is not None and (patch.in_front or texture is not self.layer.front):
            upper, upper_end, lower, lower_end = self.joint - self.box[:2]
            bend, radius = strip_bend(upper, upper_end, lower, lower_end), patch.radius * self.scale
            # Its round ends stay between the places at which the limb was measured.
            line = np.stack([_towards(upper, bend, radius), bend, _towards(lower, bend, radius)])
            lay_under(rgba, line, radius, patch.colour)
        return rgba


def _towards(point: Array, other: Array, by: float) -> Array:
    """``point`` (2,) moved ``by`` px towards the ``other`` (2,), at most as far as that."""
    way = other - point
    return point + way * min(1.0, by / max(float(np.hypot(*way)), EDGE_MIN))


def place_layer(
    layer: Layer, points: Array, height: int, width: int, *, joint: Array | None, scale: float
) -> PlacedLayer | None:
    """The map that draws ``layer`` with its vertices at ``points`` (N, 3) px; None where all is outside.

    ``joint`` (4, 2) px is where the points of its patch are, ``scale`` is frame pixels for a pixel of the picture.
    """
    corners = points[layer.triangles]
    flat = corners[..., :2]
    if bounds_of(flat, height, width, margin=0) is None:
        return None
    reached = flat.reshape(-1, 2)
    if layer.joint is not None and joint is not None:
        reach = layer.joint.radius * scale + STRIP_REACH
        reached = np.concatenate([reached, joint - reach, joint + reach])
    box = bounds_of(reached, height, width, margin=0)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    shown = in_box(flat, box)  # of a talking head most of the body is below the picture
    corners, flat = corners[shown], flat[shown]
    a, b = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    source = layer.vertices[layer.triangles[shown]][..., :2]
    depth = corners[..., 2].mean(1)
    order = paint_order(depth, area, opaque=layer.opaque[shown], stretched=_longest_edge(flat) / _longest_edge(source))
    order = order[np.abs(area[order]) > AREA_MIN]
    labels = paint_labels(flat - [x0, y0], order, (y1 - y0, x1 - x0))
    maps = inverse_maps(source, flat)
    texture = source_map(labels, maps, np.arange(x0, x1, dtype=np.float64), np.arange(y0, y1, dtype=np.float64))
    return PlacedLayer(layer=layer, box=box, source=texture, joint=joint, scale=scale)


def strip_bend(upper: Array, upper_end: Array, lower: Array, lower_end: Array) -> Array:
    """(2,) where the strip under a joint bends; the arguments, (2,) each, are the points of a ``JointPatch`` in order.

    Halfway between the lines' ends, or where the lines meet if that is farther inside: the landmark of a bent elbow is
    at its outer corner, which a strip around it would exceed.
    """
    half = (upper_end + lower_end) / 2
    inwards = (upper + lower) / 2 - half
    matrix, offset = PARALLEL * np.eye(2), np.zeros(2)
    for start, end in ((upper, upper_end), (lower, lower_end)):
        way = end - start
        normal = np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), EDGE_MIN)
        matrix += np.outer(normal, normal)
        offset += normal * (normal @ (end - half))
    inside = inwards @ np.linalg.solve(matrix, offset) / max(float(inwards @ inwards), EDGE_MIN)
    return half + float(np.clip(inside, 0, 1)) * inwards


def paint_order(depth: Array, area: Array, *, opaque: Mask, stretched: Array) -> NDArray[np.intp]:
    """(T,) numbers of the triangles as they are painted, the later over the earlier ones.

    Transparent ones would cut holes into a limb that folds the other way: they come first, and of these first the ones
    that the fold stretches. Then those that are turned away come before those that face the camera, ``area`` > 0, and
    the far before the near ones. ``depth``, ``area`` and ``stretched``, the growth of their longest edge, are (T,).
    """
    typical = float(np.median(stretched)) if len(stretched) else 1.0
    rank = np.where(opaque, 2, np.where(stretched > STRETCHED * typical, 0, 1))
    return np.lexsort((-depth, area > 0, rank))


def _longest_edge(triangles: Array) -> Array:
    """(T,) px, of ``triangles`` (T, 3, 2)."""
    edges = triangles - triangles[:, (2, 0, 1)]
    return np.maximum(np.sqrt((edges * edges).sum(2).max(1)), EDGE_MIN)
