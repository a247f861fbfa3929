"""Array types shared by perception, the renderers and evaluation; the comments give shape, range and unit."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) RGB, 0-255."""
Matte: TypeAlias = NDArray[np.uint8]
"""(H, W) soft alpha of a person: 0 background, 255 the person."""
Alpha: TypeAlias = NDArray[np.float32]
"""(H, W) soft alpha, 0-1, while a matte is being computed."""
Mask: TypeAlias = NDArray[np.bool_]
"""(H, W) binary."""
MaskImage: TypeAlias = NDArray[np.uint8]
"""(H, W) binary as OpenCV takes it: 0, and 1 or 255."""
Floats: TypeAlias = NDArray[np.float32]
"""A field or table of any shape; docstrings give shape, range and unit."""
Bytes: TypeAlias = NDArray[np.uint8]
"""The same in 8 bits."""
Points: TypeAlias = NDArray[np.float64]
"""(N, 2) x and y in pixels; (N, 3) with depth or confidence where a docstring says so."""
Affine: TypeAlias = NDArray[np.float64]
"""(2, 3) affine map of points in pixels."""
Box: TypeAlias = NDArray[np.float64]
"""(4,) x0, y0, x1, y1 in pixels."""
Boxes: TypeAlias = NDArray[np.float64]
"""(N, 4) rows of ``Box``."""
PixelBox: TypeAlias = tuple[int, int, int, int]
"""x0, y0, x1, y1 in whole pixels, x1 and y1 outside."""
