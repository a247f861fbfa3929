"""The result of drawing one frame, and the blending of one picture over another."""

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, PixelBox
from bodydouble.renderers.puppet.painting import SUBPIXEL_BITS, fixed_point

Array = NDArray[np.float64]

SHADOW_STRENGTH = 0.4
"""Depth (0-1) of the shadow that an arm casts on the trunk behind it."""
SHADOW_EXTENT = 3
"""Standard deviations of its blur that a shadow reaches: farther out it is under 1 % of its depth."""
SHADOW_SIDE_MIN = 8
"""Pixels: a narrower shadow is not drawn. Chosen by eye on the development clips."""
SHADOW_SHRINK = 4
"""The shadow is blurred at a quarter of the size, where as wide a blur shows the same."""
SHADOW_DROP = 0.6
"""How far below the arm its shadow falls, in standard deviations of its blur. Chosen by eye on the development
clips."""
SHADOW_SIGMA_MIN = 0.8
"""Standard deviation of the blur at least, in reduced pixels. Chosen by eye on the development clips."""

STRIP_SOFT, STRIP_REACH = 0.8, 4
"""Standard deviation of the edge of what lies under a joint, as of a limb's: beyond a hard one there is no colour, and
the softened edge of the puppet would be black. Pixels beside the strip that it needs."""

CROP_MARGIN = 16
"""Pixels around what is drawn that stay: blurs of its edge, and the light that spills over it, end in them."""


@dataclass(frozen=True, kw_only=True)
class DrawnHand:
    """One of the puppet's hands in the frame."""

    side: int  # 0 the actor's left, 1 the right: index into Motion.hands
    wrist: Array  # (2,) px
    direction: Array  # (2,) px, wrist to knuckles
    kept: float  # 0-1: how much of the actor's own hand belongs over it; the puppet's is faded by as much
    behind: bool  # the arm is drawn behind the trunk
    moved: Array  # (2, 3) from the actor's hand to the puppet's


@dataclass(frozen=True, kw_only=True)
class DrawnFoot:
    """One of the puppet's feet in the frame."""

    ankle: Array  # (2,) px
    length: float  # px, as seen from the side
    rests: float  # 0-1: how surely it stands on the ground


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """The puppet in one frame, cropped to ``bounds``."""

    bounds: PixelBox  # x0, y0, x1, y1
    rgba: Bytes  # (h, w, 4) premultiplied
    alpha: Bytes  # (h, w) of ``rgba``
    hands: tuple[DrawnHand, ...]  # from back to front
    face: Array | None  # (478, 2) px, the face mesh in the frame; None without a face
    face_cover: Bytes | None  # (h, w) 0-255 what is drawn over the face, for painting into it; None if nothing
    feet: tuple[DrawnFoot, ...] = ()  # those that are drawn and may stand on the ground


def cropped(drawing: Drawing) -> Drawing:
    """``drawing`` without empty rows and columns around the puppet, but for a margin: its mesh is wider."""
    x, y, w, h = cv2.boundingRect(drawing.alpha)
    if w == 0:
        return drawing
    left, top = max(0, x - CROP_MARGIN), max(0, y - CROP_MARGIN)
    here = np.s_[top : y + h + CROP_MARGIN, left : x + w + CROP_MARGIN]
    rgba, cover = drawing.rgba[here], drawing.face_cover
    x0, y0 = drawing.bounds[0] + left, drawing.bounds[1] + top
    bounds = (x0, y0, x0 + rgba.shape[1], y0 + rgba.shape[0])
    return replace(
        drawing,
        bounds=bounds,
        rgba=rgba,
        alpha=drawing.alpha[here],
        face_cover=None if cover is None else cover[here],
    )


def lay_over(canvas: Bytes, box: PixelBox, rgba: Bytes) -> None:
    """Premultiplied ``rgba`` over ``canvas``, in place."""
    x0, y0, x1, y1 = box
    under = canvas[y0:y1, x0:x1]
    if not cv2.hasNonZero(under.view(np.int32)[..., 0]):
        under[:] = rgba
        return
    # A row of four equal columns for each alpha: OpenCV multiplies whole pixels several times faster than broadcasting.
    keep = cv2.bitwise_not(cv2.extractChannel(rgba, 3))
    cv2.multiply(under, cv2.merge([keep] * 4), dst=under, scale=1 / 255)
    cv2.add(under, rgba, dst=under)


def draw_strip(line: Array, radius: float, colour: Bytes, height: int, width: int) -> tuple[PixelBox, Bytes] | None:
    """A strip of ``colour`` (4,), premultiplied, in a frame of ``height`` x ``width``; None where it is outside.

    It lies along ``line`` (N, 2) px, ``radius`` px to either side, and has round ends.
    """
    reach = radius + STRIP_REACH
    x0, y0 = np.clip(np.floor(line.min(0) - reach), 0, [width, height]).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(line.max(0) + reach + 1), 0, [width, height]).astype(int).tolist()
    if x1 <= x0 or y1 <= y0:
        return None
    strip = np.zeros((y1 - y0, x1 - x0, 4), np.uint8)
    values = [int(value) for value in colour]
    bends = fixed_point(line - [x0, y0])
    for bend in bends.tolist():
        size = max(1 << SUBPIXEL_BITS, round(radius * (1 << SUBPIXEL_BITS)))
        cv2.circle(strip, bend, size, values, -1, cv2.LINE_AA, SUBPIXEL_BITS)
    for start, end in pairwise(line - [x0, y0]):
        along = end - start
        beside = np.array([-along[1], along[0]]) * (radius / max(float(np.hypot(*along)), 1.0))
        corners = fixed_point(np.stack([start + beside, end + beside, end - beside, start - beside]))
        cv2.fillConvexPoly(strip, corners, values, cv2.LINE_AA, SUBPIXEL_BITS)
    return (x0, y0, x1, y1), np.asarray(cv2.GaussianBlur(strip, (0, 0), STRIP_SOFT), np.uint8)


def draw_shadow(canvas: Bytes, cover: Bytes, reach: float) -> None:
    """Darken ``canvas`` softly around and below ``cover``, as arms before a trunk do; in place."""
    x, y, w, h = cv2.boundingRect(cover)
    pad = int(np.ceil(SHADOW_EXTENT * reach))
    x0, y0, x1, y1 = (
        max(0, x - pad),
        max(0, y - pad),
        min(cover.shape[1], x + w + pad),
        min(cover.shape[0], y + h + 2 * pad),
    )
    if w == 0 or x1 - x0 < SHADOW_SIDE_MIN or y1 - y0 < SHADOW_SIDE_MIN:
        return
    size = (x1 - x0) // SHADOW_SHRINK, (y1 - y0) // SHADOW_SHRINK
    here = np.s_[y0 : y0 + SHADOW_SHRINK * size[1], x0 : x0 + SHADOW_SHRINK * size[0]]
    small = cv2.resize(cover[here], size, interpolation=cv2.INTER_AREA)
    down = np.array([[1, 0, 0], [0, 1, SHADOW_DROP * reach / SHADOW_SHRINK]])
    soft = cv2.GaussianBlur(cv2.warpAffine(small, down, size), (0, 0), max(reach / SHADOW_SHRINK, SHADOW_SIGMA_MIN))
    dark = cv2.resize(soft, (SHADOW_SHRINK * size[0], SHADOW_SHRINK * size[1]), interpolation=cv2.INTER_LINEAR)
    keep = cv2.bitwise_not(cv2.convertScaleAbs(dark, alpha=SHADOW_STRENGTH))
    under = canvas[here]
    whole = np.full_like(keep, 255)
    cv2.multiply(under, cv2.merge([keep, keep, keep, whole]), dst=under, scale=1 / 255)
