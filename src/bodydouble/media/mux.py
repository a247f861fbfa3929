"""Joining finished segments into the result. Packets are copied; only audio that MP4 cannot store is re-encoded."""

import heapq
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from bodydouble.media.container import decoded_frames, open_container
from bodydouble.media.index import build_index
from bodydouble.media.video_info import VideoInfo
from bodydouble.tasks.atomic_files import atomic_file

MOVIE_TICKS_MIN = 90_000
"""Ticks a second of the movie clock; 90 kHz is the clock of MPEG systems (ISO/IEC 13818-1)."""
SOUND_PACKET_SECONDS_MAX = 10
"""A longer declared duration of one audio packet is treated as damage."""
AAC_BIT_RATE_PER_CHANNEL = 96_000
"""Bits a second."""
AAC_FRAME_SAMPLES = 1024
"""Samples of an AAC-LC frame (ISO/IEC 14496-3)."""
AAC_RATES_HZ = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
AAC_LAYOUTS = frozenset({"mono", "stereo", "3.0", "4.0", "5.0", "5.1"})
"""Channel layouts, by libav's names, that keep their layout; others become stereo or mono."""


def join_segments(
    segments: list[Path], source: Path, info: VideoInfo, output: Path, *, keep_audio: bool = True, comment: str = ""
) -> None:
    """Write ``output`` (MP4, index first): the segments' frames with the source's audio.

    Audio packets are copied unchanged if MP4 can store them, else re-encoded to AAC. ``output`` appears only when it is
    complete. The same inputs give the same bytes.

    Raises:
        ValueError: the segments do not hold as many frames as the source.
    """
    with atomic_file(output) as part:
        _write(segments, source, info, part, keep_audio, comment)


def _write(segments: list[Path], source: Path, info: VideoInfo, part: Path, keep_audio: bool, comment: str) -> None:
    index = build_index(source, info.track, frames_max=info.frames)
    ticks = info.time_base.denominator
    options = {
        "movflags": "+faststart",
        "video_track_timescale": str(ticks),
        # Edit lists store track starts in movie ticks. A multiple of the video's ticks keeps them exact.
        "movie_timescale": str(ticks * max(1, MOVIE_TICKS_MIN // ticks)),
        "fflags": "+bitexact",
    }
    with (
        av.open(str(segments[0])) as first,
        open_container(source) as original,
        av.open(str(part), "w", format="mp4", options=options) as result,
    ):
        if comment:
            result.metadata["comment"] = comment
        video = result.add_stream_from_template(first.streams.video[0])
        # MP4 needs a time base of 1/N: AVI's 1001/30000 becomes 1001 ticks of 1/30000 s.
        video.time_base = Fraction(1, ticks)
        borders = np.append(index.pts, index.end) * info.time_base.numerator
        tracks = [_video_packets(segments, [int(at) for at in borders], video)]
        if keep_audio and info.audio is not None:
            copy_or_encode = _copied_audio if info.audio.copyable else _aac
            tracks.append(copy_or_encode(original, original.streams.audio[0], result))
        for _, packet in heapq.merge(*tracks, key=lambda item: item[0]):
            result.mux(packet)


def _video_packets(segments: list[Path], borders: list[int], stream: Any) -> Iterator[tuple[Fraction, Any]]:
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


def _copied_audio(original: Any, sound: Any, result: Any) -> Iterator[tuple[Fraction, Any]]:
    stream = result.add_stream_from_template(sound)

    def packets() -> Iterator[tuple[Fraction, Any]]:
        held, step = None, 0
        for packet in original.demux(sound):
            if packet.dts is None or not packet.size:
                continue
            if held is not None and packet.dts <= held.dts:
                continue  # timestamps of a damaged file; MP4 requires increasing ones
            if held is not None:
                step = packet.dts - held.dts
                yield timed(held, step)
            held = packet
        if held is not None:
            yield timed(held, step)

    def timed(packet: Any, step: int) -> tuple[Fraction, Any]:
        # Matroska omits some durations, and damaged files hold wrong ones. MP4 drops a packet without a duration.
        if not 0 < packet.duration * packet.time_base < SOUND_PACKET_SECONDS_MAX:
            packet.duration = step
        at = packet.dts * packet.time_base
        packet.stream = stream
        return at, packet

    return packets()


def _aac(original: Any, sound: Any, result: Any) -> Iterator[tuple[Fraction, Any]]:
    context = sound.codec_context
    rate = next((r for r in AAC_RATES_HZ if r <= context.sample_rate), AAC_RATES_HZ[-1])
    layout = context.layout.name if context.layout.name in AAC_LAYOUTS else ("mono", "stereo")[context.channels > 1]
    stream = result.add_stream("aac", rate=rate, layout=layout)
    stream.bit_rate = AAC_BIT_RATE_PER_CHANNEL * stream.codec_context.channels
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=AAC_FRAME_SAMPLES)

    def packets() -> Iterator[tuple[Fraction, Any]]:
        for frame in decoded_frames(original, sound):
            for piece in resampler.resample(frame):
                yield from timed(stream.encode(piece))
        for piece in resampler.resample(None):
            yield from timed(stream.encode(piece))
        yield from timed(stream.encode(None))

    def timed(encoded: list[Any]) -> Iterator[tuple[Fraction, Any]]:
        for packet in encoded:
            yield packet.dts * packet.time_base, packet

    return packets()
