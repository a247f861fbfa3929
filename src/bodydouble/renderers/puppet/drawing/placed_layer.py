"""One layer of the body in a frame: the map that draws it, and in which order its triangles are painted."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Mask, PixelBox
from bodydouble.renderers.puppet.bends import EDGE_MIN, round_bend, strip_bend
from bodydouble.renderers.puppet.drawing.drawing import draw_strip
from bodydouble.renderers.puppet.drawing.mesh import bounds_of, doubled_area, inverse_maps, source_map
from bodydouble.renderers.puppet.painting import extents, in_box, paint_labels
from bodydouble.renderers.puppet.picture.layer import Layer

Array = NDArray[np.float64]

STRETCHED = 1.8
"""Growth of a triangle's longest edge, over that of most triangles, from which it is between two limbs that part.
Chosen by eye on the development clips."""
TILE_PIXELS, TILE_ROWS_MIN = 1 << 15, 16
"""Pixels of a tile, about: its map of 256 kB stays in the processor's cache. Rows of a tile at least."""
EDGE_ROUNDED = 1
"""Pixels by which OpenCV's filled triangles may exceed their corners."""
AREA_MIN = 1e-3
"""Doubled area in square pixels up to which a triangle is seen from its edge and not drawn."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A rectangle of the frame and the map that draws it."""

    box: PixelBox
    source: NDArray[np.float32]  # (h, w, 2) texture coordinates

    def drawn(self, texture: Bytes) -> Bytes:
        """(h, w, ...) ``texture`` as the frame shows it."""
        one_map: Any = None  # both coordinates are in ``source``
        drawn = cv2.remap(texture, self.source, one_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(drawn, np.uint8)


@dataclass(frozen=True, kw_only=True)
class PlacedPart:
    """A part of a layer that covers itself nowhere but where it folds: each pixel shows one place of it."""

    tiles: tuple[Tile, ...]  # do not overlap
    beyond: bool  # beyond the elbow or knee


@dataclass(frozen=True, kw_only=True)
class PlacedLayer:
    """One layer in a frame: where its vertices are, and the maps that draw it."""

    layer: Layer
    parts: tuple[PlacedPart, ...]  # from back to front
    strip: tuple[PixelBox, Bytes] | None  # what is under its joint, where a limb that folds otherwise would gape
    bend: tuple[PixelBox, Bytes] | None = None  # of ``round_bend``: nothing of it lies outside that

    def drawn(self, texture: Bytes, strength: tuple[Bytes, ...] | None = None) -> list[tuple[PixelBox, Bytes]]:
        """``texture`` as the frame shows it: boxes and (h, w, 4) premultiplied, to be laid over in this order.

        ``strength`` is that of ``hand_strength``.
        """
        pieces: list[tuple[PixelBox, Bytes]] = []
        patch = self.layer.joint
        if self.strip is not None and patch is not None and (patch.in_front or texture is not self.layer.front):
            pieces.append(self.strip)
        for part in self.parts:
            drawn = [tile.drawn(texture) for tile in part.tiles]
            if strength is not None and part.beyond:
                drawn = [
                    np.asarray(cv2.multiply(rgba, share, scale=1 / 255), np.uint8)
                    for rgba, share in zip(drawn, strength, strict=True)
                ]
            if self.bend is not None:
                for tile, rgba in zip(part.tiles, drawn, strict=True):
                    _keep_within(rgba, tile.box, *self.bend)
            pieces += [(tile.box, rgba) for tile, rgba in zip(part.tiles, drawn, strict=True)]
        return pieces

    def only(self, *, beyond: bool) -> "PlacedLayer":
        """Only what lies ``beyond`` the elbow or knee, or else what lies before it, with what is under the joint."""
        parts = tuple(part for part in self.parts if part.beyond == beyond)
        return replace(self, parts=parts, strip=None if beyond else self.strip)

    def hand_strength(self, kept: float) -> tuple[Bytes, ...] | None:
        """How much of the part beyond the elbow is drawn where the actor's hand replaces its own.

        (h, w, 4) 0-255 for each of the part's tiles. ``kept`` (0-1) is the actor's share. None where all is drawn.
        """
        hand = self.layer.hand
        part = next((part for part in self.parts if part.beyond), None)
        if hand is None or kept <= 0 or part is None:
            return None
        strengths = (
            cv2.convertScaleAbs(cv2.bitwise_not(tile.drawn(hand)), alpha=kept, beta=255 * (1 - kept))
            for tile in part.tiles
        )
        return tuple(np.asarray(cv2.merge([strength] * 4), np.uint8) for strength in strengths)


def _towards(point: Array, other: Array, by: float) -> Array:
    """``point`` (2,) moved ``by`` px towards the ``other`` (2,), at most as far as that."""
    way = other - point
    return point + way * min(1.0, by / max(float(np.hypot(*way)), EDGE_MIN))


def place_layer(
    layer: Layer, points: Array, height: int, width: int, *, joint: Array | None, scale: float
) -> PlacedLayer | None:
    """The maps that draw ``layer`` with its vertices at ``points`` (N, 3) px; None where all is outside.

    ``joint`` (4, 2) px is where the points of its patch are, ``scale`` is frame pixels for a pixel of the picture.
    """
    corners = points[layer.triangles]
    box = bounds_of(corners[..., :2], height, width, margin=0)
    strip, bend = (None, None) if joint is None else _at_joint(layer, joint, scale, height, width)
    if box is None:
        return None if strip is None else PlacedLayer(layer=layer, parts=(), strip=strip)
    shown = in_box(corners[..., :2], box)  # of a talking head most of the body is below the picture
    source = layer.vertices[layer.triangles[shown]][..., :2]
    beyond = np.zeros(len(source), np.bool_) if layer.beyond is None else layer.beyond[shown]
    corners, opaque = corners[shown], layer.opaque[shown]
    # The part that is nearer to the camera is laid over the other: one map of both would cut holes where it ends.
    nearer = not beyond.any() or beyond.all() or corners[beyond, :, 2].mean() <= corners[~beyond, :, 2].mean()
    parts = [
        _placed_part(source[chosen], corners[chosen], opaque[chosen], box, beyond=further)
        for further, chosen in ((False, ~beyond), (True, beyond))
        if chosen.any()
    ]
    drawn = tuple(part for part in (parts if nearer else parts[::-1]) if part is not None)
    return PlacedLayer(layer=layer, parts=drawn, strip=strip, bend=bend)


def _keep_within(rgba: Bytes, box: PixelBox, place: PixelBox, kept: Bytes) -> None:
    """Keep of ``rgba`` (h, w, 4), drawn in ``box``, only what is ``kept`` (h, w, 4) 0-255 in ``place``; in place."""
    x0, y0, x1, y1 = max(box[0], place[0]), max(box[1], place[1]), min(box[2], place[2]), min(box[3], place[3])
    if x1 <= x0 or y1 <= y0:
        return
    part = rgba[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]]
    share = kept[y0 - place[1] : y1 - place[1], x0 - place[0] : x1 - place[0]]
    cv2.multiply(part, share, dst=part, scale=1 / 255)


def _at_joint(
    layer: Layer, joint: Array, scale: float, height: int, width: int
) -> tuple[tuple[PixelBox, Bytes] | None, tuple[PixelBox, Bytes] | None]:
    """What is under the joint of ``layer``, with the points of its patch at ``joint`` (4, 2) px; its ``round_bend``."""
    patch = layer.joint
    if patch is None:
        return None, None
    middle, radius = strip_bend(*joint), patch.radius * scale
    # Its round ends stay between the places at which the limb was measured.
    line = np.stack([_towards(joint[0], middle, radius), middle, _towards(joint[2], middle, radius)])
    strip = draw_strip(line, radius, patch.colour, height, width)
    return strip, round_bend(joint, middle, patch.reach * scale, height, width)


def _placed_part(source: Array, corners: Array, opaque: Mask, within: PixelBox, *, beyond: bool) -> PlacedPart | None:
    """The map of triangles (T, 3, 2) of the picture at ``corners`` (T, 3, 3) px; None where none is ``within``."""
    flat = corners[..., :2]
    x0, y0, x1, y1 = within
    own = bounds_of(flat, y1, x1, margin=0)
    if own is None:
        return None
    box = x0, y0, x1, y1 = max(own[0], x0), max(own[1], y0), own[2], own[3]
    if x1 <= x0 or y1 <= y0:
        return None
    area = doubled_area(flat)
    order = paint_order(
        corners[..., 2].mean(1), area, opaque=opaque, stretched=_longest_edge(flat) / _longest_edge(source)
    )
    order = order[np.abs(area[order]) > AREA_MIN]
    labels = paint_labels(flat - [x0, y0], order, (y1 - y0, x1 - x0))
    maps = inverse_maps(source, flat)
    tiles = tuple(_tile(labels, maps, box, inside) for inside in tile_boxes(flat, box))
    return PlacedPart(tiles=tiles, beyond=beyond)


def _tile(labels: NDArray[np.int32], maps: NDArray[np.float32], box: PixelBox, inside: PixelBox) -> Tile:
    """The tile ``inside`` the ``box`` of ``labels`` (h, w)."""
    x0, y0, x1, y1 = inside
    here = labels[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]]
    return Tile(
        box=inside,
        source=source_map(here, maps, np.arange(x0, x1, dtype=np.float64), np.arange(y0, y1, dtype=np.float64)),
    )


def tile_boxes(corners: Array, box: PixelBox) -> list[PixelBox]:
    """Boxes within ``box`` that do not overlap and hold all of the triangles (T, 3, 2) that is in it.

    Shoulders below a neck fill half of their box: rows are divided into strips, each as wide as what is in it.
    """
    x0, y0, x1, y1 = box
    rows = max(TILE_ROWS_MIN, TILE_PIXELS // (x1 - x0))
    (left, top), (right, bottom) = (side.T for side in extents(corners))
    starts = np.arange(y0, y1, rows)[:, None]
    stops = np.minimum(starts + rows, y1)
    inside = (top < stops + EDGE_ROUNDED) & (bottom > starts - EDGE_ROUNDED)  # (strips, T)
    first = np.floor(np.where(inside, left, x1).min(1) - EDGE_ROUNDED).clip(x0).astype(int)
    last = (np.ceil(np.where(inside, right, x0).max(1) + EDGE_ROUNDED) + 1).clip(max=x1).astype(int)
    strips = zip(first.tolist(), starts[:, 0].tolist(), last.tolist(), stops[:, 0].tolist(), strict=True)
    return [box for box, seen in zip(strips, inside.any(1).tolist(), strict=True) if seen and box[0] < box[2]]


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
