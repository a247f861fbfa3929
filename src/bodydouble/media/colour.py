"""The colour matrix that converts a video between YUV and RGB."""

from av.video.reformatter import Colorspace

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
BT709_TAG, BT601_TAG = 1, 6
BT2020_TAG, BT2020_CONSTANT_LUMINANCE_TAG = 9, 10
HD_LINES = 720
"""Frame height in pixels from which players read an untagged video as BT.709."""
FULL_RANGE_TAG = 2
"""AVCOL_RANGE_JPEG of libav: values 0-255 instead of 16-235."""


def matrix_for(tag: int, lines: int) -> Colorspace:
    """The tagged matrix; if it is unknown, players' default: BT.709 from ``HD_LINES`` up, BT.601 below."""
    return MATRICES.get(tag, Colorspace.ITU709 if lines >= HD_LINES else Colorspace.ITU601)


def tag_for(tag: int, lines: int) -> int:
    """The H.273 matrix number to write for a source tagged ``tag``; never 2 (unspecified)."""
    if tag == BT2020_CONSTANT_LUMINANCE_TAG:
        return BT2020_TAG  # swscale supports only the form with non-constant luminance
    return tag if tag in MATRICES else (BT709_TAG if lines >= HD_LINES else BT601_TAG)
