"""The lower side of thighs that somebody who sits raises towards the camera: a picture of a standing body lacks it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, PixelBox
from bodydouble.renderers.puppet.body.skeleton import LEGS, SIDES
from bodydouble.renderers.puppet.drawing.mesh import bounds_of
from bodydouble.renderers.puppet.painting import SUBPIXEL_BITS, fixed_point

Array = NDArray[np.float64]

WHOLE = 200
"""Alpha (0-255) from which a thigh is whole."""
MEASURED = (0.25, 0.6)
"""Shares of the way from hip to knee between which a thigh's cloth and width are measured."""
END, END_RADIUS = 0.8, 0.7
"""Share of the way to the knee at which the lower side ends, and its half width there over that at the hip. Chosen by
eye, like the next ones, on actors who sit and crouch."""
SHADES = ((1.0, 0.6), (0.85, 0.76), (0.65, 0.9), (0.4, 1.0))
"""Half widths over the whole one, and the light on the cloth within: the lower side is round and in shade."""
SMALLER = 2
"""Factor by which it is painted smaller than it is shown."""
RAISED, FORWARD = (0.0, 0.3), (0.4, 0.7)
"""Shares of a thigh's length by which the knee is above the hip, and nearer to the camera, between which the lower side
comes into sight."""
_ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1)
"""(16, 2) corners of a round end."""


@dataclass(frozen=True, kw_only=True)
class Underside:
    """The lower side of one thigh."""

    radius: float  # px in the picture
    colour: Array  # (3,) 0-255, of its cloth

    @classmethod
    def of(cls, rgba: Bytes, hip: Array, knee: Array) -> "Underside | None":
        """That of a leg's ``rgba`` (h, w, 4) with ``hip`` and ``knee`` (2 or 3,) px; None where it shows none."""
        first, last = sorted(int(hip[1] + share * (knee[1] - hip[1])) for share in MEASURED)
        rows = rgba[max(first, 0) : max(last, 0)]
        whole = rows[..., 3] > WHOLE
        if not whole.any():
            return None
        return cls(radius=float(np.median(whole.sum(1))) / 2, colour=np.median(rows[whole][:, :3], axis=0))

    def drawn(self, hip: Array, knee: Array, scale: float, canvas: tuple[int, int]) -> tuple[PixelBox, Bytes] | None:
        """Its box on a ``canvas`` (height, width) and (h, w, 4) premultiplied, for ``hip`` and ``knee`` (3,) px.

        None where it is not seen. ``scale``: frame pixels for a pixel of the picture.
        """
        share = raised(hip, knee)
        radius = self.radius * scale
        reach = radius + 2 * SMALLER
        end = hip[:2] + END * (knee - hip)[:2]
        box = bounds_of(np.array([hip[:2] - reach, hip[:2] + reach, end - reach, end + reach]), *canvas)
        if share <= 0 or box is None:
            return None
        x0, y0, x1, y1 = box
        # Its light is smooth, its rim soft: a small picture of it does, for a fraction of the time.
        size = -(-(x1 - x0) // SMALLER), -(-(y1 - y0) // SMALLER)
        factor = np.array(size) / [x1 - x0, y1 - y0]
        rgba = np.zeros((size[1], size[0], 4), np.uint8)
        for part, shade in SHADES:
            outline = _around(hip[:2] - [x0, y0], end - [x0, y0], part * radius) * factor
            values = [float(value) * shade * share for value in self.colour]
            cv2.fillConvexPoly(rgba, fixed_point(outline), [*values, 255 * share], cv2.LINE_AA, SUBPIXEL_BITS)
        return box, np.asarray(cv2.resize(cv2.blur(rgba, (3, 3)), (x1 - x0, y1 - y0)), np.uint8)


def undersides_of(textures: dict[str, Bytes], joints: Array) -> dict[str, Underside]:
    """By name of a leg the lower side of its thigh, from ``textures``. ``joints``: (33, 3) px."""
    found: dict[str, Underside] = {}
    for side in SIDES:
        hip, knee = (joints[joint] for joint in LEGS[side].joints[:2])
        under = Underside.of(textures[f"leg_{side}"], hip, knee) if f"leg_{side}" in textures else None
        if under is not None:
            found[f"leg_{side}"] = under
    return found


def raised(hip: Array, knee: Array) -> float:
    """0-1 how much the lower side of a thigh from ``hip`` to ``knee`` (3,) is in sight; z is away from the camera."""
    way = knee - hip
    length = max(float(np.linalg.norm(way)), 1.0)
    shares = [
        float(np.clip((-value / length - low) / (high - low), 0, 1))
        for value, (low, high) in ((way[1], RAISED), (way[2], FORWARD))
    ]
    return min(shares)


def _around(hip: Array, end: Array, radius: float) -> Array:
    """(N, 2) px the outline around a thigh from ``hip`` to ``end`` (2,) with ``radius`` px at the hip."""
    corners = np.concatenate([hip + radius * CIRCLE, end + END_RADIUS * radius * CIRCLE])
    return np.asarray(cv2.convexHull(corners.astype(np.float32)), np.float64)[:, 0]
