"""Which matrix turns a video's YUV into RGB and back."""

from av.video.reformatter import Colorspace

# H.273 matrix numbers and what swscale calls them. Others (YCgCo, ICtCp) are rare and not supported by swscale.
MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
HD_LINES = 720


def matrix_for(tag: int, lines: int) -> Colorspace:
    """The tagged matrix, else what players assume: BT.709 from 720 lines up, BT.601 below."""
    return MATRICES.get(tag, Colorspace.ITU709 if lines >= HD_LINES else Colorspace.ITU601)


def tag_for(tag: int, lines: int) -> int:
    """The H.273 number to write for a video that was tagged ``tag``: never left to guessing."""
    if tag == 10:
        return 9  # swscale knows the non-constant luminance form only
    return tag if tag in MATRICES else (1 if lines >= HD_LINES else 6)
