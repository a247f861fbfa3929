"""Tests of ``bodydouble.media.hdr``: HDR samples are kept, and a character looks in HDR as it does in its picture.

The expected colours are computed here from ITU-R BT.2100 in double precision, not with the code under test.
"""

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab, xyz2lab

from bodydouble.media import (
    SDR_COLOUR,
    ColourTags,
    PlaneFormat,
    Planes,
    Quality,
    SegmentEncoder,
    VideoReader,
    choose_encoding,
    composite,
    join_segments,
    picture_in_view,
    probe_video,
)
from clips import HLG, PQ, write_hdr

HDR_COLOUR = {transfer: ColourTags(primaries=9, transfer=transfer, matrix=9) for transfer in (PQ, HLG)}
DELTA_E_MAX = 3.0
BT2020_TO_XYZ = np.array([[0.6370, 0.1446, 0.1689], [0.2627, 0.6780, 0.0593], [0.0, 0.0281, 1.0610]])  # BT.2020, D65
COLOURS = {
    "skin, light": (241, 194, 165),
    "skin, medium": (198, 134, 96),
    "skin, dark": (92, 56, 40),
    "grey": (118, 118, 118),
    "white": (255, 255, 255),
    "black": (8, 8, 8),
    "blue cloth": (40, 70, 150),
    "red cloth": (170, 30, 40),
}


def nits(samples: NDArray[np.float64], transfer: int) -> NDArray[np.float64]:
    """Linear BT.2020 light in cd/m² of limited-range 10-bit samples (..., 3)."""
    y, b, r = (samples[..., 0] - 64) / 876, (samples[..., 1] - 512) / 896, (samples[..., 2] - 512) / 896
    red, blue = y + 1.4746 * r, y + 1.8814 * b
    green = (y - 0.2627 * red - 0.0593 * blue) / 0.6780
    signal = np.clip(np.stack([red, green, blue], -1), 0, 1)
    if transfer == PQ:
        root = signal ** (32 / 2523)
        return 10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (16384 / 2610)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    luminance = scene @ BT2020_TO_XYZ[1]
    return 1000 * luminance[..., None] ** 0.2 * scene


def difference(colour: tuple[int, int, int], samples: NDArray[np.float64], transfer: int) -> float:
    """CIEDE2000 between an sRGB colour and HDR samples, with white at 203 cd/m²."""
    xyz = nits(samples, transfer) / 203 @ BT2020_TO_XYZ.T
    shown = xyz2lab(xyz, illuminant="D65")
    return float(deltaE_ciede2000(rgb2lab(np.array(colour, np.float64) / 255), shown))


def flat(form: PlaneFormat, samples: tuple[int, int, int], side: int = 64) -> Planes:
    luma, blue, red = (
        np.full(size, value, np.uint16)
        for size, value in zip(((side, side), (side // 2, side // 2), (side // 2, side // 2)), samples, strict=True)
    )
    return Planes(luma=luma, blue=blue, red=red)


@pytest.mark.parametrize("transfer", [HLG, PQ])
@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
def test_a_character_keeps_its_appearance(transfer: int, colour: tuple[int, int, int]) -> None:
    """A colour of the picture, drawn into an HDR frame, looks the same within a colour difference of 3."""
    form = PlaneFormat(bits=10, colour=HDR_COLOUR[transfer])
    shown = np.full((64, 64, 3), 100, np.uint8)
    finished = shown.copy()
    finished[16:48, 16:48] = picture_in_view(np.full((32, 32, 3), colour, np.uint8))
    made = composite(flat(form, (400, 512, 512)), shown, finished, form)
    samples = np.array([made.luma[32, 32], made.blue[16, 16], made.red[16, 16]], np.float64)
    assert difference(colour, samples, transfer) < DELTA_E_MAX


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_reference_white_is_203_nits(transfer: int) -> None:
    """The white of a picture is HDR reference white: 75 % of an HLG signal, 58 % of a PQ signal (BT.2408)."""
    form = PlaneFormat(bits=10, colour=HDR_COLOUR[transfer])
    shown = np.zeros((64, 64, 3), np.uint8)
    white = picture_in_view(np.full((64, 64, 3), 255, np.uint8))
    made = composite(flat(form, (64, 512, 512)), shown, white, form)
    share = (int(made.luma[32, 32]) - 64) / 876
    assert share == pytest.approx({HLG: 0.75, PQ: 0.58}[transfer], abs=0.01)


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_hdr_stays_hdr(tmp_path: Path, transfer: int) -> None:
    """Frames in which nothing is drawn keep every 10-bit sample; the HEVC result keeps tags and mastering data."""
    source = write_hdr(tmp_path / "in.mp4", transfer, mastered=transfer == PQ)
    info = probe_video(source)
    footage = VideoReader(source, info, info.width, info.height)
    form = PlaneFormat.of(info.colour, info.coded_height)
    with av.open(str(source)) as container:
        stored = [frame.to_ndarray() for frame in container.decode(video=0)]
    segment = tmp_path / "a.nut"
    with SegmentEncoder(
        segment,
        width=64,
        height=64,
        frame_rate=info.frame_rate,
        time_base=info.time_base,
        form=form,
        encoding=choose_encoding(form, Quality.STANDARD, info.mastering),
    ) as encoder:
        for n, shown, planes in footage.read_planes(0, 4, form):
            kept = composite(planes, shown, shown.copy(), form)
            assert np.array_equal(np.concatenate([plane.ravel() for plane in kept]), stored[n].ravel())
            encoder.write(kept, footage.pts[n])
    result = tmp_path / "out.mp4"
    join_segments([segment], source, info, result)
    made = probe_video(result)
    assert (made.codec, made.bit_depth, made.colour) == ("hevc", 10, info.colour)
    assert made.mastering == info.mastering
    assert (info.mastering is None) == (transfer == HLG)
    assert b"hvc1" in result.read_bytes()


def test_hdr_becomes_sdr_on_request(tmp_path: Path) -> None:
    """In an SDR format the samples are those of the view: mid grey is unchanged and no highlight is clipped."""
    source = write_hdr(tmp_path / "in.mp4", HLG)
    info = probe_video(source)
    footage = VideoReader(source, info, info.width, info.height)
    form = PlaneFormat(bits=8, colour=SDR_COLOUR)
    _, view, planes = next(footage.read_planes(0, 1, form))
    assert planes.luma.dtype == np.uint8
    assert view[2, 2].tolist() == pytest.approx([255, 255, 255], abs=2)  # the nominal peak
    light = nits(np.array([float(np.linspace(64, 700, 64).astype(int)[30]), 512, 512]), HLG) / 203
    assert np.all(light < 0.5)
    srgb = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    assert view[40, 30].tolist() == pytest.approx(srgb.tolist(), abs=1)
    assert int(planes.luma[40, 30]) == pytest.approx(16 + 219 * srgb[0] / 255, abs=1)
