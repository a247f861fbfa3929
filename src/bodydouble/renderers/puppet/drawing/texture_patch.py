"""A part of a texture in other colours, mixed in by as much as a frame needs."""

from dataclasses import dataclass

import numpy as np

from bodydouble.perception.arrays import Bytes, Floats, PixelBox


@dataclass(frozen=True, kw_only=True)
class TexturePatch:
    """Colours for a part of an opaque texture."""

    box: PixelBox
    colour: Floats  # (h, w, 3) 0-255 within the box
    weight: Floats  # (h, w, 1) 0-1

    def lay(self, rgba: Bytes, share: float) -> None:
        """Mix the ``share`` (0-1) of it into the texture ``rgba`` (h, w, 4), in place."""
        x0, y0, x1, y1 = self.box
        own = rgba[y0:y1, x0:x1, :3]
        mixed = own + (self.colour - own) * (self.weight * np.float32(share))
        # Premultiplied colours are at most as large as their alpha.
        own[:] = np.minimum(np.round(mixed), rgba[y0:y1, x0:x1, 3:]).astype(np.uint8)
