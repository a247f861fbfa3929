"""Small, silent H.264 videos that every browser plays: for looking at, not for delivery."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av import VideoFrame

from bodydouble.media.video_info import VideoInfo
from bodydouble.tasks.atomic_files import atomic_file, part_of, publish

SHORT_SIDE_MAX = 360
"""Pixels."""
ENCODER_OPTIONS = {"crf": "27", "preset": "superfast", "threads": "1", "bf": "0"}
"""Chosen by eye: no blocks are visible at the size of the players, about 0.6 MB for 10 s. Of the faster presets only
superfast keeps the picture of veryfast (36 dB on the demo's result) at about its size.

threads=1: two take a third more processor time. bf=0: without B-frames the packets of two videos can follow each other
in one file.
"""
TICK = Fraction(1, 90_000)
"""Seconds. MP4 cannot hold every time base of the sources."""
CONTAINER_OPTIONS = {"movflags": "+faststart"}

CODECS_PLAYED = frozenset({"h264", "vp8", "vp9", "av1"})
"""Codecs, by libav's names, that Chrome, Firefox and Safari decode. Whether they play HEVC depends on the machine."""
CONTAINERS_PLAYED = frozenset({"mp4", "matroska"})
"""Containers that they play, as in ``VideoInfo.container``. MP4 includes MOV, Matroska includes WebM."""


def plays_in_browsers(info: VideoInfo) -> bool:
    """False if the video is known not to play in every current browser; true is no promise."""
    deep_h264 = info.codec == "h264" and info.bit_depth > 8
    return info.container in CONTAINERS_PLAYED and info.codec in CODECS_PLAYED and not deep_h264


class BrowserVideoWriter:
    """Writes frames to an MP4 file, which appears under ``path`` when it is complete.

    Use as a context manager, or call ``close`` or ``abandon`` at the end.
    """

    def __init__(self, path: Path, width: int, height: int, frame_rate: Fraction) -> None:
        """``width`` and ``height`` in pixels, even; ``frame_rate`` in frames a second."""
        self._path, self._part = path, part_of(path)
        self._container: Any = av.open(str(self._part), "w", format="mp4", options=CONTAINER_OPTIONS)
        stream = self._container.add_stream("libx264", rate=frame_rate, options=ENCODER_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = TICK
        self._stream = stream

    def __enter__(self) -> "BrowserVideoWriter":
        return self

    def write(self, image: np.ndarray, seconds: Fraction) -> None:
        """Encode the frame ``image`` (height, width, 3) RGB uint8, which is shown at ``seconds``, increasing."""
        frame = VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = round(seconds / TICK), TICK
        self._container.mux(self._stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def close(self) -> None:
        """Complete the file. After an exception there is none."""
        try:
            self._container.mux(self._stream.encode())
        except BaseException:
            self.abandon()
            raise
        self._container.close()
        publish(self._part, self._path)

    def abandon(self) -> None:
        """End without a file."""
        self._container.close()
        self._part.unlink(missing_ok=True)


def join_browser_videos(parts: Sequence[tuple[Path, Fraction]], output: Path, comment: str) -> None:
    """Write the videos of ``BrowserVideoWriter``, each from its time in seconds on, as one MP4. Nothing is encoded.

    The times increase, and the videos have one size. ``output`` starts with the first of them. ``comment`` is its
    metadata.
    """
    start = parts[0][1]
    with (
        atomic_file(output) as part,
        av.open(str(parts[0][0])) as first,
        av.open(str(part), "w", format="mp4", options=CONTAINER_OPTIONS) as result,
    ):
        result.metadata["comment"] = comment
        stream: Any = result.add_stream_from_template(first.streams.video[0])
        stream.time_base = TICK
        for path, seconds in parts:
            shift = round((seconds - start) / TICK)
            with av.open(str(path)) as container:
                for packet in container.demux(video=0):
                    if packet.pts is None:
                        continue  # the end of the stream
                    packet.pts = round(packet.pts * packet.time_base / TICK) + shift
                    packet.dts = packet.pts
                    packet.time_base = TICK
                    packet.stream = stream
                    result.mux(packet)
