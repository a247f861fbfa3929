"""The shade where feet touch the ground: without it the character floats.

Close to a sole no light reaches the ground, wherever lamps and sun are. The removed person's own shade
of this kind lies in the widened mask and is removed with them. Shadows farther out stay in the source's pixels.
"""

import cv2
import numpy as np
from cv2.typing import MatLike

from bodydouble.perception.arrays import Floats, Image, Matte, PixelBox
from bodydouble.renderers.puppet.drawing.drawing import Drawing, DrawnFoot

CONTACT, CONTACT_SIGMA = 0.42, (0.06, 0.045)
"""Depth (0-1) of the shade at the edge of a sole, and standard deviations across and down of how it ends, in lengths of
the foot. Chosen by eye on dancers, walkers and a juggler, by the shade of their own feet."""
WIDE, WIDE_SIGMA = 0.18, (0.2, 0.08)
"""The same of the wider shade of the whole shoe."""
SOLE_RISE = 0.35
"""Lengths of the foot above its lowest row from which on its outline no longer touches the ground."""
ABOVE, BELOW, BESIDE = 0.3, 0.9, 1.1
"""Lengths of the foot about its ankle in which its sole is."""
BLUR_EXTENT = 3
"""Standard deviations that a blur reaches: farther out it is under 1 %."""
BLURRED_LENGTH = 24.0
"""Pixels that a foot has in the picture in which its shade is blurred: a soft one needs no more."""
THICK = 0.16
"""Lengths of the foot that the blurred strip along the sole is thick: it lies under the shoe."""
EDGE = 0.5
"""Share that a blur leaves at the strip's edge."""
ALPHA_MIN = 200
"""Alpha (0-255) from which a pixel is the shoe's: its shade in the picture, which the matte may hold, is fainter."""
LENGTH_MIN_PIXELS = 8.0
"""Shorter feet have no shade that could be seen."""


def shade_ground(base: Image, drawing: Drawing, box: PixelBox, things: Floats | None) -> None:
    """Darken ``base`` (h, w, 3), what is behind the character within ``box`` of the frame, in place, at resting feet.

    ``things`` (h, w), 0-1, are in front of the character: they lie on no ground behind it.
    """
    for foot in drawing.feet:
        found = _shade_of(foot, drawing)
        if found is None:
            continue
        (left, top), shade = found
        x0, y0 = left - box[0], top - box[1]
        u0, v0 = max(x0, 0), max(y0, 0)
        u1, v1 = min(x0 + shade.shape[1], base.shape[1]), min(y0 + shade.shape[0], base.shape[0])
        if u1 <= u0 or v1 <= v0:
            continue
        here, part = np.s_[v0:v1, u0:u1], shade[v0 - y0 : v1 - y0, u0 - x0 : u1 - x0]
        if things is not None:
            part = np.asarray(cv2.multiply(part, 1 - things[here], dtype=cv2.CV_8U), np.uint8)
        base[here] = cv2.multiply(base[here], cv2.merge([cv2.bitwise_not(part)] * 3), scale=1 / 255)


def _shade_of(foot: DrawnFoot, drawing: Drawing) -> tuple[tuple[int, int], Matte] | None:
    """Where the shade of ``foot`` begins in the frame (x, y px), and (h, w) 0-255 how dark it is; or None."""
    length = foot.length
    if foot.rests <= 0 or length < LENGTH_MIN_PIXELS:
        return None
    x, y = foot.ankle - drawing.bounds[:2]
    height, width = drawing.alpha.shape
    x0, x1 = max(0, round(x - BESIDE * length)), min(width, round(x + BESIDE * length))
    y0, y1 = max(0, round(y - ABOVE * length)), min(height, round(y + BELOW * length))
    if x1 <= x0 or y1 <= y0:
        return None
    step = max(1, round(length / BLURRED_LENGTH))
    shoe = drawing.alpha[y0:y1:step, x0:x1:step] >= ALPHA_MIN
    columns, length = shoe.any(0), length / step
    if not columns.any():
        return None
    lowest = shoe.shape[0] - 1 - shoe[::-1].argmax(0)
    sole = int(lowest[columns].max())
    weight = np.clip(1 - (sole - lowest) / (SOLE_RISE * length), 0, 1) * columns * foot.rests * 255
    aside, down = (max(2, round(BLUR_EXTENT * side * length)) for side in WIDE_SIGMA)
    rows = np.arange(sole - round((SOLE_RISE + THICK) * length) - down, sole + down + 1)[:, None]
    inside = (rows <= lowest) & (rows > lowest - THICK * length)
    strip = cv2.copyMakeBorder((inside * weight).astype(np.uint8), 0, 0, aside, aside, cv2.BORDER_CONSTANT)
    contact, wide = (
        _faded(strip, depth, sigma[0] * length, sigma[1] * length)
        for depth, sigma in ((CONTACT, CONTACT_SIGMA), (WIDE, WIDE_SIGMA))
    )
    shade = cv2.resize(cv2.add(contact, wide), None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
    corner = drawing.bounds[0] + x0 - aside * step, drawing.bounds[1] + y0 + int(rows[0, 0]) * step
    return corner, np.asarray(shade, np.uint8)


def _faded(strip: MatLike, depth: float, across: float, down: float) -> MatLike:
    """(h, w) 0-255 a shade of ``depth`` (0-1) up to the edge of ``strip`` (h, w), that ends by two deviations in px."""
    blurred = cv2.GaussianBlur(strip, (0, 0), across, sigmaY=down)
    return cv2.convertScaleAbs(cv2.threshold(blurred, 255 * EDGE, 0, cv2.THRESH_TRUNC)[1], alpha=depth / EDGE)
