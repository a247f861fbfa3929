"""Tests of ``bodydouble.media.decode``: order, colour and damage of decoded frames."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from bodydouble.media import PlaneFormat, Planes, VideoReader, composite, probe_video, working_size
from bodydouble.media.decode import EXACT_COLOUR
from clips import (
    CLOCKWISE,
    COUNTERCLOCKWISE,
    FLIPPED,
    HALF_TURN,
    MIRRORED,
    TICK,
    TRANSPOSED,
    TRANSVERSED,
    UPRIGHT,
    number_of,
    numbered,
    packets,
    turned,
    write_clip,
)


def reader(path: Path) -> VideoReader:
    info = probe_video(path)
    return VideoReader(path, info, *working_size(info.width, info.height, 240))


def numbers(path: Path) -> list[int]:
    footage = reader(path)
    return [number_of(image) for _, image in footage.read(0, footage.frames)]


CLIPS: dict[str, dict[str, Any]] = {
    "b_frames.mp4": {"bf": "3", "g": "12"},
    "open_groups.mp4": {"g": "12", "x264-params": "open-gop=1:bframes=3:b-pyramid=normal"},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "edit_list.mov": {"pts": [2560 + 512 * n for n in range(40)]},
    "matroska.mkv": {"time_base": Fraction(1, 1000)},
    "without_pts.avi": {"time_base": Fraction(1, 25), "bf": "3", "g": "12"},
    "ntsc.avi": {"time_base": Fraction(1001, 30000), "rate": Fraction(30000, 1001)},
    "packed.avi": {"codec": "mpeg4", "bf": "2", "time_base": Fraction(1, 25), "b": "4000000"},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "full_range": True, "time_base": Fraction(1, 25)},
    "hidden_frames.webm": {
        "codec": "libvpx",
        "time_base": Fraction(1, 1000),
        "b": "2000000",
        "auto-alt-ref": "1",
        "lag-in-frames": "16",
        "cpu-used": "6",
        "deadline": "realtime",
    },
    "vp9.webm": {
        "codec": "libvpx-vp9",
        "time_base": Fraction(1, 1000),
        "b": "2000000",
        "cpu-used": "6",
        "deadline": "realtime",
    },
    "ten_bits.mp4": {"pix_fmt": "yuv422p10le", "matrix": 9},
    "rgb.mov": {"codec": "qtrle", "pix_fmt": "rgb24"},
    "lossless.mkv": {"codec": "ffv1", "pix_fmt": "bgr0", "time_base": Fraction(1, 1000)},
    "animation.gif": {"codec": "gif", "pix_fmt": "rgb8", "time_base": Fraction(1, 100)},
    "variable.mp4": {"pts": [n * 300 + n * n * 7 for n in range(40)]},
}


@pytest.mark.parametrize("name", CLIPS)
def test_every_frame_in_order_and_the_same_from_anywhere(tmp_path: Path, name: str) -> None:
    """All forty frames come in order, and a frame read after a seek equals the one read in sequence."""
    path = write_clip(tmp_path / name, numbered(40), **CLIPS[name])
    footage = reader(path)
    assert footage.frames == len(footage.pts) == 40
    assert footage.pts == sorted(set(footage.pts))
    sequence = dict(footage.read(0, 40))
    assert [number_of(sequence[n]) for n in range(40)] == list(range(40))
    for start in (1, 11, 12, 13, 25, 39):
        for n, image in footage.read(start, min(start + 3, 40)):
            assert np.array_equal(image, sequence[n]), (start, n)
    assert [n for n, image in footage.read(3, 30, 9) if np.array_equal(image, sequence[n])] == [3, 12, 21]


@pytest.mark.parametrize(
    "matrix", [UPRIGHT, CLOCKWISE, HALF_TURN, COUNTERCLOCKWISE, MIRRORED, FLIPPED, TRANSPOSED, TRANSVERSED]
)
def test_every_orientation_is_resolved(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Pixel (x, y) is displayed where the display matrix puts it, in all four rotations and their mirror images."""
    plain = write_clip(tmp_path / "a.mp4", numbered(2))
    stored = dict(reader(plain).read(0, 1))[0]
    shown = dict(reader(turned(plain, "b.mp4", matrix)).read(0, 1))[0]
    a, b, c, d = matrix
    y, x = np.mgrid[: stored.shape[0], : stored.shape[1]]
    right, down = a * x + c * y, b * x + d * y
    expected = np.empty((np.ptp(down) + 1, np.ptp(right) + 1, 3), np.uint8)
    expected[down - down.min(), right - right.min()] = stored
    assert shown.shape == expected.shape
    assert np.abs(shown.astype(int) - expected).mean() < 3


def test_sample_aspect_is_resolved(tmp_path: Path) -> None:
    """Anamorphic pixels are stretched, not cropped: each bar keeps its share of the width."""
    path = write_clip(tmp_path / "a.mp4", numbered(26), sample_aspect=Fraction(3, 2))
    footage = reader(path)
    assert (footage.width, footage.height) == (384, 240)
    assert [number_of(image) for _, image in footage.read(0, 5)] == [0, 1, 2, 3, 4]


def patches() -> NDArray[np.uint8]:
    """256x240 fields of saturated colours, which a wrong matrix or range shifts most."""
    colours = np.array([(220, 30, 30), (30, 220, 30), (30, 30, 220), (235, 235, 235)], np.uint8)
    return np.repeat(np.repeat(colours[None], 240, 0), 64, 1)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
def test_matrix_and_range_are_believed(tmp_path: Path, matrix: int, full_range: bool, pix_fmt: str) -> None:
    """Colours survive BT.709, BT.601 and BT.2020 in limited and full range, at 8 and 10 bits."""
    path = tmp_path / "a.mp4"
    write_clip(path, [patches()] * 26, matrix=matrix, full_range=full_range, pix_fmt=pix_fmt)
    image = dict(reader(path).read(0, 1))[0].astype(int)
    for left in range(0, 256, 64):
        inside = image[:, left + 8 : left + 56]
        assert np.abs(inside - patches()[:, left + 8 : left + 56]).max() <= 5


@pytest.mark.parametrize("size", [(256, 240), (512, 480)])
def test_decoding_darkens_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    """The mean luma of a decoded frame is the source's within 0.1, at native size and reduced."""
    width, height = size
    rng = np.random.default_rng(3)
    noise = rng.integers(40, 216, (height // 4, width // 4, 3)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    path = write_clip(tmp_path / "a.mp4", [noise] * 26, matrix=1, qp="0")
    with av.open(str(path)) as container:
        stored = next(container.decode(video=0)).to_ndarray()[:height].astype(float)
    decoded = dict(reader(path).read(0, 1))[0].astype(float)
    luma = 16 + decoded @ np.array([0.2126, 0.7152, 0.0722]) * 219 / 255  # ITU-R BT.709-6, items 3.2 and 3.4
    assert abs(float(luma.mean() - stored.mean())) < 0.1


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize(("size", "levels"), [((256, 240), 0), ((512, 480), 0), ((384, 360), 1)])
def test_pictures_are_those_of_packed_conversion(
    tmp_path: Path, size: tuple[int, int], levels: int, pix_fmt: str
) -> None:
    """The fast conversion by planes gives the bytes of swscale's slow one to rgb24, at native size and halved.

    Where areas of fractional size are averaged, some differ by a level.
    """
    width, height = size
    noise = np.random.default_rng(5).integers(0, 256, (height, width, 3)).astype(np.uint8)
    path = write_clip(tmp_path / "a.mp4", [noise] * 26, matrix=1, pix_fmt=pix_fmt)
    with av.open(str(path)) as container:
        packed = (
            next(container.decode(video=0))
            .reformat(
                width=256,
                height=240,
                format="rgb24",
                src_colorspace=Colorspace.ITU709,
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG,
                interpolation=EXACT_COLOUR | (Interpolation.AREA if width > 256 else Interpolation.BICUBIC),
            )
            .to_ndarray()
        )
    difference = np.abs(dict(reader(path).read(0, 1))[0].astype(int) - packed)
    assert difference.max() <= levels
    assert difference.mean() < 0.01


def test_unsupported_matrices_still_decode(tmp_path: Path) -> None:
    """A matrix that swscale does not support (YCgCo) is replaced by the default one, with a warning."""
    path = write_clip(tmp_path / "a.mp4", numbered(26), **dict[str, Any]({"x264-params": "colormatrix=YCgCo"}))
    assert probe_video(path).colour.matrix == 8
    assert [warning.code for warning in probe_video(path).warnings] == ["colour_matrix"]
    assert numbers(path) == list(range(26))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_broken_frame_repeats_the_one_before(tmp_path: Path, name: str) -> None:
    """Destroyed frames repeat the frame before, wherever reading starts."""
    path = write_clip(tmp_path / name, numbered(30), time_base=Fraction(1, 1000), bf="0", g="1")
    data = bytearray(path.read_bytes())
    for n in (14, 15):
        coded = packets(path, "video")[n][1]
        at = data.index(coded)
        data[at : at + len(coded)] = bytes(len(coded))
    path.write_bytes(data)
    footage = reader(path)
    sequence = [number_of(image) for _, image in footage.read(0, 30)]
    assert sequence == [*range(14), 13, 13, *range(16, 30)]
    assert [number_of(dict(footage.read(n, n + 1))[n]) for n in (14, 15, 16)] == [13, 13, 16]
    assert [number_of(image) for _, image in footage.read(1, 30, 7)] == [1, 8, 13, 22, 29]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_damage_looks_the_same_every_time(tmp_path: Path, name: str) -> None:
    """A file with flipped bits in all its frames is read to the end, and two reads give the same bytes."""
    codec = {"codec": "mpeg4", "b": "2000000"} if name == "a.avi" else {}
    path = write_clip(tmp_path / name, numbered(40), time_base=Fraction(1, 25), g="12", **codec)
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(11)
    coded = packets(path, "video")
    for n in (5, 6, 17, 29):
        at = data.index(coded[n][1]) + len(coded[n][1]) // 2
        data[at : at + 16] = rng.integers(0, 256, 16, np.uint8).tobytes()
    path.write_bytes(data)
    first, second = (list(reader(path).read(0, 40)) for _ in range(2))
    assert [n for n, _ in first] == list(range(40))
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, second, strict=True))


def test_reading_stops_early_without_decoding_the_rest(tmp_path: Path) -> None:
    """An empty range yields nothing, and a range beyond the end stops at the end."""
    footage = reader(write_clip(tmp_path / "a.mp4", numbered(26)))
    assert list(footage.read(5, 5)) == []
    assert [n for n, _ in footage.read(24, 99)] == [24, 25]


def planes_of(path: Path, index: int = 0, side: int = 240) -> Planes:
    """The samples of one frame, as an 8-bit result stores them."""
    info = probe_video(path)
    footage = VideoReader(path, info, *working_size(info.width, info.height, side))
    form = PlaneFormat.of(info.colour, info.coded_height)
    return next(planes for _, _, planes in footage.read_planes(index, index + 1, form))


def stored_planes(path: Path, index: int = 0) -> list[NDArray[Any]]:
    """The samples of one frame as libav decodes them."""
    with av.open(str(path)) as container:
        frame = list(container.decode(video=0))[index]
    height, width = frame.height, frame.width
    packed = frame.to_ndarray().reshape(-1)
    sizes = [(height, width), (height // 2, width // 2), (height // 2, width // 2)]
    edges = np.cumsum([0, *(h * w for h, w in sizes)])
    return [packed[a:b].reshape(size) for a, b, size in zip(edges, edges[1:], sizes, strict=False)]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (UPRIGHT, lambda plane: plane),
        (CLOCKWISE, lambda plane: np.rot90(plane, -1)),
        (HALF_TURN, lambda plane: np.rot90(plane, 2)),
        (MIRRORED, lambda plane: plane[:, ::-1]),
        (TRANSPOSED, np.transpose),
    ],
)
def test_samples_of_native_size_are_the_decoders_own(tmp_path: Path, matrix: Any, expected: Any) -> None:
    """An 8-bit 4:2:0 frame at its own size keeps every sample, also when it is turned or mirrored."""
    path = write_clip(tmp_path / "a.mp4", numbered(26), matrix=1)
    for made, stored in zip(planes_of(turned(path, "b.mp4", matrix), 3), stored_planes(path, 3), strict=True):
        assert np.array_equal(made, expected(stored))


def test_scaled_samples_never_pass_through_rgb(tmp_path: Path) -> None:
    """At half size, luma agrees with the mean of the source's own samples at more than 60 dB."""
    path = write_clip(tmp_path / "a.mp4", numbered(26, 512, 480), matrix=1)
    luma = stored_planes(path)[0].astype(float).reshape(240, 2, 256, 2).mean((1, 3))
    error = np.mean((planes_of(path).luma - luma) ** 2)
    assert 10 * np.log10(255**2 / error) > 60


def woven(count: int) -> list[NDArray[np.uint8]]:
    """Frames whose lower field shows a bar, and whose upper field shows it half a frame later, 4 pixels further right.

    libav's encoders flag frames without a field order as lower field first.
    """
    frames = [np.full((96, 128, 3), 40, np.uint8) for _ in range(count)]
    for n, image in enumerate(frames):
        for field in (0, 1):
            left = 8 + 8 * n + 4 * (1 - field)
            image[field::2, left : left + 16] = 220
    return frames


def combing(image: NDArray[np.uint8]) -> float:
    """Mean difference between a line and the mean of its neighbours, in levels; large where fields differ."""
    lines = image.astype(float).mean(-1)
    return float(np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2).mean())


INTERLACED: dict[str, dict[str, Any]] = {
    "h264.mp4": {"x264-params": "bff=1", "g": "4"},
    "mpeg2.mkv": {"codec": "mpeg2video", "flags": "+ildct+ilme", "g": "4", "b": "3000000", "bf": "2"},
}


@pytest.mark.parametrize("name", INTERLACED)
def test_interlaced_video_becomes_progressive(tmp_path: Path, name: str) -> None:
    """No frame has combs, each shows the bar of its first field, and a read after a seek gives the same frames."""
    time_base = Fraction(1, 25) if "codec" in INTERLACED[name] else TICK
    path = write_clip(tmp_path / name, woven(10), time_base=time_base, **INTERLACED[name])
    assert probe_video(path).interlaced
    footage = reader(path)
    sequence = dict(footage.read(0, 10))
    assert len(sequence) == footage.frames == 10
    for n, image in sequence.items():
        assert combing(image) < 0.2 * combing(woven(10)[n])
        bar = np.flatnonzero(image[40:56].mean((0, 2)) > 130)
        assert abs(bar[0] - (8 + 8 * n)) <= 2
    for start in (1, 4, 5, 9):
        assert np.array_equal(next(footage.read(start, start + 1))[1], sequence[start])


def test_progressive_video_is_not_filtered(tmp_path: Path) -> None:
    """A progressive clip is not called interlaced."""
    assert not probe_video(write_clip(tmp_path / "a.mp4", numbered(3))).interlaced


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 9])
def test_a_drawn_copy_of_a_patch_has_the_samples_of_the_patch(tmp_path: Path, matrix: int, full_range: bool) -> None:
    """In each matrix and range, decoding to RGB and drawing the same colours returns to the samples within rounding."""
    skin, cloth = (224, 172, 140), (40, 70, 150)
    image = np.full((64, 64, 3), 118, np.uint8)
    image[:32, :32], image[32:, :32] = skin, cloth
    path = write_clip(tmp_path / "a.mp4", [image] * 4, matrix=matrix, full_range=full_range, qp="0")
    info = probe_video(path)
    assert info.colour.full_range == full_range
    footage, form = VideoReader(path, info, 64, 64), PlaneFormat.of(info.colour, info.coded_height)
    _, shown, planes = next(footage.read_planes(0, 1, form))
    finished = shown.copy()
    finished[:, 32:] = shown[:, :32]
    for made, own in zip(composite(planes, shown, finished, form), planes, strict=True):
        half = own.shape[1] // 2
        for y in (own.shape[0] // 4, own.shape[0] * 3 // 4):
            assert abs(int(made[y, half + half // 2]) - int(own[y, half // 2])) <= 1
        assert np.array_equal(made[:, :half], own[:, :half])


def test_ten_bit_sdr_becomes_eight_bits_without_a_shift(tmp_path: Path) -> None:
    """Samples of a 10-bit SDR video become 8-bit ones with the same mean; a 10-bit format keeps them."""
    images = numbered(4, 64, 64)
    path = write_clip(tmp_path / "a.mp4", images, matrix=1, pix_fmt="yuv420p10le", qp="0")
    info = probe_video(path)
    footage = VideoReader(path, info, 64, 64)
    reduced, deep = (
        next(footage.read_planes(0, 1, PlaneFormat.of(info.colour, info.coded_height, bits)))[2] for bits in (8, 10)
    )
    assert (reduced.luma.dtype, deep.luma.dtype) == (np.uint8, np.uint16)
    assert abs(reduced.luma.mean() - deep.luma.mean() / 4) < 0.2
    assert np.abs(reduced.luma - deep.luma / 4).max() <= 1
