"""The tracks of a file: which are kept, which are converted, and which are left out."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.stream import Discard, Disposition

from bodydouble.media.container import open_container
from bodydouble.media.marks import TIMECODE, find_timecode, is_storable
from bodydouble.media.video_info import AudioInfo, MediaWarning

COVERS = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Dispositions of video tracks that hold pictures about the file, not the film."""
AUDIO_TRACKS_MAX = 8
"""Audio tracks kept in the result; each is one more pass over the source."""
MP4_TEXT = "mov_text"
"""libav's name of the subtitle format of MP4."""
OPUS_HEADER_BYTES = 19
"""Length of the shortest identification header (RFC 7845, section 5.1)."""
TEXT_SUBTITLES = frozenset({"subrip", "ass", "ssa", "webvtt", "text"})
"""Subtitle formats, by libav's names, that can be converted to that of MP4. Others are pictures."""
LAYOUTS_BY_CHANNELS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""Channel count → layout, by libav's names, of tracks that do not name theirs."""
UNDETERMINED = "und"
"""The language code for an unknown language (ISO 639-2)."""


def choose_video(container: Any, path: Path) -> Any | None:
    """The video stream of ``container``, opened from ``path``, to process; or None.

    Cover pictures are never chosen. Of the others, in this order: more than one frame, a known codec, the default
    track, the largest frame, the first.
    """
    candidates = _films(container)
    if len(candidates) < 2:
        return next(iter(candidates), None)
    moving = _moving(path, candidates)

    def rank(stream: Any) -> tuple[bool, bool, bool, int, int]:
        context = stream.codec_context
        known = context is not None and context.codec is not None
        area = stream.width * stream.height if known else 0
        return (stream.index in moving, known, _is_default(stream), area, -stream.index)

    return max(candidates, key=rank)


def _films(container: Any) -> list[Any]:
    return [s for s in container.streams.video if not s.disposition & COVERS]


def _is_default(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.default)


def _moving(path: Path, candidates: list[Any]) -> set[int]:
    """Indices of the streams with more than one frame. Reads packets where the container states no count."""
    moving = {s.index for s in candidates if s.frames > 1}
    unknown = {s.index: 0 for s in candidates if s.frames == 0}
    if not unknown:
        return moving
    with open_container(path) as container:  # one of its own: reading moves the position
        for packet in container.demux([container.streams[index] for index in unknown]):
            if packet.size:
                unknown[packet.stream.index] += 1
                if min(unknown.values()) > 1:
                    break
    return moving | {index for index, frames in unknown.items() if frames > 1}


def audio_tracks(container: Any) -> tuple[AudioInfo, ...]:
    """The audio tracks that the result holds, the default one first."""
    readable = [s for s in container.streams.audio if _is_readable(s)]
    readable.sort(key=lambda s: (not _is_default(s), s.index))
    return tuple(_audio_info(s, container) for s in readable[:AUDIO_TRACKS_MAX])


def _is_readable(stream: Any) -> bool:
    context = stream.codec_context
    if context is None or context.codec is None or not context.sample_rate:
        return False
    header = context.extradata or b""
    return context.codec.canonical_name != "opus" or len(header) >= OPUS_HEADER_BYTES


def _audio_info(stream: Any, container: Any) -> AudioInfo:
    context = stream.codec_context
    start = (stream.start_time or 0) * stream.time_base
    unnamed = context.layout.name.endswith(" channels")
    whole = Fraction((container.duration or 0), 1_000_000) - max(0, start)  # Matroska counts from time zero
    seconds = float(stream.duration * stream.time_base if stream.duration else max(0, whole))
    return AudioInfo(
        track=stream.index,
        codec=context.codec.canonical_name,
        sample_rate_hz=context.sample_rate,
        channels=context.channels,
        layout=LAYOUTS_BY_CHANNELS.get(context.channels, "") if unnamed else context.layout.name,
        duration_seconds=seconds,
        start_seconds=Fraction(start),
        language=stream.metadata.get("language", UNDETERMINED),
        title=stream.metadata.get("title", ""),
    )


def track_warnings(
    container: Any, chosen: Any, frame_rate: Fraction, kept: tuple[AudioInfo, ...]
) -> Iterator[MediaWarning]:
    """A warning for each track that the result lacks or holds in another form. Tracks count from 1."""
    for stream in _films(container):
        if stream.index != chosen.index and stream.frames != 1:
            yield MediaWarning(
                code="video_left_out",
                message=f"Of the file's video tracks, only track {chosen.index + 1} is processed; "
                f"track {stream.index + 1} is not in the result.",
            )
    sounds = {audio.track: audio for audio in kept}
    for stream in container.streams.audio:
        if (warning := _audio_warning(stream, sounds.get(stream.index))) is not None:
            yield warning
    subtitles = [s for s in container.streams.subtitles if codec_name(s) not in TEXT_SUBTITLES | {MP4_TEXT}]
    if subtitles:
        yield MediaWarning(
            code="subtitles_left_out",
            message=f"The subtitles of {_listed(subtitles)} are not in the result: MP4 cannot hold them.",
        )
    timecode = find_timecode(container)
    if timecode is not None and not is_storable(timecode, frame_rate):
        yield MediaWarning(
            code="timecode_left_out",
            message=f"The timecode {timecode} is not in the result: "
            f"it does not suit {float(frame_rate):.5g} frames a second.",
        )
    # libav discards the text track of chapters, which are kept in another way.
    data = [s for s in container.streams.data if TIMECODE not in s.metadata and s.discard != Discard.all]
    if data:
        yield MediaWarning(
            code="data_left_out",
            message=f"The recording data of {_listed(data)}, such as sensor values, is not in the result.",
        )


def _listed(streams: list[Any]) -> str:
    return ", ".join(f"track {s.index + 1} ({codec_name(s)})" for s in streams)


def _audio_warning(stream: Any, kept: AudioInfo | None) -> MediaWarning | None:
    number = stream.index + 1
    if kept is None:
        reason = (
            f"at most {AUDIO_TRACKS_MAX} audio tracks are kept" if _is_readable(stream) else "its format cannot be read"
        )
        return MediaWarning(
            code="audio_left_out",
            message=f"Audio track {number} is not in the result: {reason}.",
            about_audio=True,
        )
    if kept.copyable:
        return None
    layout = "" if kept.aac_layout == kept.layout else f" with the layout {kept.aac_layout} instead of {kept.layout}"
    return MediaWarning(
        code="audio_converted",
        message=f"Audio track {number} was converted to AAC{layout}: MP4 cannot hold {kept.codec}.",
        about_audio=True,
    )


def codec_name(stream: Any) -> str:
    """libav's name of the codec, else what the file says about the track."""
    context = stream.codec_context
    if context is not None and context.codec is not None:
        return context.codec.canonical_name
    # Streams without a codec context have no name.
    return str(stream.metadata.get("handler_name") or getattr(stream, "name", None) or "unknown format").strip()
