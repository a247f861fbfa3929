"""Masks: white where the model generates, black where the background is kept."""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from bodydouble.perception.arrays import Image, MaskImage, Matte

MATTE_MIN = 128
"""Alpha 0-255 from which a pixel is the person's: half covered."""
KERNEL_SIDE, DILATIONS = 7, 3
"""``--k 7 --iterations 3`` of Wan-Video/Wan2.2: nine pixels of the canvas, so that nothing of the outline shows."""


@dataclass(frozen=True, kw_only=True)
class MaskGrid:
    """Number of blocks that the person's bounding box is cut into. A block that touches the person is white.

    1 x 1, the default of Wan-Video/Wan2.2, gives the whole box, so that a body of another shape fits. More blocks keep
    more of the background and follow the old outline more closely.
    """

    columns: int = 1
    rows: int = 1

    def __post_init__(self) -> None:
        if self.columns < 1 or self.rows < 1:
            raise ValueError(f"mask grid: {self.columns} x {self.rows} is not at least 1 x 1")


def generation_mask(matte: Matte, grid: MaskGrid = MaskGrid()) -> MaskImage:
    """The mask of one frame from the person's matte, both in the canvas; all black where the matte is empty."""
    person = np.where(matte >= MATTE_MIN, np.uint8(255), np.uint8(0))
    kernel = np.ones((KERNEL_SIDE, KERNEL_SIDE), np.uint8)
    mask = np.asarray(cv2.dilate(person, kernel, iterations=DILATIONS), np.uint8)
    x0, y0, width, height = cv2.boundingRect(mask)
    if not width:
        return mask
    across = np.unique(np.linspace(x0, x0 + width, grid.columns + 1).astype(int))
    down = np.unique(np.linspace(y0, y0 + height, grid.rows + 1).astype(int))
    for (top, bottom), (left, right) in itertools.product(itertools.pairwise(down), itertools.pairwise(across)):
        block = mask[top:bottom, left:right]
        block[:] = block.max()
    return mask


def masked_background(image: Image, mask: MaskImage) -> Image:
    """``image`` (H, W, 3) with black where ``mask`` is white."""
    return np.where(mask[..., None] > 0, np.uint8(0), image)
