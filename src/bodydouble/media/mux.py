"""Joining finished segments into the result: packets are copied, nothing is encoded again but foreign audio."""

import heapq
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from bodydouble.media.index import build_index, open_container
from bodydouble.media.video_info import VideoInfo

AAC_BIT_RATE = 192_000


def join_segments(
    segments: list[Path], source: Path, info: VideoInfo, output: Path, *, keep_audio: bool = True, comment: str = ""
) -> None:
    """Write ``output`` (MP4, faststart): the segments' frames with the source's audio.

    Audio packets are copied byte for byte where MP4 can hold them, else re-encoded to AAC. Written under a temporary
    name until it is whole; the same inputs give the same bytes.
    """
    index = build_index(source, frames_max=info.frames)
    part = output.with_suffix(".part")
    options = {
        "movflags": "+faststart",
        "video_track_timescale": str(info.time_base.denominator),
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
        video.time_base = info.time_base
        tracks = [_video_packets(segments, index.pts, video, info.time_base)]
        if keep_audio and info.audio is not None:
            copy_or_encode = _copied_audio if info.audio.copyable else _aac
            tracks.append(copy_or_encode(original, original.streams.audio[0], result))
        for _, packet in heapq.merge(*tracks, key=lambda item: item[0]):
            result.mux(packet)
    part.replace(output)


def _video_packets(
    segments: list[Path], source_pts: NDArray[np.int64], stream: Any, time_base: Fraction
) -> Iterator[tuple[Fraction, Any]]:
    """All packets in decoding order, timed by the source's own timestamps, ``dts`` monotone over the whole.

    Segments hold the order of frames; their clocks are not believed, because containers shift and round them. The
    n-th packet is decoded when the n-th frame is shown, less a constant delay that keeps ``dts <= pts``: encoders
    count the delay in frames of their own segment, which collides at a border when the frame rate varies.
    """
    shown: list[int] = []
    for segment in segments:
        with av.open(str(segment)) as container:
            clock = np.array([p.pts for p in container.demux(video=0) if p.size], np.int64)
        place = np.empty(len(clock), np.int64)
        place[np.argsort(clock)] = np.arange(len(clock))
        shown += [int(source_pts[len(shown) + k]) for k in place]
    decoded = np.sort(np.array(shown, np.int64))
    delay = int(max(0, (decoded - np.array(shown, np.int64)).max()))
    n = 0
    for segment in segments:
        with av.open(str(segment)) as container:
            for packet in container.demux(video=0):
                if not packet.size:
                    continue
                packet.stream = stream
                packet.time_base = time_base
                packet.pts, packet.dts = shown[n], int(decoded[n]) - delay
                n += 1
                yield packet.dts * time_base, packet


def _copied_audio(original: Any, sound: Any, result: Any) -> Iterator[tuple[Fraction, Any]]:
    stream = result.add_stream_from_template(sound)

    def packets() -> Iterator[tuple[Fraction, Any]]:
        for packet in original.demux(sound):
            if packet.dts is None or not packet.size:
                continue
            at = packet.dts * packet.time_base
            packet.stream = stream
            yield at, packet

    return packets()


def _aac(original: Any, sound: Any, result: Any) -> Iterator[tuple[Fraction, Any]]:
    rate = min(sound.codec_context.sample_rate, 48000)
    layout = sound.codec_context.layout.name if sound.codec_context.channels <= 6 else "stereo"
    stream = result.add_stream("aac", rate=rate, layout=layout)
    stream.bit_rate = AAC_BIT_RATE
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=1024)

    def packets() -> Iterator[tuple[Fraction, Any]]:
        for frame in original.decode(sound):
            for piece in resampler.resample(frame):
                yield from timed(stream.encode(piece))
        for piece in resampler.resample(None):
            yield from timed(stream.encode(piece))
        yield from timed(stream.encode(None))

    def timed(encoded: list[Any]) -> Iterator[tuple[Fraction, Any]]:
        for packet in encoded:
            yield packet.dts * packet.time_base, packet

    return packets()
