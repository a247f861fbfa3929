"""Subtitles of the result: copied or converted to MP4's text format."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.error
from av.codec import CodecContext

from bodydouble.media.container import open_container, packets_of
from bodydouble.media.sound import TimedPacket
from bodydouble.media.tracks import MP4_TEXT, TEXT_SUBTITLES, UNDETERMINED, codec_name


def subtitle_packets(source: Path, original: Any, result: Any, offset: Fraction) -> list[Iterator[TimedPacket]]:
    """A new stream in ``result`` for each subtitle track that MP4 can hold, and its packets.

    Packets are timed from ``offset`` seconds of the source on.
    """
    tracks: list[Iterator[TimedPacket]] = []
    for stream in original.streams.subtitles:
        name = codec_name(stream)
        if name == MP4_TEXT:
            copy = result.add_stream_from_template(stream)
            tracks.append(_packets(source, stream.index, copy, offset, None))
        elif name in TEXT_SUBTITLES:
            copy = result.add_stream(MP4_TEXT)
            copy.codec_context.subtitle_header = _styles(stream.codec_context)
            tracks.append(_packets(source, stream.index, copy, offset, copy.codec_context))
        else:
            continue
        copy.metadata["language"] = stream.metadata.get("language", UNDETERMINED)
    return tracks


def _styles(decoder: Any) -> bytes:
    """The track's ASS styles, else libav's default ones; the encoder does not open without."""
    decoder.open(strict=False)
    return decoder.subtitle_header or default_styles()


def default_styles() -> bytes:
    """libav's ASS header for subtitles without styles."""
    plain: Any = CodecContext.create("subrip", "r")
    plain.open()
    return plain.subtitle_header


def _packets(source: Path, track: int, copy: Any, offset: Fraction, encoder: Any | None) -> Iterator[TimedPacket]:
    with open_container(source) as original:
        stream = original.streams[track]
        shift = round(offset / stream.time_base)
        for packet in packets_of(original, stream):
            if packet.pts is None:
                continue
            at, duration, time_base = max(0, packet.pts - shift), packet.duration, stream.time_base
            if encoder is not None:
                try:
                    texts = stream.codec_context.decode2(packet)
                    if texts is None:
                        continue
                    packet = encoder.encode_subtitle(texts)
                except av.error.FFmpegError:  # one damaged text
                    continue
            packet.stream, packet.time_base = copy, time_base
            packet.pts, packet.dts, packet.duration = at, at, duration
            yield at * time_base, packet
