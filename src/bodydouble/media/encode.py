"""Streaming encode of one segment: a closed H.264 stream whose bytes depend on its frames alone."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from bodydouble.media.colour import matrix_for, tag_for
from bodydouble.media.video_info import ColourTags
from bodydouble.tasks.atomic_files import part_of, publish

# How chroma is halved: averaged, all of it, rounded rightly. 0.2 dB better than the default and no slower.
INTERPOLATION = Interpolation.AREA | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How frames become H.264.

    CRF 17 with ``superfast`` keeps an untouched background at about 40 dB, where 4:2:0 alone allows 43; ``veryfast``
    reaches the same at CRF 15 with 15 % fewer bytes in one and a half times the time. The number of threads is part
    of the bytes: it never follows the machine.
    """

    crf: int = 17
    preset: str = "superfast"
    threads: int = 2


class SegmentEncoder:
    """Writes RGB frames into ``path``: under a temporary name until it is closed whole.

    Use as a context manager; leaving it by an exception leaves no file. ``time_base`` is the source's, so that every
    timestamp is exact; NUT is the intermediate container because it keeps any time base.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        frame_rate: Fraction,
        time_base: Fraction,
        colour: ColourTags,
        encoding: Encoding = Encoding(),
    ) -> None:
        self._path, self._part = path, part_of(path)
        self._time_base = time_base
        self._matrix = matrix_for(colour.matrix, height)
        self._range = ColorRange.JPEG if colour.full_range else ColorRange.MPEG
        self._reformatter = VideoReformatter()
        self._container: Any = av.open(str(self._part), "w", format="nut")
        options = {
            "crf": str(encoding.crf),
            "preset": encoding.preset,
            "threads": str(encoding.threads),
            # The frame rate only steers rate control; constant quality must not depend on timestamps' gaps.
            "x264-params": "open-gop=0:force-cfr=1",
        }
        stream = self._container.add_stream("libx264", rate=frame_rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = time_base
        stream.time_base = time_base
        context = stream.codec_context
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        context.colorspace = tag_for(colour.matrix, height)
        context.color_range = int(self._range)
        self._stream = stream

    def __enter__(self) -> "SegmentEncoder":
        return self

    def write(self, image: NDArray[np.uint8], pts: int) -> None:
        """One (height, width, 3) RGB frame; ``pts`` in units of the time base, strictly growing."""
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(image, format="rgb24"),
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_colorspace=self._matrix,
            dst_color_range=self._range,
            interpolation=INTERPOLATION,
            threads=1,
        )
        frame.pts, frame.time_base = pts, self._time_base
        self._container.mux(self._stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        whole = False
        try:
            if kind is None:
                self._container.mux(self._stream.encode())
                whole = True
        finally:
            self._container.close()
            if whole:
                publish(self._part, self._path)
            else:
                self._part.unlink(missing_ok=True)
