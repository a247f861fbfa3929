"""What a file really is: content is looked at, names and declared types are not believed."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from bodydouble.media.index import FrameIndex, build_index, open_container
from bodydouble.media.limits import MediaLimits
from bodydouble.media.video_info import AudioInfo, ColourTags, ImageInfo, VideoInfo
from bodydouble.tasks.errors import MediaRejected

# libav's demuxer names for MP4/MOV, AVI and MKV/WebM. Playlists, images and raw streams are not among them.
CONTAINERS = {"mov": "mp4", "avi": "avi", "matroska": "matroska"}
IMAGE_MAGIC = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"BM": "BMP"}


def _size_checked(path: Path, bytes_max: int, field: str) -> int:
    if not path.is_file():
        raise MediaRejected(f"{field}: there is no file {path.name}.", field=field)
    size = path.stat().st_size
    if size == 0:
        raise MediaRejected(f"{field}: the file is empty.", field=field)
    if size > bytes_max:
        raise MediaRejected(
            f"{field}: the file has {size / 1e6:.1f} MB, at most {bytes_max / 1e6:g} MB are accepted.", field=field
        )
    return size


def probe_video(path: Path, limits: MediaLimits = MediaLimits(), field: str = "video") -> VideoInfo:
    """Open, index and test-decode a video.

    Raises:
        MediaRejected: unreadable, not a video, damaged, encrypted, or outside a limit; the message names ``field``.
    """
    _size_checked(path, limits.video_bytes_max, field)
    try:
        with open_container(path) as container:
            info = _describe(container, path, limits, field)
            _decode_ends(container, field)
    except av.error.FFmpegError as error:
        raise _unreadable(path, field, error) from error
    return info


def _unreadable(path: Path, field: str, error: Exception) -> MediaRejected:
    with path.open("rb") as stream:
        head = stream.read(512)
    if any(head.startswith(magic) for magic in IMAGE_MAGIC):
        what = "it is a picture, not a video"
    elif head[4:8] == b"ftyp":
        what = "it is an MP4 that is cut off or damaged; export or download it again"
    elif b"\x00" not in head:
        what = "it is a text, not a video"
    else:
        what = "no video could be read from it"
    return MediaRejected(
        f"{field}: {what} (accepted: MP4, MOV, AVI, MKV, WebM). The decoder said: {str(error).split(':')[0]}.",
        field=field,
    )


def _describe(container: Any, path: Path, limits: MediaLimits, field: str) -> VideoInfo:
    kind = next((CONTAINERS[n] for n in container.format.name.split(",") if n in CONTAINERS), None)
    if kind is None:
        raise MediaRejected(
            f"{field}: the file is {container.format.long_name or container.format.name}; "
            "accepted are MP4, MOV, AVI, MKV and WebM.",
            field=field,
        )
    pictures = [s for s in container.streams.video if not s.disposition & 0x400]  # 0x400: a cover picture
    if not pictures:
        raise MediaRejected(f"{field}: the file has no video stream, only sound.", field=field)
    stream = pictures[0]
    context = stream.codec_context
    if context is None or context.name is None:
        raise MediaRejected(f"{field}: the video is encrypted or in a format that cannot be decoded.", field=field)
    _sides_checked(context.width, context.height, limits, field)
    try:
        index = build_index(path, limits.frames_max)
    except ValueError as error:
        raise MediaRejected(
            f"{field}: the video has {error}; at most {limits.frames_max} are accepted.", field=field
        ) from None
    if getattr(stream, "frames", 0) > len(index.pts) + max(2, stream.frames // 50):
        raise MediaRejected(
            f"{field}: the file is cut off: {stream.frames} frames are announced, {len(index.pts)} are there. "
            "Export or download it again.",
            field=field,
        )
    rotation = _rotation(container)
    aspect = Fraction(stream.sample_aspect_ratio or context.sample_aspect_ratio or 1) or Fraction(1)
    if not Fraction(1, 8) < aspect < 8:
        aspect = Fraction(1)
    wide = max(2, round(context.width * aspect)) if aspect > 1 else context.width
    tall = context.height if aspect >= 1 else max(2, round(context.height / aspect))
    width, height = (tall, wide) if rotation in (90, 270) else (wide, tall)
    seconds = float((index.end - int(index.pts[0])) * index.time_base)
    _shape_checked(width, height, seconds, index, limits, field)
    return VideoInfo(
        container=kind,
        codec=context.name,
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


def _rate(stream: Any, index: FrameIndex) -> Fraction:
    """The declared average where the timestamps agree with it, since it is exact; else what they say."""
    declared, counted = stream.average_rate, index.frame_rate
    return Fraction(declared) if declared and abs(float(declared) / float(counted) - 1) < 0.01 else counted


def _audio(container: Any) -> AudioInfo | None:
    if not container.streams.audio:
        return None
    stream = container.streams.audio[0]
    context = stream.codec_context
    if context is None:
        return None
    seconds = float(stream.duration * stream.time_base) if stream.duration else float(container.duration or 0) / 1e6
    return AudioInfo(
        codec=context.name, sample_rate_hz=context.sample_rate, channels=context.channels, duration_seconds=seconds
    )


def _rotation(container: Any) -> int:
    """Clockwise degrees from the display matrix, which only decoded frames carry."""
    for frame in container.decode(video=0):
        return round(-frame.rotation / 90) % 4 * 90
    return 0


def _sides_checked(width: int, height: int, limits: MediaLimits, field: str) -> None:
    """Before anything is decoded: a small file may declare a picture that does not fit into memory."""
    if width <= 0 or height <= 0:
        raise MediaRejected(f"{field}: the video declares no size; it is encrypted or damaged.", field=field)
    if max(width, height) > limits.video_side_max:
        raise MediaRejected(
            f"{field}: the video is {width} × {height}; at most {limits.video_side_max} pixels a side are accepted.",
            field=field,
        )


def _shape_checked(width: int, height: int, seconds: float, index: FrameIndex, limits: MediaLimits, field: str) -> None:
    if min(width, height) < limits.video_side_min:
        raise MediaRejected(
            f"{field}: the video is {width} × {height}; at least {limits.video_side_min} pixels a side are needed.",
            field=field,
        )
    if max(width, height) > limits.aspect_max * min(width, height):
        raise MediaRejected(
            f"{field}: the video is {width} × {height}; its aspect must be within 1:{limits.aspect_max:g} and "
            f"{limits.aspect_max:g}:1.",
            field=field,
        )
    if not limits.video_seconds_min - 0.02 <= seconds <= limits.video_seconds_max + 0.5:
        raise MediaRejected(
            f"{field}: the video lasts {seconds:.2f} s; {limits.video_seconds_min:g} to "
            f"{limits.video_seconds_max:g} s are accepted.",
            field=field,
        )
    if float(index.frame_rate) > limits.frame_rate_max * 1.01:
        raise MediaRejected(
            f"{field}: the video has {float(index.frame_rate):.1f} frames a second; at most "
            f"{limits.frame_rate_max:g} are accepted.",
            field=field,
        )


def _decode_ends(container: Any, field: str) -> None:
    """Decode a frame at the start and the last stretch: what is cut off or encrypted shows there."""
    stream = container.streams.video[0]
    if stream.duration:
        container.seek(max(0, (stream.start_time or 0) + stream.duration - 1), stream=stream, backward=True)
    else:
        container.seek(0)
    good = 0
    for frame in container.decode(stream):
        good += not frame.is_corrupt
        if good > 300:
            break
    if not good:
        raise MediaRejected(
            f"{field}: the end of the video cannot be decoded; it is cut off, encrypted or damaged.", field=field
        )


def probe_image(path: Path, limits: MediaLimits = MediaLimits(), field: str = "image") -> ImageInfo:
    """Look at a still picture's header.

    Raises:
        MediaRejected: not JPEG, PNG, WebP or BMP, damaged, or outside a limit; the message names ``field``.
    """
    _size_checked(path, limits.image_bytes_max, field)
    with path.open("rb") as stream:
        head = stream.read(16)
    kind = next((name for magic, name in IMAGE_MAGIC.items() if head.startswith(magic)), None)
    if kind is None and head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        kind = "WebP"
    if kind is None:
        raise MediaRejected(f"{field}: the file is no JPEG, PNG, WebP or BMP picture.", field=field)
    width, height = _image_size(path, field)
    if max(width, height) > limits.image_side_max or min(width, height) < limits.image_side_min:
        raise MediaRejected(
            f"{field}: the picture is {width} × {height}; its sides must be {limits.image_side_min} to "
            f"{limits.image_side_max} pixels.",
            field=field,
        )
    return ImageInfo(format=kind, width=width, height=height)


def _image_size(path: Path, field: str) -> tuple[int, int]:
    """Width and height from the header, without decoding: a few bytes can declare a gigapixel."""
    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            context = container.streams.video[0].codec_context
            width, height = context.width, context.height
    except (av.error.FFmpegError, IndexError) as error:
        raise MediaRejected(f"{field}: the picture is cut off or damaged.", field=field) from error
    if width <= 0 or height <= 0:
        raise MediaRejected(f"{field}: the picture is cut off or damaged.", field=field)
    return width, height
