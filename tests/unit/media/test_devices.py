"""Files as cameras, phones and recorders write them.

Their metadata is reproduced from public descriptions: Apple's QuickTime File Format, Android's HDR10 profile of
Camera2, GoPro's gpmf-parser, and the documentation of DJI and OBS.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from bodydouble.media import MediaWarning, VideoInfo, VideoReader, probe_video
from bodydouble.media.subtitles import default_styles
from clips import CLOCKWISE, COUNTERCLOCKWISE, UPRIGHT, numbered, patched
from media_matrix import X264, X265
from media_pass import through

Matrix = tuple[int, int, int, int]
FRAMES = 8


def record(
    path: Path,
    *,
    encoder: str = "libx264",
    options: dict[str, str] | None = None,
    pixels: str = "yuv420p",
    tags: tuple[int, int, int] = (1, 1, 1),
    full_range: bool = False,
    matrix: Matrix = UPRIGHT,
    rate: Fraction = Fraction(30),
    ticks: list[int] | None = None,
    timecode: str | None = None,
    sounds: tuple[str, ...] = ("",),
    texts: int = 0,
    cover: bool = False,
) -> Path:
    """A clip of 8 frames with a title for each of its AAC tracks, tracks of text, and a cover picture."""
    time_base = Fraction(1, 1000) if path.suffix == ".mkv" else 1 / (rate * 20)
    step = round(1 / rate / time_base)
    with av.open(str(path), "w") as container:
        film: Any = container.add_stream(encoder, rate=rate, options=options or X264)
        film.width, film.height, film.pix_fmt = 96, 64, pixels
        film.codec_context.time_base = film.time_base = time_base
        context = film.codec_context
        context.color_primaries, context.color_trc, context.colorspace = tags
        context.color_range = 2 if full_range else 1
        a, b, c, d = (value << 16 for value in matrix)
        film.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        if timecode:
            film.metadata["timecode"] = timecode
        tracks: list[Any] = []
        for title in sounds:
            track = container.add_stream("aac", rate=48_000, layout="stereo")
            track.metadata["title"] = title
            tracks.append(track)
        captions = [container.add_stream("mov_text") for _ in range(texts)]
        for caption in captions:
            caption.codec_context.subtitle_header = default_styles()  # pyright: ignore[reportAttributeAccessIssue]
        picture: Any = None
        if cover:
            picture = container.add_stream("mjpeg", rate=rate)
            picture.width, picture.height, picture.pix_fmt = 160, 120, "yuvj420p"
            picture.disposition = Disposition.attached_pic
        for n, image in enumerate(numbered(FRAMES, 96, 64)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
                format=pixels, dst_colorspace=tags[2], dst_color_range=2 if full_range else 1
            )
            frame.pts, frame.time_base = ticks[n] if ticks else n * step, time_base
            container.mux(film.encode(frame))
        container.mux(film.encode())
        for track in tracks:
            encode_silence(container, track)
        for caption in captions:
            packet = av.Packet(b"\0\2Hi")
            packet.stream, packet.time_base = caption, Fraction(1, 1000)
            packet.pts, packet.dts, packet.duration = 0, 0, 200
            container.mux(packet)
        if picture is not None:
            encode_cover(container, picture, rate)
    return path


def encode_cover(container: Any, picture: Any, rate: Fraction) -> None:
    """Write one frame to a cover picture's track."""
    still = av.VideoFrame.from_ndarray(numbered(1, 160, 120)[0], format="rgb24")
    still.pts, still.time_base = 0, 1 / rate
    container.mux(picture.encode(still))
    container.mux(picture.encode())


def encode_silence(container: Any, track: Any) -> None:
    """Write a quarter of a second to an audio track."""
    for n in range(12):
        sound = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        sound.sample_rate, sound.pts, sound.time_base = 48_000, 1024 * n, Fraction(1, 48_000)
        container.mux(track.encode(sound))
    container.mux(track.encode())


def as_sensor_track(path: Path, kind: bytes) -> Path:
    """A copy whose first text track is one of sensor data: another handler and another sample entry."""
    there = patched(path, f"sensor-{path.name}", b"tx3g", kind)
    data = there.read_bytes()
    there.write_bytes(data.replace(b"sbtl" if b"sbtl" in data else b"text", b"meta"))
    return there


def iphone(folder: Path) -> Path:
    """HLG in HEVC, held upright (turned by 90 degrees), with stereo, spatial audio (APAC) and motion data."""
    path = record(
        folder / "IMG_0001.mp4",  # libav would write the captions of a MOV as another format
        encoder="libx265",
        options=X265,
        pixels="yuv420p10le",
        tags=(9, 18, 9),
        matrix=CLOCKWISE,
        ticks=[0, 20, 40, 60, 81, 100, 120, 140],
        sounds=("Stereo", "Spatial"),
        texts=1,
    )
    data = path.read_bytes()
    for old, new in ((b"mp4a", b"apac"), (b"esds", b"dapa")):  # of the second audio track
        last = data.rindex(old)
        data = data[:last] + new + data[last + 4 :]
    path.write_bytes(data)
    return as_sensor_track(path, b"mebx")


def pixel(folder: Path) -> Path:
    """HDR10 in HEVC with mastering metadata, turned the other way."""
    mastering = ":hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    options = X265 | {"x265-params": X265["x265-params"] + mastering + ":max-cll=1000,400"}
    return record(
        folder / "PXL.mp4",
        encoder="libx265",
        options=options,
        pixels="yuv420p10le",
        tags=(9, 16, 9),
        matrix=COUNTERCLOCKWISE,
    )


def gopro(folder: Path) -> Path:
    """Full-range HEVC at 59.94 frames a second with drop-frame timecode and telemetry (GPMF)."""
    path = record(
        folder / "GX010001.MP4",
        encoder="libx265",
        options=X265,
        full_range=True,
        rate=Fraction(60_000, 1001),
        timecode="14:23:51;20",
        texts=1,
    )
    return as_sensor_track(path, b"gpmd")


def dji(folder: Path) -> Path:
    """H.264 with a cover picture and flight data as subtitles."""
    return record(folder / "DJI_0001.MP4", rate=Fraction(30_000, 1001), texts=1, cover=True)


def obs(folder: Path) -> Path:
    """Matroska at 60 frames a second with two named audio tracks."""
    return record(folder / "2026-11-28 20-00-00.mkv", rate=Fraction(60), sounds=("Desktop", "Microphone"))


def screen(folder: Path) -> Path:
    """A phone's screen recording: a frame only when something moved."""
    return record(folder / "Screenrecorder.mp4", ticks=[0, 20, 21, 40, 220, 240, 250, 600])


DEVICES: dict[Callable[[Path], Path], dict[str, Any]] = {
    iphone: {
        "codec": "hevc",
        "transfer": 18,
        "rotation": 90,
        "warnings": ["audio_left_out", "data_left_out"],
        "sounds": 1,
    },
    pixel: {"codec": "hevc", "transfer": 16, "rotation": 270, "warnings": [], "sounds": 1},
    gopro: {
        "codec": "h264",
        "transfer": 1,
        "rotation": 0,
        "warnings": ["data_left_out"],
        "sounds": 1,
        "timecode": "14:23:51;20",
    },
    dji: {"codec": "h264", "transfer": 1, "rotation": 0, "warnings": [], "sounds": 1},
    obs: {"codec": "h264", "transfer": 1, "rotation": 0, "warnings": [], "sounds": 2},
    screen: {"codec": "h264", "transfer": 1, "rotation": 0, "warnings": [], "sounds": 1},
}


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.__name__)
def test_files_of_devices(tmp_path: Path, device: Callable[[Path], Path]) -> None:
    """Frames, times, orientation, range, sound and timecode of a device's file are in the result; the rest is named."""
    expected = DEVICES[device]
    source = device(tmp_path)
    info = probe_video(source)
    result = through(source, tmp_path, [3])
    made = probe_video(result)

    assert (made.codec, made.colour.transfer) == (expected["codec"], expected["transfer"])
    assert made.colour.full_range == info.colour.full_range == (device is gopro)
    assert info.orientation.rotation == expected["rotation"]
    assert (made.width, made.height) == (info.width, info.height)
    assert _times(source, info) == _times(result, made)
    assert _codes(info.warnings) == expected["warnings"]
    sounds = [] if made.audio is None else [made.audio, *made.more_audio]
    assert len(sounds) == expected["sounds"]
    with av.open(str(result)) as container:
        assert container.streams.video[0].metadata.get("timecode") == expected.get("timecode")
        assert len(container.streams.subtitles) == (device is dji)
    if device is obs:
        assert [sound.title for sound in [info.audio, *info.more_audio] if sound] == ["Desktop", "Microphone"]
    if device is iphone:
        assert info.warnings[0].message == "Audio track 3 is not in the result: its format cannot be read."
    if device is pixel:
        assert made.mastering == info.mastering is not None


def _times(path: Path, info: VideoInfo) -> list[Fraction]:
    pts = VideoReader(path, info, info.width, info.height).pts
    assert len(pts) == FRAMES
    return [(at - pts[0]) * info.time_base for at in pts]


def _codes(warnings: tuple[MediaWarning, ...]) -> list[str]:
    return [warning.code for warning in warnings]
