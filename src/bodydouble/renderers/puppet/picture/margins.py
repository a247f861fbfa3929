"""Margins for a picture whose borders cut off the person's shoulders or head."""

from dataclasses import dataclass

import cv2
import numpy as np

from bodydouble.perception.arrays import Floats, Image
from bodydouble.perception.trunk import SHOULDERS
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.cutout import Cutout

CUT_OFF = 0.5
"""Alpha at a border from which on the picture cuts the person off there."""
BORDER = 2
"""Rows or columns at a border that are looked at."""
BEYOND_SHOULDER = 0.5
"""Shoulder widths from the shoulder's joint to the outside of a hanging arm, with some room."""
MARGIN_MAX = 1.0
"""Largest margin of a side in shoulder widths."""


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Pixels that are added to a picture; none below, where ``extend_below`` continues the body."""

    left: int = 0
    top: int = 0
    right: int = 0

    @property
    def sides(self) -> tuple[int, int]:
        """Columns at the left and right."""
        return self.left, self.right

    def joined(self, other: "Margins") -> "Margins":
        """The larger of both at each border."""
        return Margins(
            left=max(self.left, other.left), top=max(self.top, other.top), right=max(self.right, other.right)
        )


def shoulder_margins(anatomy: Anatomy, alpha: Floats) -> Margins:
    """What the picture lacks at its left and right to show both shoulders; 0 where it does not cut them off.

    A lower edge that cuts the person off may hide shoulders that are wider than the picture.
    """
    width = alpha.shape[1]
    xs = anatomy.body[SHOULDERS, 0]
    reach = BEYOND_SHOULDER * anatomy.shoulder_width
    most = MARGIN_MAX * anatomy.shoulder_width
    below = bool(alpha[-BORDER:].max() > CUT_OFF)
    left = reach - float(xs.min()) if below or alpha[:, :BORDER].max() > CUT_OFF else 0.0
    right = float(xs.max()) + reach - width if below or alpha[:, -BORDER:].max() > CUT_OFF else 0.0
    return Margins(left=round(float(np.clip(left, 0, most))), right=round(float(np.clip(right, 0, most))))


def with_margins(image: Image, cutout: Cutout, margins: Margins) -> tuple[Image, Cutout]:
    """The picture and its cut-out with ``margins`` in which nobody is."""
    around = margins.top, 0, margins.left, margins.right
    if not any(around):
        return image, cutout
    wide = cv2.copyMakeBorder(image, *around, cv2.BORDER_REPLICATE)
    colour = cv2.copyMakeBorder(cutout.colour, *around, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(cutout.alpha, *around, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(wide, np.uint8), Cutout(
        alpha=np.asarray(alpha, np.float32), colour=np.asarray(colour, np.float32)
    )
