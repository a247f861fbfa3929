"""Frames as the samples that a video stores: three planes, luma and two of chroma at half size (4:2:0)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from bodydouble.media.colour import BT2020_TAG, FULL_RANGE_TAG, MATRICES, sample_matrix, tag_for
from bodydouble.media.hdr import HdrSignal, is_hdr
from bodydouble.media.video_info import ColourTags

Plane = NDArray[np.uint8 | np.uint16]
PIXEL_FORMATS = {8: "yuv420p", 10: "yuv420p10le"}
"""Bits of a sample → libav's name of the 4:2:0 format."""
SAME_SAMPLES = {8: frozenset({"yuv420p", "yuvj420p"}), 10: frozenset({"yuv420p10le"})}
"""Bits of a sample → formats with the same arrangement of samples."""
SHRINK_RATIO_MIN = 1.05
"""Source side over target side above which area averaging replaces bicubic scaling."""


@dataclass(frozen=True, kw_only=True)
class Planes:
    """One frame, also an iterable of its three planes. uint8, or uint16 with more than 8 bits. Both sides are even."""

    luma: Plane  # (H, W)
    blue: Plane  # (H/2, W/2) Cb
    red: Plane  # (H/2, W/2) Cr

    def __iter__(self) -> Iterator[Plane]:
        return iter((self.luma, self.blue, self.red))


SDR_COLOUR = ColourTags(primaries=1, transfer=1, matrix=1)
"""BT.709, limited range: the result of an HDR source that is converted to SDR."""


@dataclass(frozen=True, kw_only=True)
class PlaneFormat:
    """How the samples of a video are to be read: bits of a sample, matrix and range, and the tags that say so."""

    bits: int  # 8 or 10
    colour: ColourTags  # the matrix is one of colour.RED_BLUE_WEIGHTS

    @classmethod
    def of(cls, colour: ColourTags, lines: int, bits: int = 8) -> "PlaneFormat":
        """The format of a source tagged ``colour`` with ``lines`` rows; a missing matrix gets the players' default.

        HDR always has 10 bits.
        """
        matrix = tag_for(colour.matrix, lines)
        if is_hdr(colour):
            matrix, bits = (BT2020_TAG if colour.matrix not in MATRICES else matrix), 10
        return cls(
            bits=bits,
            colour=ColourTags(
                primaries=colour.primaries, transfer=colour.transfer, matrix=matrix, full_range=colour.full_range
            ),
        )

    @cached_property
    def hdr(self) -> HdrSignal | None:
        """The conversion from the view that renderers see; None if the video is not HDR."""
        return HdrSignal(self.colour.transfer, self.colour.primaries) if is_hdr(self.colour) else None

    @property
    def pixel_format(self) -> str:
        """libav's name."""
        return PIXEL_FORMATS[self.bits]

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        """Type of a sample."""
        return np.uint8 if self.bits == 8 else np.uint16

    @cached_property
    def matrix(self) -> NDArray[np.float32]:
        """(3, 4) affine map from RGB (0-1) to samples."""
        return sample_matrix(self.colour.matrix, full_range=self.colour.full_range, bits=self.bits)

    def planes_of(self, frame: Any, width: int, height: int, reformatter: VideoReformatter) -> Planes:
        """The samples of a decoded frame, before its orientation is applied. Unchanged if size and format match.

        Otherwise they are scaled or converted without a detour over RGB.
        """
        full = frame.format.is_rgb or int(frame.color_range) == FULL_RANGE_TAG
        own = MATRICES[self.colour.matrix]
        matrix = MATRICES.get(int(frame.colorspace), own)
        same = (frame.width, frame.height) == (width, height) and frame.format.name in SAME_SAMPLES[self.bits]
        if not (same and matrix == own and full == self.colour.full_range):
            shrinks = frame.width > width * SHRINK_RATIO_MIN or frame.height > height * SHRINK_RATIO_MIN
            frame = reformatter.reformat(
                frame,
                width=width,
                height=height,
                format=self.pixel_format,
                src_colorspace=matrix,
                dst_colorspace=own,
                src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG if self.colour.full_range else ColorRange.MPEG,
                interpolation=Interpolation.ACCURATE_RND
                | Interpolation.FULL_CHR_H_INP
                | (Interpolation.AREA if shrinks else Interpolation.BICUBIC),
            )
        luma, blue, red = (self._plane(frame, k) for k in range(3))
        return Planes(luma=luma, blue=blue, red=red)

    def _plane(self, frame: Any, k: int) -> Plane:
        plane = frame.planes[k]
        rows = np.frombuffer(plane, self.dtype).reshape(plane.height, -1)
        return rows[:, : plane.width].copy()  # the buffer is the decoder's

    def frame_of(self, planes: Planes) -> av.VideoFrame:
        """A frame for an encoder."""
        height, width = planes.luma.shape
        frame = av.VideoFrame(width, height, self.pixel_format)
        for k, plane in enumerate(planes):
            target: Any = frame.planes[k]
            rows = np.frombuffer(target, self.dtype).reshape(target.height, -1)
            rows[:, : target.width] = plane
        return frame
