"""Streaming encode of one segment as a closed stream. Its bytes depend only on its frames and settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
from av.video.reformatter import ColorRange

from bodydouble.media.planes import PlaneFormat, Planes
from bodydouble.media.video_info import MasteringInfo
from bodydouble.tasks.atomic_files import part_of
from bodydouble.tasks.digests import publish_with_digest


class Quality(StrEnum):
    """How exactly the result keeps its frames, and so how large it is."""

    SMALL = "small"  # about half the bytes of standard
    STANDARD = "standard"
    HIGH = "high"  # about twice the bytes of standard
    LOSSLESS = "lossless"  # every sample; an intermediate for editing


THREADS = 2
"""Threads of one encoder. The count changes the encoded bytes, so it is the same on every machine."""
H264_CRF = {Quality.SMALL: 21, Quality.STANDARD: 15, Quality.HIGH: 10}
HEVC_CRF = {Quality.SMALL: 22, Quality.STANDARD: 16, Quality.HIGH: 11}
"""Constant rate factors: lower is better. Measured with bench/media.py."""
H264_PARAMETERS = "open-gop=0:force-cfr=1:aq-mode=0:mbtree=0"
"""force-cfr: rate control uses the frame rate, because quality must not depend on gaps between timestamps.

aq-mode=0: without adaptive quantisation, textured backgrounds gain 1.4 dB PSNR for 7 % more bytes, and flat ones need
6 % fewer bytes for the same PSNR (measured on two clips).

mbtree=0: with it, two encodings of the same 586 columns differed in half of the runs. The preset has none anyway.
"""
HEVC_PARAMETERS = f"log-level=error:open-gop=0:frame-threads=1:pools={THREADS}:aq-mode=0"


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """An encoder of libav and its options."""

    encoder: str
    options: Mapping[str, str]


def choose_encoding(form: PlaneFormat, quality: Quality, mastering: MasteringInfo | None = None) -> Encoding:
    """FFV1 where nothing may be lost, HEVC for HDR, else H.264. ``mastering`` is written to HEVC."""
    if quality is Quality.LOSSLESS:
        options = {"level": "3", "slices": "4", "slicecrc": "1", "threads": str(THREADS)}
        return Encoding(encoder="ffv1", options=options)
    if form.hdr is None:
        options = {"crf": str(H264_CRF[quality]), "threads": str(THREADS), "x264-params": H264_PARAMETERS}
        return Encoding(encoder="libx264", options={"preset": "superfast", **options})
    parameters = HEVC_PARAMETERS
    if mastering is not None and mastering.display is not None:
        parameters += f":master-display={mastering.display}"
    if mastering is not None and mastering.content_light is not None:
        parameters += ":max-cll={},{}".format(*mastering.content_light)
    options = {"crf": str(HEVC_CRF[quality]), "x265-params": parameters}
    return Encoding(encoder="libx265", options={"preset": "superfast", **options})


class SegmentEncoder:
    """Writes frames to ``path``. The file appears under this name only when it is complete, and after its digest.

    Use as a context manager. After an exception there is no file. ``time_base`` is the source's, in seconds a tick, so
    timestamps stay exact. The intermediate container is NUT because it stores any time base.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        frame_rate: Fraction,
        time_base: Fraction,
        form: PlaneFormat,
        encoding: Encoding,
    ) -> None:
        self._path, self._part = path, part_of(path)
        self._time_base = time_base
        self._form = form
        self._container: Any = av.open(str(self._part), "w", format="nut")
        stream = self._container.add_stream(encoding.encoder, rate=frame_rate, options=dict(encoding.options))
        stream.width, stream.height, stream.pix_fmt = width, height, form.pixel_format
        stream.codec_context.time_base = time_base
        stream.time_base = time_base
        context = stream.codec_context
        colour = form.colour
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        context.colorspace = colour.matrix
        context.color_range = int(ColorRange.JPEG if colour.full_range else ColorRange.MPEG)
        self._stream = stream

    def __enter__(self) -> "SegmentEncoder":
        return self

    def write(self, planes: Planes, pts: int) -> None:
        """Encode one frame. ``pts`` is in ticks of the time base and must increase strictly."""
        frame = self._form.frame_of(planes)
        frame.pts, frame.time_base = pts, self._time_base
        self._container.mux(self._stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        complete = False
        try:
            if kind is None:
                self._container.mux(self._stream.encode())
                complete = True
        finally:
            self._container.close()
            if complete:
                publish_with_digest(self._part, self._path)
            else:
                self._part.unlink(missing_ok=True)
