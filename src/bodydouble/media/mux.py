"""Joining finished segments into the result. Packets are copied; only audio that MP4 cannot store is re-encoded."""

import heapq
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from bodydouble.media.container import open_container
from bodydouble.media.index import FrameIndex, build_index
from bodydouble.media.marks import copy_chapters, copy_timecode
from bodydouble.media.rejection import rejected
from bodydouble.media.sound import TimedPacket, sound_packets
from bodydouble.media.subtitles import subtitle_packets
from bodydouble.media.video_info import AudioInfo, ColourTags, VideoInfo
from bodydouble.tasks.atomic_files import atomic_file

RESULT_COMMENT = "Made with bodydouble: the person in this video was replaced by a generated character."
"""Stored in the metadata of every result, to declare the video as generated."""
PLAIN_TEXTS = {"comment"}
"""Metadata that MP4's usual form holds; others need Apple's form with free names."""
MATROSKA = "matroska"
"""libav's name. Its clock has steps of a millisecond."""
MOVIE_TICKS_MIN = 90_000
"""Ticks a second of the movie clock; 90 kHz is the clock of MPEG systems (ISO/IEC 13818-1)."""


def join_segments(
    segments: list[Path],
    source: Path,
    info: VideoInfo,
    output: Path,
    *,
    keep_audio: bool = True,
    texts: Mapping[str, str] | None = None,
    colour: ColourTags | None = None,
) -> None:
    """Write ``output`` (MP4, index first; Matroska if its name ends in .mkv): the segments' frames, the source's audio.

    Audio packets are copied unchanged if MP4 can store them, else re-encoded to AAC. A common start of all tracks
    becomes zero; their differences stay. ``output`` appears only when it is complete. The same inputs give the same
    bytes. ``texts``: metadata of the file. ``colour``: tags of the frames, for codecs whose stream lacks them (FFV1).

    Raises:
        ValueError: the segments do not hold as many frames as the source.
        MediaRejected: audio or subtitles of the source cannot be written.
    """
    container = MATROSKA if output.suffix.lower() == ".mkv" else "mp4"
    try:
        with atomic_file(output) as part:
            _write(segments, source, info, part, container, keep_audio, texts or {}, colour)
    except (av.error.InvalidDataError, av.error.ArgumentError) as error:
        raise rejected(
            "video",
            "its audio or subtitles are damaged and cannot be stored in the result; export it again, or leave the "
            "audio out (keep_audio)",
        ) from error


def _write(
    segments: list[Path],
    source: Path,
    info: VideoInfo,
    part: Path,
    container: str,
    keep_audio: bool,
    texts: Mapping[str, str],
    colour: ColourTags | None,
) -> None:
    index = build_index(source, info.track, frames_max=info.frames)
    sounds = [info.audio, *info.more_audio] if keep_audio and info.audio is not None else []
    offset = _common_offset(index, sounds)
    ticks = info.time_base.denominator
    options = {"fflags": "+bitexact"}
    mp4_options = {
        "movflags": "+faststart",
        "video_track_timescale": str(ticks),
        # Edit lists store track starts in movie ticks. A multiple of the video's ticks keeps them exact.
        "movie_timescale": str(ticks * max(1, MOVIE_TICKS_MIN // ticks)),
    }
    if container == "mp4":
        options |= mp4_options
        if texts.keys() - PLAIN_TEXTS:
            options["movflags"] += "+use_metadata_tags"
    with (
        av.open(str(segments[0])) as first,
        open_container(source) as original,
        av.open(str(part), "w", format=container, options=options) as result,
    ):
        result.metadata.update(texts)
        video = result.add_stream_from_template(first.streams.video[0])
        if video.codec_context.codec.canonical_name == "hevc" and container == "mp4":
            video.codec_context.codec_tag = "hvc1"  # Apple's players refuse libav's default, hev1
        if colour is not None:
            context = video.codec_context
            context.color_primaries, context.color_trc = colour.primaries, colour.transfer
            context.colorspace, context.color_range = colour.matrix, 2 if colour.full_range else 1
        # MP4 needs a time base of 1/N: AVI's 1001/30000 becomes 1001 ticks of 1/30000 s.
        video.time_base = Fraction(1, ticks)
        starts = [*(int(at) for at in index.pts), index.end]
        borders = [at * info.time_base.numerator - round(offset * ticks) for at in starts]
        tracks = [_video_packets(segments, borders, video)]
        tracks += [sound_packets(source, audio, result, offset) for audio in sounds]
        copy_chapters(original, result, offset)
        if container == "mp4":  # Matroska has other forms of both
            tracks += subtitle_packets(source, original, result, offset)
            copy_timecode(original, video, info.frame_rate)
        for _, packet in heapq.merge(*tracks, key=lambda item: item[0]):
            result.mux(packet)


def _common_offset(index: FrameIndex, sounds: list[AudioInfo]) -> Fraction:
    """Seconds before the first frame or sound, in whole ticks of the video. Recorders count from when they started."""
    start = min([int(index.pts[0]) * index.time_base, *(audio.start_seconds for audio in sounds)])
    return math.floor(start / index.time_base) * index.time_base


def _video_packets(segments: list[Path], borders: list[int], stream: Any) -> Iterator[TimedPacket]:
    """Yield (seconds, packet) for all packets in decoding order, with the source's timestamps and monotone ``dts``.

    ``borders``: start of each frame and end of the last one, in ticks of ``stream``. Segments supply only the order of
    frames, because containers shift and round their timestamps. A packet's ``dts`` is the start of the frame a constant
    number of frames earlier, as in an encoder. The count runs over all segments: with a variable frame rate, counts
    for each segment would collide at the borders.
    """
    order: list[int] = []  # frame index of each packet, in decoding order
    for segment in segments:
        with av.open(str(segment)) as container:
            clock = [p.pts for p in container.demux(video=0) if p.size and p.pts is not None]
        place = {at: k for k, at in enumerate(sorted(clock))}
        order += [len(order) + place[at] for at in clock]
    frames = len(borders) - 1
    if len(order) != frames:
        raise ValueError(f"the segments hold {len(order)} frames, the source {frames}")
    delay = max(n - k for n, k in enumerate(order))
    # MP4 stores frame durations in decoding order. The first ones are chosen so that the sum is the video's length.
    # Otherwise readers derive a wrong average frame rate.
    last = order[-1]
    lead = borders[-1] - (borders[last + 1] - borders[last]) - borders[frames - 1 - delay]
    decoded = [borders[0] - round(lead * k / delay) for k in range(delay, 0, -1)] + borders
    time_base = stream.time_base
    n = 0
    for segment in segments:
        with av.open(str(segment)) as container:
            for packet in container.demux(video=0):
                if not packet.size:
                    continue
                packet.stream = stream
                packet.time_base = time_base
                k = order[n]
                packet.pts, packet.dts, packet.duration = borders[k], decoded[n], borders[k + 1] - borders[k]
                n += 1
                yield packet.dts * time_base, packet
