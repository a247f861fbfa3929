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
    image: Image, cutout: Cutout, fit: BodyFit, template: BodyTemplate, bare: Mask, *, legs: bool
) -> ExtendedPicture:
    """``image`` (h, w, 3) and its cut-out with the body continued below the edge that cuts it off.

    Colours come from the cloth above the edge, not from ``bare`` (h, w) skin. ``legs``: down to the feet, else to the
    thighs. A person that the picture shows whole is returned as it is.
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
    skin = cv2.copyMakeBorder(bare.astype(np.uint8), 0, more, 0, 0, cv2.BORDER_CONSTANT, value=0) > 0
    known = (alpha > 0.9) & ~below
    cloth = known & ~widened(skin, NECKLINE * fit.scale)
    # A portrait that shows nothing but a neck has no cloth to go on with.
    low = np.arange(shape[0])[:, None] > height - SOURCE_ROWS * fit.scale
    source = cloth if np.count_nonzero(cloth & low) >= CLOTH_MIN * fit.scale**2 else known
    colour = filled(np.asarray(colour, np.float32), source, made_up | below)
    alpha = np.maximum(alpha, softened(made_up, 1.0) * below)
    wide = np.asarray(cv2.copyMakeBorder(image, 0, more, 0, 0, cv2.BORDER_REPLICATE), np.uint8)
    return ExtendedPicture(
        image=wide,
        cutout=replace(cutout, alpha=np.asarray(alpha, np.float32), colour=colour),
        made_up=made_up,
        edge=height,
    )
