"""A wrist between the character's sleeve and the actor's kept hand: the picture's own ends elsewhere, or is hidden."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, PixelBox
from bodydouble.renderers.puppet.drawing.drawing import draw_strip
from bodydouble.renderers.puppet.motion.hand_sources import hand_axis

Array = NDArray[np.float64]

RADIUS = 0.25
"""Half the wrist's width in hand lengths. Chosen by eye on the development clips."""
REACH, FOREARM_SHARE = 1.2, 0.7
"""Hand lengths, and share of the forearm as it is seen, that the wrist goes on under the sleeve, at most."""
SHORTEST = 1.0
"""Pixels: a forearm that points at the camera has no direction, and a wrist that is shorter is not seen."""


@dataclass(frozen=True, kw_only=True)
class Wrist:
    """A strip of skin from a kept hand towards the elbow."""

    line: Array  # (2, 2) px in the frame
    radius: float  # px
    colour: Bytes  # (4,) premultiplied

    def drawn(self, bounds: PixelBox) -> tuple[PixelBox, Bytes] | None:
        """Where it is within ``bounds`` of the frame, and (h, w, 4); None where it is outside."""
        x0, y0, x1, y1 = bounds
        return draw_strip(self.line - [x0, y0], self.radius, self.colour, y1 - y0, x1 - x0)


def wrist_of(points: Array, size: float, wrist: Array, elbow: Array, skin: Array, kept: float) -> Wrist | None:
    """The wrist of a hand with landmarks ``points`` (21, 2) px, drawn ``size`` times as large at ``wrist`` (2,).

    ``elbow`` (2,) is the character's, ``skin`` (3,) 0-255. ``kept``: how much of the hand is drawn, 0-1. None where
    nothing of it would be seen.
    """
    if kept <= 0 or not np.isfinite(points).all():
        return None
    length = size * float(np.hypot(*hand_axis(points)))
    way = elbow - wrist
    forearm = float(np.hypot(*way))
    reach = min(REACH * length, FOREARM_SHARE * forearm)
    if reach < SHORTEST:
        return None
    colour = np.round(np.r_[skin, 255.0] * kept).astype(np.uint8)
    return Wrist(line=np.stack([wrist, wrist + way * (reach / forearm)]), radius=RADIUS * length, colour=colour)
