"""Colour matrices and ranges that convert a video between Y'CbCr and RGB (ISO/IEC 23091-2, H.273)."""

import numpy as np
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""Matrix number of ISO/IEC 23091-2 (H.273) → swscale's name. swscale does not support the others (YCgCo, ICtCp)."""
UNSUPPORTED_MATRICES = {8: "YCgCo", 11: "YDzDx", 12: "derived", 13: "derived", 14: "ICtCp", 15: "IPT-C2", 16: "YCgCo-R"}
"""Matrix number → name of those that are tagged in files, but not supported."""
BT709_TAG, BT601_TAG = 1, 6
BT2020_TAG, BT2020_CONSTANT_LUMINANCE_TAG = 9, 10
"""Matrix numbers of BT.709, BT.601 and both forms of BT.2020 (H.273 table 4)."""
RED_BLUE_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""Matrix number → the weights KR and KB of red and blue in luma (H.273 table 4)."""
HD_LINES = 720
"""Frame height in pixels from which players read an untagged video as BT.709."""
FULL_RANGE_TAG = 2
"""AVCOL_RANGE_JPEG of libav: values 0-255 instead of 16-235."""


def tag_for(tag: int, lines: int) -> int:
    """The H.273 matrix number to write for a source tagged ``tag``.

    If it is unknown, players' default: BT.709 from ``HD_LINES`` up, BT.601 below.
    """
    if tag == BT2020_CONSTANT_LUMINANCE_TAG:
        return BT2020_TAG  # swscale supports only the form with non-constant luminance
    return tag if tag in MATRICES else (BT709_TAG if lines >= HD_LINES else BT601_TAG)


def sample_matrix(tag: int, *, full_range: bool, bits: int) -> NDArray[np.float32]:
    """(3, 4) affine map from RGB (0-1) to Y'CbCr samples, not rounded (H.273 equations 20 to 35).

    ``tag``: a key of ``RED_BLUE_WEIGHTS``. ``bits``: of a sample.
    """
    red, blue = RED_BLUE_WEIGHTS[tag]
    luma = np.array([red, 1 - red - blue, blue])
    rows = np.stack(
        [luma, (np.array([0, 0, 1]) - luma) / (2 * (1 - blue)), (np.array([1, 0, 0]) - luma) / (2 * (1 - red))]
    )
    step = 1 << (bits - 8)
    scale = np.full(3, (1 << bits) - 1.0) if full_range else np.array([219.0, 224.0, 224.0]) * step
    offset = np.array([0.0 if full_range else 16.0 * step, 128.0 * step, 128.0 * step])
    return np.column_stack([rows * scale[:, None], offset]).astype(np.float32)
