"""A part of a texture in other colours, mixed in by as much as a frame needs."""

from dataclasses import dataclass

import cv2
import numpy as np

from bodydouble.perception.arrays import Bytes, Floats, PixelBox


@dataclass(frozen=True, kw_only=True)
class TexturePatch:
    """Colours for a part of a texture."""

    box: PixelBox
    rgba: Bytes  # (h, w, 4) within the box, premultiplied; its alpha is the texture's
    weight: Floats  # (h, w) 0-1

    @classmethod
    def of(cls, rgba: Bytes, box: PixelBox, colour: Floats, weight: Floats) -> "TexturePatch":
        """The patch of the texture ``rgba`` (H, W, 4) that has ``colour`` (h, w, 3) 0-255 within ``box``."""
        x0, y0, x1, y1 = box
        changed = rgba[y0:y1, x0:x1].copy()
        # Premultiplied colours are at most as large as their alpha.
        changed[..., :3] = np.minimum(np.round(np.clip(colour, 0, 255)), changed[..., 3:]).astype(np.uint8)
        return cls(box=box, rgba=changed, weight=np.ascontiguousarray(weight, np.float32))

    def lay(self, rgba: Bytes, share: float) -> None:
        """Mix the ``share`` (0-1) of it into the texture ``rgba`` (H, W, 4), in place."""
        x0, y0, x1, y1 = self.box
        own = rgba[y0:y1, x0:x1]
        weight = self.weight * np.float32(share)
        cv2.blendLinear(own, self.rgba, 1 - weight, weight, own)
