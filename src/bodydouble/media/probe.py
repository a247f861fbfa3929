"""Probing of video files by content. File names and declared types are ignored."""

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.error

from bodydouble.media.colour import FULL_RANGE_TAG, UNSUPPORTED_MATRICES
from bodydouble.media.container import decoded_frames, open_container
from bodydouble.media.deinterlace import is_interlaced
from bodydouble.media.foreign import foreign_video
from bodydouble.media.hdr import mastering_of
from bodydouble.media.image import picture_format
from bodydouble.media.index import FrameIndex, build_index
from bodydouble.media.limits import MediaLimits
from bodydouble.media.orientation import display_orientation
from bodydouble.media.rejection import check_file, rejected
from bodydouble.media.structure import inspect_structure
from bodydouble.media.tracks import audio_tracks, choose_video, track_warnings
from bodydouble.media.video_info import ColourTags, MediaWarning, VideoInfo

CONTAINERS = {"mov": "mp4", "avi": "avi", "matroska": "matroska", "gif": "gif"}
CODECS = frozenset(
    {
        *("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "h263", "mjpeg", "mpeg1video", "mpeg2video"),
        *("msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2", "dvvideo", "prores", "dnxhd"),
        *("gif", "ffv1", "huffyuv", "ffvhuff", "utvideo", "qtrle", "png", "rawvideo"),
    }
)
"""Accepted video codecs, by libav's names: those that cameras, phones and editors write."""
ACCEPTED = "accepted are MP4, MOV, AVI, MKV, WebM and GIF"
AGAIN = "export or download it again"
SECONDS_SLACK = 0.5
"""Allowed above the longest duration: containers round, and audio often ends slightly after the video."""
SECONDS_MIN_SLACK = 0.02
"""Allowed below the shortest duration: about half a frame at 25 frames/s."""
FRAME_RATE_SLACK = 1.01
"""Factor allowed above the highest frame rate; timestamps in milliseconds round it."""
FRAME_RATE_AGREEMENT = 0.01
"""Relative difference up to which a declared frame rate agrees with the timestamps."""
OTHER_SAMPLES_FACTOR = 8
"""Samples of any track for each accepted frame. Caption and sensor tracks have more samples than the video frames."""
MISSING_FRAMES_MIN, MISSING_FRAMES_SHARE = 2, 50
"""A file is cut off if more frames are missing than 2 and than one in 50 of those announced."""
SAMPLE_ASPECT_MAX = 8
"""Pixel width over height, or its inverse, from which the declared value is an error of the writing program."""
SNIFF_BYTES = 512
"""Read from the start of a file that libav cannot open, to name its kind."""
TEST_FRAMES = 4
"""Frames decoded from the last keyframe."""
DEINTERLACED = MediaWarning(
    code="video_deinterlaced",
    message="The video is interlaced. The result is progressive: one frame for each frame of the source.",
)


def _colour_warnings(matrix: int) -> list[MediaWarning]:
    name = UNSUPPORTED_MATRICES.get(matrix)
    if name is None:
        return []
    message = (
        f"The video uses the colour matrix {name}, which is not supported: colours are wrong. Export it as BT.709."
    )
    return [MediaWarning(code="colour_matrix", message=message)]


def probe_video(path: Path, limits: MediaLimits = MediaLimits(), field: str = "video") -> VideoInfo:
    """The properties of the video, after it was opened, indexed and decoded in part.

    Raises:
        MediaRejected: unreadable, not a video, damaged, encrypted, or outside a limit. The message names ``field``.
    """
    check_file(path, limits.video_bytes_max, field)
    _check_structure(path, limits, field)
    try:
        with open_container(path) as container:
            return _describe(container, path, limits, field)
    except MemoryError:
        raise  # also a FFmpegError; says nothing about the file's format
    except av.error.FFmpegError as error:
        raise rejected(field, f"{_content(path)} ({ACCEPTED})") from error


def _content(path: Path) -> str:
    """A description of a file that no demuxer opens, for the error message."""
    with path.open("rb") as stream:
        head = stream.read(SNIFF_BYTES)
    if (foreign := foreign_video(head)) is not None:
        name, remedy = foreign
        return f"the file is {name}, which is not accepted; {remedy}"
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
        raise rejected(field, "the video is encrypted; give a file without copy protection")
    if structure.compressed_header:
        raise rejected(field, "the file has a compressed header (cmov), which is not accepted; export it again as MP4")
    if structure.cut:
        raise rejected(field, f"the file is cut off: its end is missing; {AGAIN}")
    if (
        structure.samples > OTHER_SAMPLES_FACTOR * limits.frames_max
        or structure.sound_samples > limits.sound_samples_max
    ):
        count = max(structure.samples, structure.sound_samples)
        raise rejected(
            field, f"the file announces {count} samples in one track; at most {limits.frames_max} frames are accepted"
        )
    if structure.edits > limits.edits_max:
        raise rejected(
            field, f"the file has an edit list of {structure.edits} entries; at most {limits.edits_max} are accepted"
        )


def _describe(container: Any, path: Path, limits: MediaLimits, field: str) -> VideoInfo:
    stream = choose_video(container, path)
    if stream is None:
        what = "only sound" if container.streams.audio else "nothing that can be shown"
        raise rejected(field, f"the file has no video stream, {what}")
    context = stream.codec_context
    if context is None or context.codec is None or context.codec.canonical_name not in CODECS:
        name = "an unknown format" if context is None or context.codec is None else context.codec.canonical_name
        raise rejected(field, f"the video is coded as {name}, which is not accepted; export it as H.264")
    if stream.metadata.get("enc_key_id"):
        raise rejected(field, "the video is encrypted; give a file without copy protection")
    _check_coded_size(context.width, context.height, limits, field)
    index = _index(path, stream, limits, field)
    frames = _test_decode(container, stream, index, field)
    orientation = display_orientation(frames[0])
    aspect = _sample_aspect(stream)
    wide = max(2, round(context.width * aspect)) if aspect > 1 else context.width
    tall = context.height if aspect >= 1 else max(2, round(context.height / aspect))
    width, height = (tall, wide) if orientation.transposed else (wide, tall)
    seconds = float((index.end - int(index.pts[0])) * index.time_base)
    _check_shape(width, height, limits, field)
    _check_time(seconds, index, limits, field)
    rate = _rate(stream, index)
    sounds = audio_tracks(container)
    interlaced = is_interlaced(stream, frames)
    return VideoInfo(
        container=next(CONTAINERS[n] for n in container.format.name.split(",") if n in CONTAINERS),
        codec=context.codec.canonical_name,
        coded_height=context.height,
        width=width,
        height=height,
        sample_aspect=aspect,
        frame_rate=rate,
        time_base=index.time_base,
        frames=len(index.pts),
        duration_seconds=seconds,
        variable_rate=index.variable_rate,
        bit_depth=max((c.bits for c in context.format.components), default=8) if context.format else 8,
        colour=ColourTags(
            primaries=int(context.color_primaries),
            transfer=int(context.color_trc),
            matrix=int(context.colorspace),
            full_range=int(context.color_range) == FULL_RANGE_TAG,
        ),
        audio=next(iter(sounds), None),
        more_audio=sounds[1:],
        interlaced=interlaced,
        warnings=(
            *([DEINTERLACED] if interlaced else []),
            *_colour_warnings(int(context.colorspace)),
            *track_warnings(container, stream, rate, sounds),
        ),
        track=stream.index,
        orientation=orientation,
        mastering=mastering_of(frames[0]),
    )


def _index(path: Path, stream: Any, limits: MediaLimits, field: str) -> FrameIndex:
    try:
        index = build_index(path, stream.index, limits.frames_max)
    except ValueError as error:
        raise rejected(field, f"the video has {error}; 1 to {limits.frames_max} are accepted") from None
    announced = stream.frames
    size = path.stat().st_size
    ends = (entry.pos + entry.size for entry in stream.index_entries)
    # Edit lists hide frames, so an index shorter than announced is normal there.
    missing = announced - len(index.pts) if index.timed and index.hidden == 0 else 0
    if index.cut or max(ends, default=0) > size or missing > max(MISSING_FRAMES_MIN, announced // MISSING_FRAMES_SHARE):
        raise rejected(
            field, f"the file is cut off: of {announced or 'its'} frames, only {len(index.pts)} are whole; {AGAIN}"
        )
    return index


def _sample_aspect(stream: Any) -> Fraction:
    aspect = Fraction(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1) or Fraction(1)
    return aspect if Fraction(1, SAMPLE_ASPECT_MAX) < aspect < SAMPLE_ASPECT_MAX else Fraction(1)


def _rate(stream: Any, index: FrameIndex) -> Fraction:
    """Frames/s: the declared average, which is exact, if the timestamps agree with it; else the rate that they give."""
    declared, counted = stream.average_rate, index.frame_rate
    return (
        Fraction(declared) if declared and abs(float(declared) / float(counted) - 1) < FRAME_RATE_AGREEMENT else counted
    )


def _check_coded_size(width: int, height: int, limits: MediaLimits, field: str) -> None:
    """Check the declared size before decoding: a small file can declare a frame that does not fit into memory."""
    if width <= 0 or height <= 0:
        raise rejected(field, "the video declares no size; it is encrypted or damaged")
    if max(width, height) > limits.video_side_max:
        raise rejected(
            field, f"the video is {width} × {height}; at most {limits.video_side_max} pixels a side are accepted"
        )


def _check_shape(width: int, height: int, limits: MediaLimits, field: str) -> None:
    if not limits.video_side_min <= min(width, height) <= max(width, height) <= limits.video_side_max:
        raise rejected(
            field,
            f"the video is {width} × {height} as shown; its sides must be {limits.video_side_min} to "
            f"{limits.video_side_max} pixels",
        )
    if max(width, height) > limits.aspect_max * min(width, height):
        raise rejected(
            field,
            f"the video is {width} × {height}; its aspect must be within 1:{limits.aspect_max:g} and "
            f"{limits.aspect_max:g}:1",
        )


def _check_time(seconds: float, index: FrameIndex, limits: MediaLimits, field: str) -> None:
    low, high = limits.video_seconds_min, limits.video_seconds_max
    if not low - SECONDS_MIN_SLACK <= seconds <= high + SECONDS_SLACK:
        accepted = f"{low:g} to {high:g} s" if low else f"up to {high:g} s"
        raise rejected(field, f"the video lasts {seconds:.2f} s; {accepted} are accepted")
    if float(index.frame_rate) > limits.frame_rate_max * FRAME_RATE_SLACK:
        raise rejected(
            field,
            f"the video has {float(index.frame_rate):.1f} frames a second; at most {limits.frame_rate_max:g} "
            "are accepted",
        )


def _test_decode(container: Any, stream: Any, index: FrameIndex, field: str) -> list[Any]:
    """The first decoded frame and a few from the last keyframe. Encrypted and damaged files fail here.

    Only decoded frames carry the display matrix and HDR metadata, and say for certain whether they are interlaced.
    """
    first = list(itertools.islice(decoded_frames(container, stream), 1))
    if not first:
        raise rejected(field, "the video cannot be decoded; it is encrypted or damaged")
    if index.timed:
        container.seek(int(index.pts[index.keyframes[-1]]), stream=stream, backward=True)
        last = list(itertools.islice(decoded_frames(container, stream), TEST_FRAMES))
        if all(frame.is_corrupt for frame in last):
            raise rejected(field, f"the end of the video cannot be decoded; it is damaged: {AGAIN}")
        first += last
    return first
