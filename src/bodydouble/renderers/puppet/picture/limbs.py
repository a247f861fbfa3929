"""Limbs as chains of rigid pieces with round overlaps at the joints."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.drawing.mesh import Box, bounds_of

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

ALONG_MIN, ALONG_MAX = 0.25, 2.2
"""Bounds of a piece's stretch along its bone, in its scale across."""

GAIN_MAX = 2.0
"""A piece is made so many times lighter at most: more shows its noise."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A rigid piece: ``rgba`` (h, w, 4) premultiplied with its first pixel at ``origin``; the bone runs a to b."""

    rgba: Bytes
    origin: Array  # (2,)
    a: Array  # (2,)
    b: Array  # (2,)

    @property
    def corners(self) -> Array:
        h, w = self.rgba.shape[:2]
        return self.origin + np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64)


@dataclass(frozen=True, kw_only=True)
class Limb:
    """Pieces from the trunk outwards."""

    joints: tuple[int, ...]  # body points: shoulder, elbow, wrist or hip, knee, ankle
    pieces: tuple[Piece | None, ...]
    invented: bool  # not seen in the reference: made of the clothes' colours


def make_piece(colour: Floats, mask: Floats, a: Array, b: Array) -> Piece | None:
    """Cut ``mask`` (h, w) 0-1 out of ``colour`` (h, w, 3) 0-255; None where nothing is left."""
    ys, xs = np.nonzero(mask > 0.004)
    if len(ys) < 4:
        return None
    x0, y0, x1, y1 = int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1
    part = mask[y0:y1, x0:x1]
    rgba = np.dstack([colour[y0:y1, x0:x1] * part[..., None], part * 255])
    rgba = np.pad(np.clip(np.round(rgba), 0, 255).astype(np.uint8), ((1, 1), (1, 1), (0, 0)))
    return Piece(rgba=np.ascontiguousarray(rgba), origin=np.array([x0 - 1.0, y0 - 1.0]), a=a, b=b)


def mirrored(piece: Piece) -> Piece:
    """As seen in a mirror: for the same part of the other side."""
    flip = np.array([-1.0, 1.0])
    corner = piece.origin * flip - [piece.rgba.shape[1] - 1, 0]
    return Piece(rgba=np.ascontiguousarray(piece.rgba[:, ::-1]), origin=corner, a=piece.a * flip, b=piece.b * flip)


def in_colour_of(piece: Piece, like: Piece) -> Piece:
    """``piece`` with its channels scaled so that their means are those of ``like``."""
    (own, wanted) = (p.rgba[..., :3].sum((0, 1)) / max(float(p.rgba[..., 3].sum()), 1.0) for p in (piece, like))
    colour = piece.rgba[..., :3] * np.clip(wanted / np.maximum(own, 1e-3), 0, GAIN_MAX)
    # Premultiplied: no channel is more than the alpha.
    colour = np.minimum(np.round(colour), piece.rgba[..., 3:]).astype(np.uint8)
    return replace(piece, rgba=np.dstack([colour, piece.rgba[..., 3]]))


def bone_map(piece: Piece, a: Array, b: Array, across: float) -> Array:
    """(2, 3) affine map that lays the piece's bone on ``a`` to ``b``: stretched along it, ``across`` is kept."""
    own, wanted = piece.b - piece.a, b - a
    own_length, length = float(np.hypot(*own)), float(np.hypot(*wanted))
    u = own / max(own_length, 1e-6)
    v = wanted / length if length > 1e-6 else u
    along = float(np.clip(length / max(own_length, 1e-6), ALONG_MIN * across, ALONG_MAX * across))
    n, m = np.array([-u[1], u[0]]), np.array([-v[1], v[0]])
    matrix = np.outer(v, u) * along + np.outer(m, n) * across
    return np.concatenate([matrix, (a - matrix @ piece.a)[:, None]], 1)


def turn_map(piece: Piece, a: Array, direction: Array, scale: float) -> Array:
    """(2, 3) similarity that puts the piece's ``a`` at ``a`` and turns its bone to ``direction``."""
    own = piece.b - piece.a
    angle = np.arctan2(direction[1], direction[0]) - np.arctan2(own[1], own[0])
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    matrix = np.array([[c, -s], [s, c]])
    return np.concatenate([matrix, (a - matrix @ piece.a)[:, None]], 1)


def mapped(matrix: Array, points: Array) -> Array:
    """Points (..., 2) through a (2, 3) affine map."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def draw_piece(piece: Piece, matrix: Array, height: int, width: int) -> tuple[Box, Bytes] | None:
    """The piece in the frame as premultiplied RGBA, or None where it is outside."""
    box = bounds_of(mapped(matrix, piece.corners), height, width, margin=0.0)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ piece.origin - [x0, y0]
    drawn = cv2.warpAffine(piece.rgba, shifted, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    return box, np.asarray(drawn, np.uint8)


def invented_piece(cloth: Floats, length: float, start_width: float, stop_width: float) -> Piece:
    """A tapered, round-ended piece of ``cloth`` (h, w, 3), shaded as a cylinder: for a limb never seen."""
    widest = max(start_width, stop_width)
    margin = int(np.ceil(widest / 2)) + 2
    h, w = int(np.ceil(length)) + 2 * margin, 2 * margin + 1
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    t = np.clip((yy - margin) / max(length, 1.0), 0, 1)
    half = (start_width + (stop_width - start_width) * t) / 2
    beyond = np.maximum(np.maximum(margin - yy, yy - margin - length), 0)
    side = np.abs(xx - margin)
    away = np.hypot(side, beyond)
    mask = np.clip(half - away + 0.5, 0, 1).astype(np.float32)
    shade = 1.03 - 0.38 * np.clip(side / np.maximum(half, 1), 0, 1) ** 2.5
    repeat = np.tile(np.concatenate([cloth, cloth[::-1]]), (h // (2 * len(cloth)) + 1, 1, 1))[:h]
    repeat = np.tile(np.concatenate([repeat, repeat[:, ::-1]], 1), (1, w // (2 * cloth.shape[1]) + 1, 1))[:, :w]
    rgba = np.dstack([np.clip(repeat * shade[..., None], 0, 255) * mask[..., None], mask * 255])
    a = np.array([margin, margin], np.float64)
    return Piece(
        rgba=np.clip(np.round(rgba), 0, 255).astype(np.uint8),
        origin=np.zeros(2),
        a=a,
        b=a + [0.0, length],
    )


def invented_hand(skin: Array, size: float) -> Piece:
    """A plain hand of ``size`` px, fingers down, in the colour ``skin`` (3,) 0-255."""
    w, h = int(np.ceil(size * 0.8)) + 4, int(np.ceil(size * 1.15)) + 4
    mask = np.zeros((h * 4, w * 4), np.uint8)

    def at(x: float, y: float) -> tuple[int, int]:
        return int((w / 2 + x * size) * 4), int((2 + y * size) * 4)

    cv2.fillConvexPoly(
        mask, np.array([at(-0.15, 0), at(0.15, 0), at(0.23, 0.3), at(0.2, 0.55), at(-0.2, 0.55), at(-0.23, 0.3)]), 255
    )
    for x, tip in ((-0.165, 0.88), (-0.055, 1.0), (0.055, 0.98), (0.165, 0.82)):
        cv2.line(mask, at(x, 0.5), at(x, tip), 255, max(1, int(0.115 * size * 4)))
    cv2.line(mask, at(0.12, 0.2), at(0.31, 0.5), 255, max(1, int(0.13 * size * 4)))
    soft = (
        cv2.resize(cv2.GaussianBlur(mask, (0, 0), 2.0), (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    )
    light = cv2.GaussianBlur(soft, (0, 0), max(1.0, 0.06 * size))
    colour = skin[None, None] * (0.72 + 0.3 * light)[..., None]
    rgba = np.dstack([np.clip(colour, 0, 255) * soft[..., None], soft * 255])
    return Piece(
        rgba=np.clip(np.round(rgba), 0, 255).astype(np.uint8),
        origin=np.zeros(2),
        a=np.array([w / 2, 2.0]),
        b=np.array([w / 2, 2 + 0.5 * size]),
    )
