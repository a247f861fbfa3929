"""What lies below a picture's lower edge, made up from the body model and the cloth beside it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.body_template import BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.surface import label_triangles
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.regions import filled, softened, widened

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

CUT_OFF = 0.5
"""Alpha at the lower edge from which on the picture cuts the person off."""
EDGE = 3
"""Rows at the lower edge whose colours the picture's own border spoils."""
BELOW_HIPS = 2.5
"""Decimetres below the hips that are made up where no legs are to be seen."""
MARGIN = 0.5
"""Decimetres of room around what is made up."""
NECKLINE = 0.2
"""Decimetres around face and neck that count as skin."""
SOURCE_ROWS = 1.0
"""Decimetres above the edge in which cloth has to be seen."""
CLOTH_MIN = 0.15
"""Square decimetres of it at least."""
SKIN_HUE, SKIN_LIGHTNESS = 10.0, 40.0
"""Distances in CIELAB, of a and b together and of L, up to which a colour near the neck is skin and no cloth."""
NECKLINE_DEPTH = 0.3
"""Depth of the rounded neckline that ends the skin below the edge, over the skin's width at the edge."""
WIDTH = 0.12
"""Decimetres by which made-up cloth is wider than the body."""


@dataclass(frozen=True, kw_only=True)
class ExtendedPicture:
    """A picture that reaches down to where the body does; rows from ``edge`` on are made up."""

    image: Image  # (h, w, 3)
    cutout: Cutout  # of the same size
    made_up: Mask  # (h, w)
    edge: int


def extend_below(
    image: Image, cutout: Cutout, fit: BodyFit, template: BodyTemplate, bare: Mask, skin: Array, *, legs: bool
) -> ExtendedPicture:
    """``image`` (h, w, 3) and its cut-out with the body continued below the edge that cuts it off.

    Colours come from the cloth above the edge, not from skin: neither from the ``bare`` (h, w) face and neck nor from
    what has the face's colour ``skin`` (3,) 0-255. ``legs``: down to the feet, else to the thighs. A person that the
    picture shows whole is returned as it is.
    """
    height, width = cutout.alpha.shape
    if cutout.alpha[-EDGE:].max() < CUT_OFF:
        return ExtendedPicture(image=image, cutout=cutout, made_up=np.zeros((height, width), np.bool_), edge=height)
    lowest = float(fit.vertices[:, 1].max()) if legs else float(fit.joints.hips[1] + BELOW_HIPS * fit.scale)
    more = max(0, int(np.ceil(lowest + MARGIN * fit.scale)) - height)
    shape = (height + more, width)
    body = label_triangles(fit.vertices, template.triangles, shape) > 0
    alpha = cv2.copyMakeBorder(cutout.alpha, 0, more, 0, 0, cv2.BORDER_CONSTANT, value=0)
    below = np.arange(shape[0])[:, None] >= height - EDGE
    made_up = widened(body, WIDTH * fit.scale) & below & (alpha < CUT_OFF)
    if not legs:
        made_up[int(lowest) :] = False
    colour = cv2.copyMakeBorder(cutout.colour, 0, more, 0, 0, cv2.BORDER_REPLICATE)
    known = (alpha > 0.9) & ~below
    cloth, naked = _cloth_and_skin(cutout, bare, skin, fit.scale)
    source = cv2.copyMakeBorder(cloth.astype(np.uint8), 0, more, 0, 0, cv2.BORDER_CONSTANT, value=0) > 0
    source &= known
    # A portrait that shows nothing but a neck has no cloth to go on with.
    low = np.arange(shape[0])[:, None] > height - SOURCE_ROWS * fit.scale
    found = np.count_nonzero(source & low) >= CLOTH_MIN * fit.scale**2
    colour = filled(np.asarray(colour, np.float32), source if found else known, made_up | below)
    neckline = _neckline(naked[height - EDGE - 1], shape, height - EDGE)
    if found and neckline.any():
        flesh = filled(colour, known & (colour_distance(colour, skin) < 1), neckline)
        soft = softened(neckline, 1.0)[..., None] * below[..., None]
        colour = colour * (1 - soft) + flesh * soft
    alpha = np.maximum(alpha, softened(made_up, 1.0) * below)
    wide = np.asarray(cv2.copyMakeBorder(image, 0, more, 0, 0, cv2.BORDER_REPLICATE), np.uint8)
    return ExtendedPicture(
        image=wide,
        cutout=replace(cutout, alpha=np.asarray(alpha, np.float32), colour=np.asarray(colour, np.float32)),
        made_up=made_up,
        edge=height,
    )


def _cloth_and_skin(cutout: Cutout, bare: Mask, skin: Array, scale: float) -> tuple[Mask, Mask]:
    """Two masks (h, w): cloth that may go on below the edge, and skin that shows at the neckline.

    Where skin and cloth have one colour, ``bare`` alone tells them apart.
    """
    near_neck = widened(bare, NECKLINE * scale)
    like = colour_distance(cutout.colour, skin) < 1
    cloth, solid = ~near_neck & ~like, cutout.alpha > 0.9
    low = np.arange(len(bare))[:, None] > len(bare) - SOURCE_ROWS * scale
    if np.count_nonzero(cloth & solid & low) < CLOTH_MIN * scale**2:
        return solid & ~near_neck, solid & bare & low
    return solid & cloth, solid & like & near_neck


def colour_distance(colour: Floats, skin: Array) -> Floats:
    """(h, w) how far ``colour`` (h, w, 3) 0-255 is from ``skin`` (3,): below 1 it may be skin, in light or in shade."""
    lab, own = (
        cv2.cvtColor(
            np.asarray(x / 255, np.float32).reshape(-1, x.shape[-2] if x.ndim > 1 else 1, 3), cv2.COLOR_RGB2Lab
        )
        for x in (colour, skin)
    )
    away = np.abs(lab - own[0, 0])
    return np.maximum(np.hypot(away[..., 1], away[..., 2]) / SKIN_HUE, away[..., 0] / SKIN_LIGHTNESS)


def _neckline(naked: NDArray[np.bool_], shape: tuple[int, int], edge: int) -> Mask:
    """(h, w) below the row ``edge``: half an ellipse under the widest run of ``naked`` (w,) skin at the edge."""
    mask = np.zeros(shape, np.uint8)
    starts = np.flatnonzero(np.diff(np.r_[0, naked.astype(np.int8), 0]) == 1)
    stops = np.flatnonzero(np.diff(np.r_[0, naked.astype(np.int8), 0]) == -1)
    if len(starts):
        k = int(np.argmax(stops - starts))
        wide = int(stops[k] - starts[k])
        centre = (int(starts[k]) + wide // 2, edge)
        cv2.ellipse(mask, centre, (max(1, wide // 2), max(1, round(NECKLINE_DEPTH * wide))), 0, 0, 180, 1, -1)
    return mask > 0
