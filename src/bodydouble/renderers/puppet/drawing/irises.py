"""The irises of a face's texture, and how it is bent to make them look elsewhere.

An iris moves as a whole, and what is around it gives way: the white on one side is pressed together, that on the other
drawn out. Nothing is cut out or made up, so that drawn, painted and half shut eyes need no outline.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Floats
from bodydouble.renderers.puppet.motion.expression import EYES, TINY
from bodydouble.renderers.puppet.motion.gaze import gaze_of

Array = NDArray[np.float64]

SEARCH, SEARCH_STEP = 0.6, 0.15
"""Radii around an iris's landmarks in which it is looked for, and the steps."""
RADII = np.arange(0.8, 1.75, 0.1)
"""Radii that are tried, over that of the landmarks: drawn eyes have larger irises than the network expects."""
SIDES = np.deg2rad(np.arange(-40, 41, 10))
"""Directions to both sides in which an iris's edge is looked for: above and below lids hide it."""
EDGE = 0.15
"""Radii inside and outside an iris's edge at which colours are compared."""
DISTANCE_COST = 12.0
"""CIELAB levels (0-255) by which the edge has to be clearer for each radius of distance from the landmarks."""
CONTRAST_MIN = 10.0
"""Levels by which an iris differs from the white beside it, at least; else the landmarks are kept."""
WHOLE = 1.15
"""Radii of an iris's surroundings that move with it: its outline is dark and soft."""
YIELDS = (1.7, 0.9)
"""Radii around it, across and down, within which the texture gives way."""
BOX_TALLER = 1.3
"""Height of a box around an eye over that of what is bent in it: wide eyes are drawn taller than in the picture."""
SHIFT_MIN_PIXELS = 0.1
"""A shorter way of an iris is not seen."""
SHIFT_MAX = 0.65
"""Share of that way by which an iris moves at most: at 1 the texture would fold."""
TRAVEL = 0.6
"""Radii of an iris that remain between its middle and the eye's corner when it looks sideways as far as it can."""
TRAVEL_ACTOR = 0.76
"""The same way of an actor's iris in half eye widths: 1 - ``TRAVEL`` times the usual radius, 0.4."""
FOLLOWED, FOLLOWED_UP = np.array([1.0, 0.5]), 1.2
"""Share of the actor's gaze that is shown across and down, and up; lids follow the gaze down. By eye."""


@dataclass(frozen=True, kw_only=True)
class Iris:
    """One iris in the texture of a face's mesh."""

    centre: Array  # (2,) px
    radius: float  # px
    across: Array  # (2,) px, half the eye's width to the right along its corners
    middle: Array  # (2,) px between its corners
    corners: tuple[int, int]  # the mesh's vertices, image left first

    def towards(self, gaze: Array, own: Array) -> "Slide":
        """How the texture is bent so that this eye, which looks ``own`` (2,), looks ``gaze`` (2,): half eye widths."""
        half = float(np.hypot(*self.across))
        unit = self.across / max(half, TINY)
        farthest = max(half - TRAVEL * self.radius, 0.0) / max(half, TINY)
        followed = FOLLOWED if gaze[1] > 0 else np.array([FOLLOWED[0], FOLLOWED_UP])
        wanted = np.clip(gaze * followed * min(1.0, farthest / TRAVEL_ACTOR), -farthest, farthest)
        room = SHIFT_MAX * self.radius * np.array(YIELDS)
        moved = np.clip((wanted - own) * half, -room, room)
        shift = moved[0] * unit + moved[1] * np.array([-unit[1], unit[0]])
        return Slide(iris=self, shift=shift)


@dataclass(frozen=True, kw_only=True)
class Slide:
    """An iris in a texture that is drawn ``shift`` (2,) px away; its surroundings give way."""

    iris: Iris
    shift: Array

    def box(self, target: Array) -> Array:
        """(2, 2) px: corners of a box around what is bent, where the mesh's vertices are at ``target`` (N, 2)."""
        iris = self.iris
        first, second = target[list(iris.corners)]
        half = (second - first) / 2
        # Half axes of what is bent in half eye widths, along the corners and beside them.
        off = np.linalg.norm(self.shift) + np.linalg.norm(iris.centre - iris.middle)
        along, beside = (iris.radius * (WHOLE + np.array(YIELDS)) + off) / max(float(np.hypot(*iris.across)), TINY)
        reach = along * np.abs(half) + BOX_TALLER * beside * np.abs(half[::-1])
        return np.stack([(first + second) / 2 - reach, (first + second) / 2 + reach])

    def apply(self, source: NDArray[np.float32]) -> None:
        """Change the texture coordinates ``source`` (h, w, 2), in place."""
        if float(np.hypot(*self.shift)) < SHIFT_MIN_PIXELS:
            return
        iris = self.iris
        across, down = (float(x) for x in iris.across / max(float(np.hypot(*iris.across)), TINY))
        x, y = (source[..., axis] - np.float32(iris.centre[axis] + self.shift[axis]) for axis in range(2))
        along, beside = x * across + y * down, y * across - x * down
        distance = cv2.magnitude(along, beside)
        # Where an ellipse around the iris ends on the way to each pixel.
        ends = distance / cv2.magnitude(along / YIELDS[0], beside / YIELDS[1] + np.float32(TINY)) * iris.radius
        share = np.clip(1 - (distance - WHOLE * iris.radius) / np.maximum(ends, TINY), 0, 1)
        source[..., 0] -= share * np.float32(self.shift[0])
        source[..., 1] -= share * np.float32(self.shift[1])


def own_gaze(irises: tuple[Iris, Iris]) -> Array:
    """(2,) where a picture's eyes look, see ``gaze_of``, by the ``irises`` that are found in it."""
    places = []
    for iris in irises:
        half = max(float(np.hypot(*iris.across)), TINY)
        away = (iris.centre - iris.middle) / half
        places.append([away @ iris.across / half, (away[1] * iris.across[0] - away[0] * iris.across[1]) / half])
    return gaze_of(np.mean(places, axis=0)[None])[0]


def find_irises(rgba: Bytes, face: Array) -> tuple[Iris, Iris]:
    """The irises in the texture ``rgba`` (h, w, 4), in which the face mesh lies at ``face`` (478, 2): image left first.

    The landmarks are off in drawn faces. The circle around them with the clearest edge to both sides is taken
    (Daugman, "How iris recognition works", 2004).
    """
    lab = cv2.cvtColor(np.ascontiguousarray(rgba[..., :3]), cv2.COLOR_RGB2Lab).astype(np.float32)
    found: list[tuple[Array, float]] = []
    for *_, iris in EYES:
        ring = face[iris]
        found.append(_clearest_circle(lab, ring[0], max(float(np.linalg.norm(ring[1:] - ring[0], axis=1).mean()), 1)))
    across = [(face[right] - face[left]) / 2 for _, _, left, right, _ in EYES]
    half = [max(float(np.hypot(*way)), TINY) for way in across]
    # Of two eyes one may be hidden by its lids, a shadow or a reflection: both have the larger iris.
    share = max(radius / length for (_, radius), length in zip(found, half, strict=True))
    one, other = (
        Iris(
            centre=found[k][0],
            radius=share * half[k],
            across=across[k],
            middle=(face[EYES[k][2]] + face[EYES[k][3]]) / 2,
            corners=(EYES[k][2], EYES[k][3]),
        )
        for k in range(2)
    )
    return one, other


def _clearest_circle(lab: Floats, centre: Array, radius: float) -> tuple[Array, float]:
    """Centre (2,) and radius of the iris near a circle of landmarks in ``lab`` (h, w, 3); px."""
    steps = np.arange(-SEARCH, SEARCH + TINY, SEARCH_STEP)
    dx, dy, grown = (x.ravel() for x in np.meshgrid(steps, steps, RADII, indexing="ij"))
    angle = np.stack([SIDES, SIDES + np.pi])
    ways = np.stack([np.cos(angle), np.sin(angle)], -1)
    middles = centre + np.stack([dx, dy], 1) * radius
    one_map: Any = None  # both coordinates are in ``places``
    levels = []
    for edge in (grown - EDGE, grown + EDGE):
        places = middles[:, None, None] + ways * (edge * radius)[:, None, None, None]
        flat = places.reshape(len(dx), -1, 2).astype(np.float32)
        seen = cv2.remap(lab, flat, one_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        levels.append(seen.reshape(*places.shape[:3], 3).mean(2))
    sides = np.linalg.norm(levels[1] - levels[0], axis=2)
    contrast = (sides.mean(1) + sides.min(1)) / 2
    best = int(np.argmax(contrast - DISTANCE_COST * np.hypot(dx, dy)))
    if contrast[best] < CONTRAST_MIN:
        return centre, radius
    return middles[best], float(grown[best] * radius)
