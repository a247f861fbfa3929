"""Margins for a picture whose sides cut off the person's shoulders."""

import cv2
import numpy as np

from bodydouble.perception.arrays import Floats, Image
from bodydouble.perception.trunk import SHOULDERS
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.cutout import Cutout

CUT_OFF = 0.5
"""Alpha at a side from which on the picture cuts the person off there."""
BORDER = 2
"""Columns at a side that are looked at."""
BEYOND_SHOULDER = 0.35
"""Shoulder widths from the shoulder's joint to the outside of a hanging arm, with some room."""
MARGIN_MAX = 1.0
"""Largest margin of a side in shoulder widths."""


def side_margins(anatomy: Anatomy, alpha: Floats) -> tuple[int, int]:
    """Pixels that the picture lacks at its left and right to show both shoulders; 0 where it does not cut them off."""
    width = alpha.shape[1]
    xs = anatomy.body[SHOULDERS, 0]
    reach = BEYOND_SHOULDER * anatomy.shoulder_width
    most = MARGIN_MAX * anatomy.shoulder_width
    left = reach - float(xs.min()) if alpha[:, :BORDER].max() > CUT_OFF else 0.0
    right = float(xs.max()) + reach - width if alpha[:, -BORDER:].max() > CUT_OFF else 0.0
    return round(float(np.clip(left, 0, most))), round(float(np.clip(right, 0, most)))


def with_margins(image: Image, cutout: Cutout, margins: tuple[int, int]) -> tuple[Image, Cutout]:
    """The picture and its cut-out with ``margins`` (left, right) px in which nobody is."""
    left, right = margins
    if not left and not right:
        return image, cutout
    wide = cv2.copyMakeBorder(image, 0, 0, left, right, cv2.BORDER_REPLICATE)
    colour = cv2.copyMakeBorder(cutout.colour, 0, 0, left, right, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(cutout.alpha, 0, 0, left, right, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(wide, np.uint8), Cutout(
        alpha=np.asarray(alpha, np.float32), colour=np.asarray(colour, np.float32)
    )
