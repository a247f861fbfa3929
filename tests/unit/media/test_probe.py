"""Tests of ``bodydouble.media.probe``: accepted videos, and messages about rejected ones."""

import resource
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from bodydouble.media import MediaLimits, probe_video
from bodydouble.tasks.errors import MediaRejected
from clips import CLOCKWISE, COUNTERCLOCKWISE, HALF_TURN, box, numbered, patched, turned, write_clip
from material import write_image


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 30 frames, 256x240, 25 frames/s, with AAC; the index precedes the media."""
    path = tmp_path_factory.mktemp("probe") / "clip.mp4"
    return write_clip(path, numbered(30), sound="aac", container_options={"movflags": "+faststart"})


def refusal(path: Path, **limits: Any) -> str:
    with pytest.raises(MediaRejected) as caught:
        probe_video(path, MediaLimits(**limits), field="video_urls[0]")
    assert caught.value.message.startswith("video_urls[0]: ")
    assert caught.value.fields == {"field": "video_urls[0]"}
    return caught.value.message


def test_describes_an_ordinary_clip(clip: Path) -> None:
    """Size, frame rate, duration, colour and audio are those that were written."""
    info = probe_video(clip)
    assert (info.container, info.codec, info.width, info.height) == ("mp4", "h264", 256, 240)
    assert (info.frames, info.frame_rate, info.duration_seconds) == (30, 25, 1.2)
    assert (info.variable_rate, info.bit_depth, info.orientation.rotation) == (False, 8, 0)
    assert info.audio is not None
    assert (info.audio.codec, info.audio.sample_rate_hz, info.audio.channels) == ("aac", 48000, 2)
    assert info.audio.copyable


@pytest.mark.parametrize("name", ["clip.txt", "clip.avi", "clip"])
def test_does_not_believe_names(clip: Path, name: str) -> None:
    """An MP4 is recognised under any file name."""
    copy = clip.with_name(name)
    copy.write_bytes(clip.read_bytes())
    assert probe_video(copy).container == "mp4"


@pytest.mark.parametrize(("degrees", "matrix"), [(90, CLOCKWISE), (180, HALF_TURN), (270, COUNTERCLOCKWISE)])
def test_sizes_are_as_displayed_after_rotation(clip: Path, degrees: int, matrix: tuple[int, int, int, int]) -> None:
    """A display matrix with a quarter turn swaps width and height."""
    info = probe_video(turned(clip, f"turned{degrees}.mp4", matrix))
    assert (info.orientation.rotation, info.orientation.mirrored) == (degrees, False)
    assert (info.width, info.height) == ((256, 240) if degrees == 180 else (240, 256))


def test_sizes_are_as_displayed_with_anamorphic_samples(tmp_path: Path) -> None:
    """Pixels that are wider than tall increase the width; the height stays."""
    wide = probe_video(write_clip(tmp_path / "wide.mp4", numbered(26), sample_aspect=Fraction(4, 3)))
    tall = probe_video(write_clip(tmp_path / "tall.mp4", numbered(26), sample_aspect=Fraction(3, 4)))
    assert (wide.width, wide.height) == (341, 240)
    assert (tall.width, tall.height) == (256, 320)


def test_sees_a_variable_rate(tmp_path: Path) -> None:
    """Uneven timestamps count as a variable rate; a constant rate rounded to the time base does not."""
    uneven = [n * 512 + (n % 3) * 150 for n in range(40)]
    assert probe_video(write_clip(tmp_path / "vfr.mp4", numbered(40), pts=uneven)).variable_rate
    ntsc = write_clip(tmp_path / "ntsc.mkv", numbered(40), rate=Fraction(30000, 1001), time_base=Fraction(1, 1000))
    info = probe_video(ntsc)
    assert not info.variable_rate
    assert info.frame_rate == pytest.approx(Fraction(30000, 1001), rel=1e-4)


def test_sees_depth_and_colour(tmp_path: Path) -> None:
    """Bit depth, matrix and range are reported."""
    info = probe_video(write_clip(tmp_path / "ten.mp4", numbered(26), pix_fmt="yuv422p10le", matrix=9, full_range=True))
    assert (info.bit_depth, info.colour.matrix, info.colour.full_range) == (10, 9, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"Dear reader, this is a letter.\n" * 40, "text, not a video"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n", "text, not a video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text, not a video"),
        (bytes(2000), "no video could be read"),
        (bytes(range(256)) * 16, "no video could be read"),
        (box(b"ftyp", b"isom\0\0\2\0isomiso2"), "MP4 that is cut off or damaged"),
    ],
)
def test_refuses_what_is_no_video(tmp_path: Path, content: bytes, said: str) -> None:
    """Messages name text, playlists, noise and empty files as such, whatever the file suffix."""
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    assert said in refusal(path)


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    """The message says that a missing file is missing."""
    assert "there is no file gone.mp4" in refusal(tmp_path / "gone.mp4")


def test_refuses_a_picture(tmp_path: Path) -> None:
    """The message names a picture with a video suffix as a picture."""
    write_image(tmp_path / "a.png", np.zeros((240, 240, 3), np.uint8)).rename(tmp_path / "a.mp4")
    assert "PNG picture, not a video" in refusal(tmp_path / "a.mp4")


def test_refuses_sound_alone(tmp_path: Path) -> None:
    """A file with only audio is rejected, because it has no video stream."""
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000 * 2), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48000, 0
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=48000, frame_size=1024)
        for piece in resampler.resample(frame):
            container.mux(stream.encode(piece))
        container.mux(stream.encode())
    assert "no video stream, only sound" in refusal(path)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.97])
def test_refuses_a_truncated_mp4(clip: Path, part: float) -> None:
    """An MP4 with complete index but truncated media is rejected."""
    data = clip.read_bytes()
    cut = clip.with_name(f"cut{part}.mp4")
    cut.write_bytes(data[: round(len(data) * part)])
    assert "cut off" in refusal(cut)


@pytest.mark.parametrize("name", ["clip.mkv", "clip.avi", "late_index.mp4"])
def test_refuses_other_truncated_containers(tmp_path: Path, name: str) -> None:
    """Truncated Matroska, AVI and MP4 files with the index at the end are rejected as cut off."""
    whole = write_clip(tmp_path / name, numbered(30), time_base=Fraction(1, 25))
    probe_video(whole)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    assert "cut off" in refusal(whole)


def test_refuses_encrypted_video(clip: Path) -> None:
    """A sample entry of Common Encryption is rejected as encrypted, not decoded to noise."""
    assert "encrypted" in refusal(patched(clip, "encrypted.mp4", b"avc1\0\0\0\0\0\0", b"encv\0\0\0\0\0\0"))


def test_refuses_an_unknown_codec(clip: Path) -> None:
    """An unknown sample entry is rejected."""
    assert "not accepted" in refusal(patched(clip, "unknown.mp4", b"avc1\0\0\0\0\0\0", b"zzzz\0\0\0\0\0\0"))


def test_refuses_a_video_whose_frames_are_noise(clip: Path) -> None:
    """A video whose media bytes do not decode is rejected as damaged."""
    data = bytearray(clip.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = np.random.default_rng(3).integers(0, 256, len(data) - start, np.uint8).tobytes()
    noise = clip.with_name("noise.mp4")
    noise.write_bytes(data)
    assert "damaged" in refusal(noise)


def test_limits_are_named(clip: Path) -> None:
    """Each limit has a message with the actual and the accepted value."""
    assert "at most 0.001 MB" in refusal(clip, video_bytes_max=1000)
    assert "lasts 1.20 s; 2 to 120 s" in refusal(clip, video_seconds_min=2)
    assert "lasts 1.20 s; 0.1 to 0.5 s" in refusal(clip, video_seconds_min=0.1, video_seconds_max=0.5)
    assert "256 × 240; at most 250 pixels a side" in refusal(clip, video_side_max=250)
    assert "256 × 240 as shown; its sides must be 250 to" in refusal(clip, video_side_min=250)
    assert "aspect must be within 1:1.05 and 1.05:1" in refusal(clip, aspect_max=1.05)
    assert "25.0 frames a second; at most 20" in refusal(clip, frame_rate_max=20)
    assert "more than 20 frames" in refusal(clip, frames_max=20)


@pytest.mark.parametrize(("count", "width", "height"), [(1, 96, 96), (12, 320, 180), (12, 64, 64)])
def test_small_and_short_videos_are_accepted(tmp_path: Path, count: int, width: int, height: int) -> None:
    """One frame, half a second, 320 x 180 and 64 x 64 are within the default limits."""
    info = probe_video(write_clip(tmp_path / "a.mp4", numbered(count, width, height)))
    assert (info.frames, info.width, info.height) == (count, width, height)
    assert info.duration_seconds == pytest.approx(count / 25)


@pytest.mark.parametrize("cover", ["attached", "one frame first", "one frame first in Matroska"])
def test_a_cover_is_not_the_video(tmp_path: Path, cover: str) -> None:
    """The film is found behind an attached picture and behind a larger track of one frame."""
    path = tmp_path / ("a.mkv" if "Matroska" in cover else "a.mov")
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mjpeg", rate=25)
        picture.width, picture.height, picture.pix_fmt = 400, 400, "yuvj420p"
        if cover == "attached":
            picture.disposition = Disposition.attached_pic
        film = container.add_stream("libx264", rate=25)
        film.width, film.height, film.pix_fmt = 128, 96, "yuv420p"
        for stream, images in ((picture, numbered(1, 400, 400)), (film, numbered(6, 128, 96))):
            for n, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = n, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    info = probe_video(path)
    assert (info.codec, info.frames, info.width) == ("h264", 6, 128)


def test_the_default_video_track_is_chosen(tmp_path: Path) -> None:
    """Of two films, the one with the default disposition is chosen, even if it is smaller and second."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        streams[0].disposition, streams[1].disposition = Disposition(0), Disposition.default
        for stream, side in zip(streams, (128, 96), strict=True):
            stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        for stream, side in zip(streams, (128, 96), strict=True):
            for n, image in enumerate(numbered(4, side, side)):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = n, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    assert (probe_video(path).track, probe_video(path).width) == (1, 96)


def test_display_size_counts_for_the_limits(tmp_path: Path) -> None:
    """Anamorphic pixels must not stretch the picture beyond the longest accepted side."""
    path = write_clip(tmp_path / "stretched.mp4", numbered(26), sample_aspect=Fraction(5, 1))
    assert "1280 × 240" in refusal(path, video_side_max=1000)


def _announcing(tables: bytes) -> bytes:
    """A small MP4 with one track that has the given sample tables."""
    handler = box(b"hdlr", bytes(8), b"vide", bytes(13))
    track = box(b"trak", box(b"mdia", handler, box(b"minf", box(b"stbl", tables))))
    return box(b"ftyp", b"isom\0\0\2\0isomiso2") + box(b"moov", track) + box(b"mdat", bytes(1000))


@pytest.mark.parametrize(
    "tables",
    [
        box(b"stsz", struct.pack(">III", 0, 1, 120_000_000)),
        box(b"stts", struct.pack(">IIII", 0, 1, 120_000_000, 512)),
        box(b"ctts", struct.pack(">IIII", 0, 1, 120_000_000, 512)),
    ],
)
def test_refuses_tables_that_announce_millions_of_frames(tmp_path: Path, tables: bytes) -> None:
    """A kilobyte that announces 120 million samples is refused before memory is allocated for them."""
    path = tmp_path / "bomb.mp4"
    path.write_bytes(_announcing(tables))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "announces 120000000 samples" in refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_refuses_an_edit_list_that_repeats_the_video(tmp_path: Path) -> None:
    """An edit list with thousands of entries is rejected, because each can repeat all frames."""
    path = tmp_path / "edits.mp4"
    track = box(b"trak", box(b"edts", box(b"elst", struct.pack(">II", 0, 5000), bytes(12 * 5000))))
    path.write_bytes(box(b"ftyp", b"isom\0\0\2\0isomiso2") + box(b"moov", track))
    assert "edit list of 5000 entries" in refusal(path)


def test_refuses_a_size_that_would_fill_the_memory(clip: Path) -> None:
    """20000 x 20000 declared in the codec's own header is refused before a picture of it is decoded."""
    path = clip.with_name("huge.mkv")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 256, 240, "yuv420p"
        for n, image in enumerate(numbered(30)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts = n
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    data = path.read_bytes()
    # PixelWidth and PixelHeight of the track: id, length, value.
    wide = data.replace(b"\xb0\x82\x01\x00", b"\xb0\x82\x4e\x20", 1).replace(b"\xba\x81\xf0", b"\xba\x81\xff", 1)
    assert wide != data
    path.write_bytes(wide)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "20000 × 255; at most 4096" in refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "a.ts",
            "MPEG transport stream (TS, M2TS), which is not accepted; copy it into an MP4 without loss: ffmpeg -i",
        ),
        ("a.m2ts", "MPEG transport stream"),
        ("a.flv", "Flash video (FLV)"),
        ("a.asf", "Windows Media file"),
        ("a.mpg", "MPEG program stream"),
        ("a.mxf", "MXF file"),
        ("a.h264", "raw H.264 or HEVC stream"),
    ],
)
def test_foreign_containers_are_refused_by_name(tmp_path: Path, name: str, said: str) -> None:
    """The message names the container and the command that makes an accepted file of it."""
    codec: dict[str, Any] = {"codec": "mpeg2video", "b": "500000"} if name.endswith(("mpg", "mxf")) else {}
    assert said in refusal(write_clip(tmp_path / name, numbered(3, 96, 96), time_base=Fraction(1, 25), **codec))


@pytest.mark.parametrize(
    ("head", "said"),
    [(b"OggS" + bytes(600), "an Ogg file"), (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02" + bytes(600), "an animated WebP")],
)
def test_foreign_starts_are_refused_by_name(tmp_path: Path, head: bytes, said: str) -> None:
    """Formats that are known only by their first bytes have names and remedies too."""
    path = tmp_path / "a.mp4"
    path.write_bytes(head)
    assert said in refusal(path)


def test_a_gif_is_a_video(tmp_path: Path) -> None:
    """A GIF has frames, times and a size like any video."""
    path = write_clip(
        tmp_path / "a.gif", numbered(9, 96, 96), codec="gif", pix_fmt="rgb8", rate=10, time_base=Fraction(1, 100)
    )
    info = probe_video(path)
    assert (info.container, info.codec, info.frames, info.frame_rate, info.duration_seconds) == (
        *("gif", "gif", 9, 10),
        pytest.approx(0.9),
    )
