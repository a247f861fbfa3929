"""Safe opening of untrusted video files, and decoding that skips damage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm,gif"
"""Allowed demuxers, by libav's names. Playlists, concatenation scripts, pictures and raw streams are excluded."""

PIXELS_MAX = 4096 * 4096 * 2
"""Pixels of the largest frame that the decoder may allocate. A stream can declare a new size at any frame."""

OPEN_OPTIONS = {
    "format_whitelist": FORMATS,
    # A file must not cause another file or address to be opened.
    "protocol_whitelist": "file",
    "enable_drefs": "0",
    "use_absolute_path": "0",
    "max_pixels": str(PIXELS_MAX),
}
THREADS = 1
"""Decoder threads. With more than one, concealment of damaged frames depends on thread timing, so runs differ.

Decoding takes only a few milliseconds a frame.
"""


def open_container(path: Path) -> Any:
    """The file, opened for reading. Its content must be one of ``FORMATS``; its name is ignored.

    Raises:
        av.error.FFmpegError: the file cannot be read, or has another format.
    """
    return av.open(str(path), options=OPEN_OPTIONS, metadata_errors="replace")


def decoded_frames(container: Any, stream: Any) -> Iterator[Any]:
    """All frames from the current position on, in the decoder's output order.

    Skips packets that cannot be decoded. Stops at a place that cannot be read.
    """
    context = stream.codec_context
    if not context.is_open:
        if context.type == "video":
            context.thread_count = THREADS
        context.options = {"max_pixels": str(PIXELS_MAX)}
    for packet in packets_of(container, stream):
        yield from _decoded(context, packet)
    yield from _decoded(context, None)


def packets_of(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream with content, up to a place that cannot be read."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        # An empty packet would flush a decoder; AVI stores one for each dropped frame.
        if packet.size:
            yield packet


def _decoded(context: Any, packet: Any) -> list[Any]:
    try:
        return context.decode(packet)
    except av.error.FFmpegError:
        return []
