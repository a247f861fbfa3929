"""What is changed in a face's texture before it is drawn in a frame: the rim of a near cheek, the folds of a smile."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Floats
from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.renderers.puppet.drawing.lips import OUTER_LIPS
from bodydouble.renderers.puppet.drawing.near_cheeks import NearCheeks, near_cheeks
from bodydouble.renderers.puppet.drawing.texture_patch import TexturePatch
from bodydouble.renderers.puppet.motion.expression import SMILE_LIFT, mouth_shape, smoothstep
from bodydouble.renderers.puppet.motion.head import MESH_POINTS, Head
from bodydouble.renderers.puppet.motion.smiles import CHEEKS
from bodydouble.renderers.puppet.painting import hull_mask
from bodydouble.renderers.puppet.picture.regions import softened, widened

Array = NDArray[np.float64]

FOLDS = ((129, 203, 206, 216, 212, 202), (358, 423, 426, 436, 432, 422))
"""Face mesh points along the fold from each wing of the nose to beside the mouth, image left first."""
FOLD_WIDTH, FOLD_SOFT = 0.084, 0.0315
"""Face widths: thickness of the line along a fold that is smoothed, and standard deviation of its edge. Chosen by eye,
as what follows, on four pictures of people who smile."""
FOLD_DARK, FOLD_BLUR = 0.07, 0.035
"""Face widths of the dark lines that are closed in it, at most, and of the blur that follows, one standard deviation: a
fold is a step in light, too."""
LIPS_RIM, LIPS_SOFT = 0.03, 0.012
"""Face widths around the lips that stay, and standard deviation of the edge there."""
SMILE_FOLD_POINTS, LINE_POINTS, LINE_SMOOTH = 5, 33, 0.7
"""Points of such a fold from the nose on that a smile makes, points of the curve through them, and its smoothness in
squares of the way between two of them."""
FOLD_SHADE, FOLD_SHADE_SOFT = 0.13, (0.026, 0.045)
"""Share of its light that skin loses in the fold of a whole smile, and face widths over which that fades towards the
cheek and towards the mouth. Chosen by eye."""
FOLD_BEGINS, FOLD_ENDS = 0.25, 0.6
"""Shares of the fold's length from the nose up to which its shade grows, from half of it, and from which it fades."""
OPAQUE = 250
"""Alpha (0-255) from which a pixel shows the person alone."""
SHADE_REDDER = np.array([2.0, 0.5])
"""CIELAB a and b, over those of the skin, that shade adds for each share of light that it takes. Chosen by eye."""
YELLOW_MAX = 20.0
"""CIELAB b of skin above which the rest is the picture's own, as of old varnish: it goes with the light. Daylight's
skin has about 18."""
FLAT_PERCENTILE, FLAT_MAX = 25, 50.0
"""Percentile of the slopes of L* in a face, and L* for a face width up to which it is drawn flat: shade would be a
stain there. Measured: 17 to 48 of drawings, 53 to 130 of photographs, paintings and renders."""
CHEEK_LIGHT, CHEEK_SOFT = 0.05, 0.1
"""Share of its light that a raised cheek gains, and face widths over which that fades. Chosen by eye."""
KNOWN_MIN = 1e-3
"""Share of known skin around a pixel that is divided by, at least."""


@dataclass(frozen=True, kw_only=True)
class Retouching:
    """The changes of one face's texture."""

    cheeks: NearCheeks
    folds: TexturePatch | None  # without the folds of the picture's smile; None where it does not smile
    smiling: TexturePatch | None  # with those of a smile; None where the face is too small or smiles itself
    smile: float  # 0-1, how much the picture smiles

    def texture(self, rgba: Bytes, turn: Array, lift: float, smile: float) -> Bytes:
        """The texture ``rgba`` (h, w, 4) for a head in the rotation ``turn`` (3, 3), itself if nothing changes.

        ``lift`` is how far the corners of the actor's mouth are above its middle, see ``mouth_shape``; ``smile`` (0-1)
        is how much the actor smiles.
        """
        changes = [self.cheeks.shown(turn)]
        serious = self.smile * (1 - float(smoothstep(*SMILE_LIFT, lift)))
        if self.folds is not None and serious > 0:
            changes.append((self.folds, serious))
        smiling = (1 - self.smile) * smile
        if self.smiling is not None and smiling > 0:
            changes.append((self.smiling, smiling))
        wanted = [change for change in changes if change is not None]
        if not wanted:
            return rgba
        result = rgba.copy()
        for patch, share in wanted:
            patch.lay(result, share)
        return result


def retouching(rgba: Bytes, face: Array, head: Head, own: Array) -> Retouching:
    """The changes of the texture ``rgba`` (h, w, 4), in which the face's mesh lies at ``face`` (478, 2) px.

    ``head`` is the picture's, ``own`` (478, 3) the normalised face in it.
    """
    smile = float(smoothstep(*SMILE_LIFT, float(mouth_shape(own)[1])))
    folds = _without_folds(rgba, face) if smile > 0 else None
    smiling = _with_folds(rgba, face) if smile < 1 else None
    return Retouching(cheeks=near_cheeks(rgba, face, head), folds=folds, smiling=smiling, smile=smile)


def _with_folds(rgba: Bytes, face: Array) -> TexturePatch | None:
    """The skin beside nose and mouth with the shade and light of cheeks that a smile has raised."""
    width = max(float(np.hypot(*(face[FacePoint.LEFT_CHEEK] - face[FacePoint.RIGHT_CHEEK]))), 1.0)
    middle = face[list(OUTER_LIPS), :2].mean(0)
    lines = [_smooth_line(face[list(fold)][:SMILE_FOLD_POINTS, :2]) for fold in FOLDS]
    every = np.concatenate([*lines, face[[k for cheek in CHEEKS for k in cheek], :2]])
    reach, size = 3 * CHEEK_SOFT * width, [rgba.shape[1], rgba.shape[0]]
    low = np.clip(np.floor(every.min(0) - reach).astype(int), 0, size)
    high = np.clip(np.ceil(every.max(0) + reach).astype(int) + 1, 0, size)
    if (high - low).min() < 2 or _is_flat(rgba, face, width):
        return None
    change = np.zeros((high[1] - low[1], high[0] - low[0]), np.float32)
    for line, cheek in zip(lines, CHEEKS, strict=True):
        change -= _fold_shade(change.shape, line - low, middle - low, width)
        at = face[list(cheek), :2].mean(0) - low
        rows, columns = np.ogrid[: change.shape[0], : change.shape[1]]
        change += CHEEK_LIGHT * np.exp(-((columns - at[0]) ** 2 + (rows - at[1]) ** 2) / (CHEEK_SOFT * width) ** 2)
    here = np.s_[low[1] : high[1], low[0] : high[0]]
    colour = rgba[here][..., :3].astype(np.float32)
    lips = softened(hull_mask(face[list(OUTER_LIPS)] - low, change.shape) > 0, max(LIPS_SOFT * width, 0.5))
    change *= 1 - lips
    lab = cv2.cvtColor(colour / np.float32(255), cv2.COLOR_RGB2Lab)
    skin = np.median(lab[(change != 0) & (rgba[here][..., 3] >= OPAQUE)], axis=0)
    # Shaded skin is redder, by as much as it is red.
    yellow = max(float(skin[2]) - YELLOW_MAX, 0)
    redder = SHADE_REDDER * (skin[1:] - [0, yellow]) - [0, yellow]
    lab += change[..., None] * np.array([0, *-redder], np.float32)
    lab[..., 0] *= 1 + change
    colour = np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB) * np.float32(255), np.float32)
    x0, y0, x1, y1 = (int(edge) for edge in (*low, *high))
    return TexturePatch.of(rgba, (x0, y0, x1, y1), colour, np.ones(change.shape, np.float32))


def _is_flat(rgba: Bytes, face: Array, width: float) -> bool:
    """Whether the ``face`` (478, 2 or more) px in ``rgba`` (h, w, 4) is drawn in even colours; ``width`` px is its."""
    seen = (hull_mask(face[:MESH_POINTS, :2], rgba.shape) > 0) & (rgba[..., 3] >= OPAQUE)
    if not seen.any():
        return True
    x, y, w, h = cv2.boundingRect(seen.astype(np.uint8))
    part = np.s_[y : y + h, x : x + w]
    light = cv2.cvtColor(rgba[part][..., :3].astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab)[..., 0]
    slope = np.hypot(*(cv2.Sobel(light, -1, right, 1 - right, scale=1 / 8) for right in (1, 0)))
    return bool(np.percentile(slope[seen[part]], FLAT_PERCENTILE) * width < FLAT_MAX)


def _fold_shade(shape: tuple[int, int], line: Array, mouth: Array, width: float) -> Floats:
    """(h, w) share of its light that skin loses beside the fold along ``line`` (N, 2) px.

    The cheek rises steeply at the fold, the skin towards the middle of the ``mouth`` (2,) is flat. ``width`` is the
    face's in px.
    """
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    away = np.stack([np.hypot(columns - x, rows - y) for x, y in line.astype(np.float32)])
    nearest = away.argmin(0)
    along = np.linspace(0, 1, len(line), dtype=np.float32)[nearest]
    across = np.array([line[-1, 1] - line[0, 1], line[0, 0] - line[-1, 0]])
    across *= np.sign((mouth - line[0]) @ across)
    flat = (columns - line[nearest, 0]) * across[0] + (rows - line[nearest, 1]) * across[1] > 0
    soft = np.where(flat, FOLD_SHADE_SOFT[1], FOLD_SHADE_SOFT[0]) * width
    strength = smoothstep(-FOLD_BEGINS, FOLD_BEGINS, along) * (1 - smoothstep(FOLD_ENDS, 1, along))
    return np.asarray(FOLD_SHADE * strength * np.exp(-((away.min(0) / soft) ** 2)), np.float32)


def _smooth_line(points: Array) -> Array:
    """(``LINE_POINTS``, 2) a smooth curve through ``points`` (N, 2), nearly."""
    places = np.linspace(0, len(points) - 1, LINE_POINTS)
    weight = np.exp(-((places[:, None] - np.arange(len(points))) ** 2) / LINE_SMOOTH)
    return weight @ points / weight.sum(1, keepdims=True)


def _without_folds(rgba: Bytes, face: Array) -> TexturePatch | None:
    """The skin beside mouth and nose without the folds of a smile."""
    width = max(float(np.hypot(*(face[FacePoint.LEFT_CHEEK] - face[FacePoint.RIGHT_CHEEK]))), 1.0)
    lines = [face[list(fold)] for fold in FOLDS]
    every = np.concatenate([*lines, face[list(OUTER_LIPS)]])
    reach = (FOLD_WIDTH + 3 * max(FOLD_BLUR, FOLD_SOFT)) * width
    size = [rgba.shape[1], rgba.shape[0]]
    low = np.clip(np.floor(every.min(0) - reach).astype(int), 0, size)
    high = np.clip(np.ceil(every.max(0) + reach).astype(int) + 1, 0, size)
    if (high - low).min() < 2:
        return None
    part = np.ascontiguousarray(rgba[low[1] : high[1], low[0] : high[0], :3])
    band = np.zeros(part.shape[:2], np.uint8)
    for line in lines:
        cv2.polylines(band, [np.round(line - low).astype(np.int32)], False, 1, max(1, round(FOLD_WIDTH * width)))
    lips = hull_mask(face[list(OUTER_LIPS)] - low, part.shape) > 0
    around = widened(lips, LIPS_RIM * width)
    weight = softened(band > 0, FOLD_SOFT * width) * (1 - softened(around, max(LIPS_SOFT * width, 0.5)))
    side = max(3, round(FOLD_DARK * width) | 1)
    closed = cv2.morphologyEx(part, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    skin = (~widened(lips, LIPS_SOFT * width)).astype(np.float32)[..., None]  # the lips' colour stays out of the blur
    sigma = max(FOLD_BLUR * width, 0.5)
    light = cv2.GaussianBlur(closed.astype(np.float32) * skin, (0, 0), sigma)
    known = np.maximum(cv2.GaussianBlur(skin, (0, 0), sigma), np.float32(KNOWN_MIN))
    smooth = np.asarray(light / known[..., None], np.float32)
    x0, y0, x1, y1 = (int(edge) for edge in (*low, *high))
    return TexturePatch.of(rgba, (x0, y0, x1, y1), smooth, weight)
