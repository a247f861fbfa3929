"""Tests of ``bodydouble.media.compositing``: what was not drawn keeps its samples, what was drawn has its colour."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bodydouble.media import ColourTags, PlaneFormat, Planes, composite, planes_of_image
from bodydouble.media.compositing import changed_pixels

GREY = 120


def format_of(bits: int = 8, *, full_range: bool = False) -> PlaneFormat:
    return PlaneFormat(bits=bits, colour=ColourTags(matrix=1, full_range=full_range))


def any_planes(form: PlaneFormat, height: int = 32, width: int = 48) -> Planes:
    """Random samples, also such that no RGB colour has."""
    rng = np.random.default_rng(5)
    luma, blue, red = (
        rng.integers(0, 1 << form.bits, size).astype(form.dtype)
        for size in ((height, width), (height // 2, width // 2), (height // 2, width // 2))
    )
    return Planes(luma=luma, blue=blue, red=red)


def grey(height: int = 32, width: int = 48) -> NDArray[np.uint8]:
    return np.full((height, width, 3), GREY, np.uint8)


@pytest.mark.parametrize("bits", [8, 10])
def test_pixels_that_were_not_drawn_keep_every_sample(bits: int) -> None:
    """Samples outside the drawn pixels and their 2 x 2 blocks are the source's, also at odd borders."""
    form = format_of(bits)
    source, shown = any_planes(form), grey()
    finished = shown.copy()
    finished[5:12, 7:20] = (200, 150, 120)
    result = composite(source, shown, finished, form)
    for made, kept, (top, bottom, left, right) in zip(
        result, source, [(5, 12, 7, 20), (2, 6, 3, 10), (2, 6, 3, 10)], strict=True
    ):
        outside = np.ones(kept.shape, bool)
        outside[top:bottom, left:right] = False
        assert np.array_equal(made[outside], kept[outside])
        assert made.dtype == kept.dtype == form.dtype


def test_an_unchanged_frame_is_returned_as_it_is() -> None:
    """Where nothing was drawn, the result is the source's frame."""
    form = format_of()
    source = any_planes(form)
    assert composite(source, grey(), grey(), form) is source


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("full_range", [False, True])
def test_drawn_pixels_get_the_samples_of_their_colour(bits: int, full_range: bool) -> None:
    """White, black and red become the samples that BT.709 defines, within rounding."""
    form, shown = format_of(bits, full_range=full_range), grey()
    step, top = 1 << (bits - 8), (1 << bits) - 1
    finished = shown.copy()
    finished[:8, :8], finished[8:16, :8], finished[16:24, :8] = 255, 0, (255, 0, 0)
    result = composite(planes_of_image(shown, form), shown, finished, form)
    white, black = (top, 0) if full_range else (235 * step, 16 * step)
    red = 0.2126 * (white - black) + black
    assert [int(result.luma[y, 4]) for y in (4, 12, 20)] == pytest.approx([white, black, red], abs=0.51)
    middle, half = 128 * step, (top / 2 if full_range else 112 * step)
    assert int(result.red[2, 2]) == int(result.blue[2, 2]) == middle
    assert int(result.red[10, 2]) == pytest.approx(min(top, middle + half), abs=0.51)


def test_chroma_of_a_half_drawn_block_is_the_mean_of_both() -> None:
    """A chroma sample counts the source's sample for each kept pixel and the drawn colour for each drawn one."""
    form, shown = format_of(), grey()
    source = planes_of_image(shown, form)
    source = Planes(luma=source.luma, blue=source.blue, red=np.full_like(source.red, 40))
    finished = shown.copy()
    finished[4:12, 5:12] = (255, 0, 0)
    result = composite(source, shown, finished, form)
    assert result.red[3].tolist()[1:7] == [40, (40 + 240) // 2, 240, 240, 240, 40]


def test_a_picture_becomes_planes_and_back() -> None:
    """Flat colours survive the conversion of a whole picture within one level."""
    form = format_of()
    picture = np.zeros((16, 48, 3), np.uint8)
    colours = [(224, 172, 140), (118, 118, 118), (30, 90, 200)]
    for k, colour in enumerate(colours):
        picture[:, 16 * k : 16 * k + 16] = colour
    frame = form.frame_of(planes_of_image(picture, form))
    shown = frame.reformat(
        format="rgb24", src_colorspace=1, dst_colorspace=1, src_color_range=1, dst_color_range=2
    ).to_ndarray()
    assert np.abs(shown[8, 8::16].astype(int) - np.array(colours)).max() <= 2


def test_a_pixel_has_changed_where_any_channel_differs() -> None:
    """One level in one channel is enough, whatever the other channels do."""
    rng = np.random.default_rng(1)
    shown = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    finished = shown.copy()
    finished[::3, ::2, 1] ^= 1
    finished[5, 7] = 255 - shown[5, 7]
    changed = changed_pixels(shown, finished)
    assert np.array_equal(changed, (shown != finished).any(-1).astype(np.uint8))
