"""Packets of one audio track for the result: copied if MP4 can store them, else re-encoded to AAC."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.packet import PacketSideData

from bodydouble.media.container import decoded_frames, open_container, packets_of
from bodydouble.media.sample_clock import SampleClock
from bodydouble.media.video_info import AudioInfo

PACKET_SECONDS_MAX = 10
"""A longer declared duration of one audio packet is treated as damage."""
AAC_BIT_RATE_PER_CHANNEL = 96_000
"""Bits a second."""
AAC_FRAME_SAMPLES = 1024
"""Samples of an AAC-LC frame (ISO/IEC 14496-3)."""
AAC_RATES_HZ = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Sampling rates of converted audio: the largest one up to the source's. The 88.2 and 96 kHz of AAC are left out."""

TimedPacket = tuple[Fraction, Any]
"""Decoding time in seconds, and the packet."""


def sound_packets(source: Path, info: AudioInfo, result: Any, offset: Fraction) -> Iterator[TimedPacket]:
    """A new stream in ``result`` and its packets, timed from ``offset`` seconds of the source on.

    The stream is added at once, the packets are read on demand.
    """
    stream = _copied_stream(source, info, result) if info.copyable else _aac_stream(info, result)
    stream.metadata["language"] = info.language
    if info.title:
        stream.metadata["handler_name"] = info.title
    return _copied(source, info, stream, offset) if info.copyable else _encoded(source, info, stream, offset)


def _copied_stream(source: Path, info: AudioInfo, result: Any) -> Any:
    with open_container(source) as original:
        stream = result.add_stream_from_template(original.streams[info.track])
    stream.time_base = Fraction(1, info.sample_rate_hz)
    return stream


def _copied(source: Path, info: AudioInfo, stream: Any, offset: Fraction) -> Iterator[TimedPacket]:
    with open_container(source) as original:
        sound = original.streams[info.track]
        clock = SampleClock(info.sample_rate_hz, sound.time_base, offset)
        frame_samples = sound.codec_context.frame_size
        held = None
        for packet in packets_of(original, sound):
            if packet.dts is None:
                continue
            skipped, padding = _trimmed(packet)
            samples = clock.length(packet, frame_samples, info.codec, padding)
            at = clock.position(packet.dts, skipped)
            if held is not None:
                if at <= held.dts:
                    continue  # timestamps of a damaged file; MP4 requires increasing ones
                yield _timed(held, at - held.dts)
            clock.expect(at + samples)
            packet.stream = stream
            packet.time_base = stream.time_base
            packet.pts = packet.dts = at
            packet.duration = samples
            held = packet
        if held is not None:
            yield _timed(held, held.duration)


def _timed(packet: Any, step: int) -> TimedPacket:
    # Matroska omits some durations, and damaged files hold wrong ones. MP4 drops a packet without a duration.
    if not 0 < packet.duration * packet.time_base < PACKET_SECONDS_MAX:
        packet.duration = max(step, 1)
    return packet.dts * packet.time_base, packet


def _trimmed(packet: Any) -> tuple[int, int]:
    """Samples that players drop at the start and at the end of this packet (encoder delay and padding)."""
    if not packet.has_sidedata("skip_samples"):
        return 0, 0
    return struct.unpack("<II", bytes(PacketSideData.from_packet(packet, "skip_samples"))[:8])


def _aac_stream(info: AudioInfo, result: Any) -> Any:
    rate = next((r for r in AAC_RATES_HZ if r <= info.sample_rate_hz), AAC_RATES_HZ[-1])
    stream = result.add_stream("aac", rate=rate, layout=info.aac_layout)
    stream.bit_rate = AAC_BIT_RATE_PER_CHANNEL * stream.codec_context.channels
    return stream


def _encoded(source: Path, info: AudioInfo, stream: Any, offset: Fraction) -> Iterator[TimedPacket]:
    context = stream.codec_context
    resampler = av.AudioResampler(
        format="fltp", layout=context.layout, rate=context.sample_rate, frame_size=AAC_FRAME_SAMPLES
    )
    with open_container(source) as original:
        sound = original.streams[info.track]
        clock = SampleClock(info.sample_rate_hz, sound.time_base, offset)
        end: int | None = None
        for frame in decoded_frames(original, sound):
            if frame.pts is not None:
                at = clock.position(frame.pts, 0)
                # Times of a damaged file go back; MP4 requires increasing ones.
                frame.pts = at if end is None else max(at, end)
                frame.time_base = Fraction(1, info.sample_rate_hz)
                end = int(frame.pts) + int(frame.samples)
                clock.expect(end)
            for piece in resampler.resample(frame):
                yield from _encoded_packets(stream.encode(piece))
    for piece in resampler.resample(None):
        yield from _encoded_packets(stream.encode(piece))
    yield from _encoded_packets(stream.encode(None))


def _encoded_packets(packets: list[Any]) -> Iterator[TimedPacket]:
    for packet in packets:
        yield packet.dts * packet.time_base, packet
