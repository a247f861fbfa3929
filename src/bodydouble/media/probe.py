"""What a file really is: content is looked at, names and declared types are not believed."""

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.error

from bodydouble.media.container import decoded_frames, open_container, picture_stream
from bodydouble.media.image import picture_format
from bodydouble.media.index import FrameIndex, build_index
from bodydouble.media.limits import MediaLimits
from bodydouble.media.structure import inspect_structure
from bodydouble.media.video_info import AudioInfo, ColourTags, VideoInfo
from bodydouble.tasks.errors import MediaRejected

CONTAINERS = {"mov": "mp4", "avi": "avi", "matroska": "matroska"}
CODECS = frozenset(
    {
        *("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "h263", "mjpeg", "mpeg1video", "mpeg2video"),
        *("msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2", "dvvideo", "prores", "dnxhd"),
        *("ffv1", "huffyuv", "ffvhuff", "utvideo", "qtrle", "png", "rawvideo"),
    }
)
"""What cameras, phones and editors write; the rest of libav's museum stays closed."""
ACCEPTED = "accepted are MP4, MOV, AVI, MKV and WebM"
AGAIN = "export or download it again"
SECONDS_SLACK = 0.5
"""Containers round, and sound often ends a little after the picture."""
TEST_FRAMES = 4


def _rejected(field: str, what: str) -> MediaRejected:
    return MediaRejected(f"{field}: {what}.", field=field)


def _check_file(path: Path, bytes_max: int, field: str) -> None:
    if not path.is_file():
        raise _rejected(field, f"there is no file {path.name}")
    size = path.stat().st_size
    if size == 0:
        raise _rejected(field, "the file is empty")
    if size > bytes_max:
        raise _rejected(field, f"the file has {size / 1e6:.1f} MB, at most {bytes_max / 1e6:g} MB are accepted")


def probe_video(path: Path, limits: MediaLimits = MediaLimits(), field: str = "video") -> VideoInfo:
    """Open, index and test-decode a video.

    Raises:
        MediaRejected: unreadable, not a video, damaged, encrypted, or outside a limit; the message names ``field``.
    """
    _check_file(path, limits.video_bytes_max, field)
    _check_structure(path, limits, field)
    try:
        with open_container(path) as container:
            return _describe(container, path, limits, field)
    except av.error.FFmpegError as error:
        raise _rejected(field, f"{_content(path)} ({ACCEPTED})") from error


def _content(path: Path) -> str:
    """What a file is that no demuxer would open."""
    with path.open("rb") as stream:
        head = stream.read(512)
    picture = picture_format(head)
    if picture is not None:
        return f"the file is a {picture} picture, not a video"
    if head[4:8] == b"ftyp":
        return f"the file is an MP4 that is cut off or damaged; {AGAIN}"
    if b"\x00" not in head:
        return "the file is text, not a video"
    return "no video could be read from the file"


def _check_structure(path: Path, limits: MediaLimits, field: str) -> None:
    structure = inspect_structure(path)
    if structure.encrypted:
        raise _rejected(field, "the video is encrypted; give a file without copy protection")
    if structure.cut:
        raise _rejected(field, f"the file is cut off: its end is missing; {AGAIN}")
    # A track of captions or of a camera's sensors may have more samples than the video has frames.
    if structure.samples > 8 * limits.frames_max or structure.sound_samples > limits.sound_samples_max:
        count = max(structure.samples, structure.sound_samples)
        raise _rejected(
            field, f"the file announces {count} samples in one track; at most {limits.frames_max} frames are accepted"
        )
    if structure.edits > limits.edits_max:
        raise _rejected(
            field, f"the file has an edit list of {structure.edits} entries; at most {limits.edits_max} are accepted"
        )


def _describe(container: Any, path: Path, limits: MediaLimits, field: str) -> VideoInfo:
    stream = picture_stream(container)
    if stream is None:
        what = "only sound" if container.streams.audio else "nothing that can be shown"
        raise _rejected(field, f"the file has no video stream, {what}")
    context = stream.codec_context
    if context is None or context.codec is None or context.codec.canonical_name not in CODECS:
        name = "an unknown format" if context is None or context.codec is None else context.codec.canonical_name
        raise _rejected(field, f"the video is coded as {name}, which is not accepted; export it as H.264")
    if stream.metadata.get("enc_key_id"):
        raise _rejected(field, "the video is encrypted; give a file without copy protection")
    _check_coded_size(context.width, context.height, limits, field)
    index = _index(path, stream, limits, field)
    rotation = _test_decode(container, stream, index, field)
    aspect = _sample_aspect(stream)
    wide = max(2, round(context.width * aspect)) if aspect > 1 else context.width
    tall = context.height if aspect >= 1 else max(2, round(context.height / aspect))
    width, height = (tall, wide) if rotation in (90, 270) else (wide, tall)
    seconds = float((index.end - int(index.pts[0])) * index.time_base)
    _check_shape(width, height, limits, field)
    _check_time(seconds, index, limits, field)
    return VideoInfo(
        container=next(CONTAINERS[n] for n in container.format.name.split(",") if n in CONTAINERS),
        codec=context.codec.canonical_name,
        coded_width=context.width,
        coded_height=context.height,
        width=width,
        height=height,
        rotation=rotation,
        sample_aspect=aspect,
        frame_rate=_rate(stream, index),
        time_base=index.time_base,
        frames=len(index.pts),
        duration_seconds=seconds,
        variable_rate=index.variable_rate,
        bit_depth=max((c.bits for c in context.format.components), default=8) if context.format else 8,
        colour=ColourTags(
            primaries=int(context.color_primaries),
            transfer=int(context.color_trc),
            matrix=int(context.colorspace),
            full_range=int(context.color_range) == 2,
        ),
        audio=_audio(container),
    )


def _index(path: Path, stream: Any, limits: MediaLimits, field: str) -> FrameIndex:
    try:
        index = build_index(path, limits.frames_max)
    except ValueError as error:
        raise _rejected(field, f"the video has {error}; 1 to {limits.frames_max} are accepted") from None
    announced = stream.frames
    size = path.stat().st_size
    ends = (entry.pos + entry.size for entry in stream.index_entries)
    # Edit lists leave out what they hide, so fewer frames than announced are normal there.
    missing = announced - len(index.pts) if index.timed and index.hidden == 0 else 0
    if index.cut or max(ends, default=0) > size or missing > max(2, announced // 50):
        raise _rejected(
            field, f"the file is cut off: of {announced or 'its'} frames, only {len(index.pts)} are whole; {AGAIN}"
        )
    return index


def _sample_aspect(stream: Any) -> Fraction:
    aspect = Fraction(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1) or Fraction(1)
    return aspect if Fraction(1, 8) < aspect < 8 else Fraction(1)  # beyond that it is a writer's mistake


def _rate(stream: Any, index: FrameIndex) -> Fraction:
    """The declared average where the timestamps agree with it, since it is exact; else what they say."""
    declared, counted = stream.average_rate, index.frame_rate
    return Fraction(declared) if declared and abs(float(declared) / float(counted) - 1) < 0.01 else counted


def _audio(container: Any) -> AudioInfo | None:
    if not container.streams.audio:
        return None
    stream = container.streams.audio[0]
    context = stream.codec_context
    if context is None or context.codec is None or not context.sample_rate:
        return None
    seconds = float(stream.duration * stream.time_base) if stream.duration else float(container.duration or 0) / 1e6
    return AudioInfo(
        codec=context.codec.canonical_name,
        sample_rate_hz=context.sample_rate,
        channels=context.channels,
        duration_seconds=seconds,
    )


def _check_coded_size(width: int, height: int, limits: MediaLimits, field: str) -> None:
    """Before anything is decoded: a small file may declare a picture that does not fit into memory."""
    if width <= 0 or height <= 0:
        raise _rejected(field, "the video declares no size; it is encrypted or damaged")
    if max(width, height) > limits.video_side_max:
        raise _rejected(
            field, f"the video is {width} × {height}; at most {limits.video_side_max} pixels a side are accepted"
        )


def _check_shape(width: int, height: int, limits: MediaLimits, field: str) -> None:
    if not limits.video_side_min <= min(width, height) <= max(width, height) <= limits.video_side_max:
        raise _rejected(
            field,
            f"the video is {width} × {height} as shown; its sides must be {limits.video_side_min} to "
            f"{limits.video_side_max} pixels",
        )
    if max(width, height) > limits.aspect_max * min(width, height):
        raise _rejected(
            field,
            f"the video is {width} × {height}; its aspect must be within 1:{limits.aspect_max:g} and "
            f"{limits.aspect_max:g}:1",
        )


def _check_time(seconds: float, index: FrameIndex, limits: MediaLimits, field: str) -> None:
    if not limits.video_seconds_min - 0.02 <= seconds <= limits.video_seconds_max + SECONDS_SLACK:
        raise _rejected(
            field,
            f"the video lasts {seconds:.2f} s; {limits.video_seconds_min:g} to {limits.video_seconds_max:g} s "
            "are accepted",
        )
    if float(index.frame_rate) > limits.frame_rate_max * 1.01:
        raise _rejected(
            field,
            f"the video has {float(index.frame_rate):.1f} frames a second; at most {limits.frame_rate_max:g} "
            "are accepted",
        )


def _test_decode(container: Any, stream: Any, index: FrameIndex, field: str) -> int:
    """Decode a few frames at the start and from the last keyframe; what is encrypted or damaged shows there.

    Answers the rotation, clockwise degrees: decoded frames alone carry the display matrix.
    """
    first = list(itertools.islice(decoded_frames(container, stream), 1))
    if not first:
        raise _rejected(field, "the video cannot be decoded; it is encrypted or damaged")
    if index.timed:
        container.seek(int(index.pts[index.keyframes[-1]]), stream=stream, backward=True)
        last = list(itertools.islice(decoded_frames(container, stream), TEST_FRAMES))
        if all(frame.is_corrupt for frame in last):
            raise _rejected(field, f"the end of the video cannot be decoded; it is damaged: {AGAIN}")
    return round(-first[0].rotation / 90) % 4 * 90
