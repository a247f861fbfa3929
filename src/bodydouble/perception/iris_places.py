"""Irises that look up: where a picture shows them, if the iris network sees them elsewhere.

The network expects an iris in the middle of the eye's opening. Where somebody looks far up, the upper lid hides half of
the iris, and the network puts it into the white below.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Points

REACH_UP, REACH_ASIDE = 0.5, 0.22
"""Half eye widths above and beside the network's iris in which a darker place is looked for."""
DISC = 1.4
"""Side of a square, in radii of the iris. The square's mean lightness is taken for that of an iris in its middle."""
SKIN_BELOW, SKIN_ROWS, SKIN_MIDDLE = 0.2, 0.45, 0.6
"""Half eye widths below the lower lid where skin begins, of its height, and to both sides, by which light is judged."""
WHITE = (0.6, 0.85)
"""Lightness of the network's iris over that skin, between which it lies in the white of the eye."""
DARKER = (0.12, 0.3)
"""Lightness of that skin by which another place is darker, between which it is the iris.

Both measured on 250 faces of eight clips: irises that are seen in place have up to 0.8 and up to 0.1, those in the
white 0.8 to 1.2 and 0.2 to 0.5. Shut eyes are as light as skin, but nothing above them is as dark.
"""


def iris_shift(patch: Bytes, ring: Points, contour: Points) -> NDArray[np.float64]:
    """(2,) pixels from the network's iris to the one that ``patch`` (h, w, 3) shows; 0 where they agree.

    ``ring`` (5, 2) px is the network's iris, its middle first; ``contour`` (16, 2) px is that of the eye.
    """
    green = patch[..., 1]  # as light as grey, and at hand
    height, width = green.shape
    half = max(float(contour[:, 0].max() - contour[:, 0].min()) / 2, 1.0)
    middle, aside = ring.mean(0), round(REACH_ASIDE * half)
    reach = int(DISC * max(float(ring[:, 0].max() - ring[:, 0].min()) / 2, 1.0) / 2)
    x, y = (
        min(max(round(float(at)), reach), size - 1 - reach) for at, size in zip(middle, (width, height), strict=True)
    )
    below = min(int(contour[:, 1].max() + SKIN_BELOW * half), height - 2)
    beside = max(round(SKIN_MIDDLE * half), 1)
    light = max(
        float(green[below : below + max(2, int(SKIN_ROWS * half)), max(x - beside, 0) : x + beside].mean()), 1.0
    )
    own = float(green[y - reach : y + reach + 1, x - reach : x + reach + 1].mean())
    white = _ramp(*WHITE, own / light)
    if white == 0:
        return np.zeros(2)
    x0, y0 = max(x - aside, 0), max(y - round(REACH_UP * half), 0)
    side = 2 * reach + 1
    window = cv2.blur(np.ascontiguousarray(green), (side, side))[y0 : y + 1, x0 : x + aside + 1]
    row, column = np.unravel_index(int(np.argmin(window)), window.shape)
    share = white * _ramp(*DARKER, (own - float(window[row, column])) / light)
    return share * (np.array([x0 + column, y0 + row], np.float64) - middle)


def _ramp(low: float, high: float, x: float) -> float:
    """0 below ``low``, 1 above ``high``, linear between."""
    return min(max((x - low) / (high - low), 0.0), 1.0)
