"""What is changed in a face's texture before it is drawn in a frame: the rim of a near cheek, the folds of a smile."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes
from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.renderers.puppet.drawing.lips import OUTER_LIPS
from bodydouble.renderers.puppet.drawing.near_cheeks import NearCheeks, near_cheeks
from bodydouble.renderers.puppet.drawing.texture_patch import TexturePatch
from bodydouble.renderers.puppet.motion.expression import SMILE_LIFT, mouth_shape, smoothstep
from bodydouble.renderers.puppet.motion.head import Head
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
KNOWN_MIN = 1e-3
"""Share of known skin around a pixel that is divided by, at least."""


@dataclass(frozen=True, kw_only=True)
class Retouching:
    """The changes of one face's texture."""

    cheeks: NearCheeks
    folds: TexturePatch | None  # without the folds of the picture's smile; None where it does not smile
    smile: float  # 0-1, how much the picture smiles

    def texture(self, rgba: Bytes, turn: Array, lift: float) -> Bytes:
        """The texture ``rgba`` (h, w, 4) for a head in the rotation ``turn`` (3, 3), itself if nothing changes.

        ``lift`` is how far the corners of the actor's mouth are above its middle, see ``mouth_shape``.
        """
        changes = [self.cheeks.shown(turn)]
        serious = self.smile * (1 - float(smoothstep(*SMILE_LIFT, lift)))
        if self.folds is not None and serious > 0:
            changes.append((self.folds, serious))
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
    return Retouching(cheeks=near_cheeks(rgba, face, head), folds=folds, smile=smile)


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
    return TexturePatch(box=(x0, y0, x1, y1), colour=smooth, weight=weight[..., None])
