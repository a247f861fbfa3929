"""Opening a video file without trusting it, and decoding what can be decoded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm"
"""libav's demuxer names. Playlists, concatenation scripts, pictures and raw streams are not among them."""

PIXELS_MAX = 4096 * 4096 * 2
"""A stream may declare any size, also in its middle; the decoder refuses to allocate more than this."""

OPEN_OPTIONS = {
    "format_whitelist": FORMATS,
    # A file may not make us open another file or address.
    "protocol_whitelist": "file",
    "enable_drefs": "0",
    "use_absolute_path": "0",
    "max_pixels": str(PIXELS_MAX),
}
THREADS = 1
"""One: with more, a damaged frame is patched from one that another thread is still decoding, and no two runs agree.
Decoding is a few milliseconds a frame; the cores have other work."""
ATTACHED_PICTURE = 0x400  # AV_DISPOSITION_ATTACHED_PIC: a cover, not the video


def open_container(path: Path) -> Any:
    """The file, opened for reading as one of ``FORMATS`` whatever its name says. Raises av.error.FFmpegError."""
    return av.open(str(path), options=OPEN_OPTIONS, metadata_errors="replace")


def picture_stream(container: Any) -> Any | None:
    """The first video stream that is no cover picture."""
    return next((s for s in container.streams.video if not s.disposition & ATTACHED_PICTURE), None)


def decoded_frames(container: Any, stream: Any) -> Iterator[Any]:
    """All frames from the current position in the order in which the decoder answers them.

    What is broken is left out: a packet that cannot be decoded, and everything behind a place that cannot be read.
    """
    context = stream.codec_context
    if not context.is_open:
        if context.type == "video":
            context.thread_count = THREADS
        context.options = {"max_pixels": str(PIXELS_MAX)}
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            packet = None
        if packet is None:
            break
        # An empty packet would drain the decoder; AVI stores one where a frame was dropped.
        if packet.size:
            yield from _decoded(context, packet)
    yield from _decoded(context, None)


def _decoded(context: Any, packet: Any) -> list[Any]:
    try:
        return context.decode(packet)
    except av.error.FFmpegError:
        return []
