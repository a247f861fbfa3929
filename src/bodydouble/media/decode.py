"""Streaming decode of a driving video at working size."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from bodydouble.media.colour import FULL_RANGE_TAG, MATRICES
from bodydouble.media.compositing import planes_of_image
from bodydouble.media.container import decoded_frames, open_container
from bodydouble.media.deinterlace import deinterlaced
from bodydouble.media.index import build_index
from bodydouble.media.orientation import upright
from bodydouble.media.planes import SHRINK_RATIO_MIN, PlaneFormat, Planes
from bodydouble.media.video_info import VideoInfo

Image = NDArray[np.uint8]
EXACT_COLOUR = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""swscale flags: exact rounding, and chroma interpolated at full width.

By default swscale truncates, and every frame gets 1.1 to 1.75 luma levels darker (measured). These flags keep the mean
luma through decoding and encoding, for about 1 ms a frame.
"""


class VideoReader:
    """Frames of one video as RGB at a given size. Thread-safe: each read opens the file.

    The index of a frame is its position in presentation order. A frame that cannot be decoded repeats the one before.
    This does not depend on ``start`` and ``step``: a read after a seek equals a read in sequence.
    """

    def __init__(self, path: Path, info: VideoInfo, width: int, height: int) -> None:
        self._path, self._info = path, info
        self.width, self.height = width, height
        self._index = build_index(path, info.track, frames_max=max(info.frames, 1))
        self.frames = len(self._index.pts)
        self.frame_rate = float(info.frame_rate)
        self.pts: list[int] = [int(p) for p in self._index.pts]
        self._position = {p: i for i, p in enumerate(self.pts)}
        form = PlaneFormat.of(info.colour, info.coded_height)
        self._hdr, self._matrix = form.hdr, MATRICES[form.colour.matrix]

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Image]]:
        """Yield (index, frame) for ``start``, ``start + step`` … below ``stop``. Frames are (height, width, 3) RGB.

        Frames of HDR videos are shown in the view that ``media/hdr.py`` describes.
        """
        reformatter = VideoReformatter()
        for index, frame in self._frames(start, stop, step):
            yield index, self._picture(frame, reformatter) if frame else self._blank()

    def read_planes(self, start: int, stop: int, form: PlaneFormat) -> Generator[tuple[int, Image, Planes]]:
        """Yield (index, frame as ``read`` gives it, its samples in ``form``) from ``start`` to before ``stop``.

        In an SDR ``form`` the samples of an HDR video are those of its view.
        """
        reformatter, plane_reformatter = VideoReformatter(), VideoReformatter()
        for index, frame in self._frames(start, stop):
            image = self._picture(frame, reformatter) if frame else self._blank()
            stored = frame is not None and (self._hdr is None) == (form.hdr is None)
            yield (
                index,
                image,
                self._planes(frame, form, plane_reformatter) if stored else planes_of_image(image, form),
            )

    def _blank(self) -> Image:
        return np.zeros((self.height, self.width, 3), np.uint8)

    def _frames(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Any]]:
        """Yield (index, decoded frame) for each wanted frame; None if the video has no intact one from ``start`` on."""
        wanted = iter(range(start, min(stop, self.frames), step))
        index = next(wanted, None)
        if index is None:
            return
        before: Any = None  # the last decoded frame before ``index``
        decoded = self._decode(start)
        for at, frame in deinterlaced(decoded) if self._info.interlaced else decoded:
            while index is not None and at > index:  # frame is broken: use the one before, else the first
                yield index, before or frame
                index = next(wanted, None)
            if index is not None and at == index:
                yield index, frame
                index = next(wanted, None)
            if index is None:
                return
            before = frame
        while index is not None:  # the end of the video is broken
            yield index, before
            index = next(wanted, None)

    def _decode(self, start: int) -> Iterator[tuple[int, Any]]:
        """Yield (index, decoded frame) in order, from a keyframe at or before ``start``."""
        with open_container(self._path) as container:
            stream = container.streams[self._info.track]
            # Start one keyframe early: leading frames of an open group of pictures refer to the group before.
            keys = self._index.keyframes
            first = int(keys[max(0, int(np.searchsorted(keys, start, side="right")) - 2)]) if self._index.timed else 0
            if first > 0:
                container.seek(self.pts[first], stream=stream, backward=True)
            newest, intact = -1, False
            for frame in decoded_frames(container, stream):
                # Without timestamps, count frames in output order.
                at = self._position.get(frame.pts, -1) if self._index.timed else newest + 1
                if at <= newest:
                    continue
                newest = at
                # Use a damaged frame only until the first intact one.
                if frame.is_corrupt and intact:
                    continue
                intact = intact or not frame.is_corrupt
                yield at, frame

    def _planes(self, frame: Any, form: PlaneFormat, reformatter: VideoReformatter) -> Planes:
        planes = form.planes_of(frame, *self._stored_size(), reformatter)
        luma, blue, red = (np.ascontiguousarray(upright(plane, self._info.orientation)) for plane in planes)
        return Planes(luma=luma, blue=blue, red=red)

    def _stored_size(self) -> tuple[int, int]:
        """Width and height of a frame before it is turned."""
        return (self.height, self.width) if self._info.orientation.transposed else (self.width, self.height)

    def _picture(self, frame: Any, reformatter: VideoReformatter) -> Image:
        width, height = self._stored_size()
        shrinks = frame.width > width * SHRINK_RATIO_MIN or frame.height > height * SHRINK_RATIO_MIN
        matrix = MATRICES.get(int(frame.colorspace), self._matrix)
        full = frame.format.is_rgb or int(frame.color_range) == FULL_RANGE_TAG
        shown = reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="gbrp" if self._hdr is None else "rgb48le",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=EXACT_COLOUR | (Interpolation.AREA if shrinks else Interpolation.BICUBIC),
        )
        view = _merged(shown) if self._hdr is None else self._hdr.view_of(np.asarray(shown.to_ndarray(), np.uint16))
        return np.ascontiguousarray(upright(view, self._info.orientation), np.uint8)


def _merged(frame: Any) -> Image:
    """(H, W, 3) RGB of a frame in ``gbrp``. swscale has vector code for planes only: a third of the time of rgb24."""
    planes = [np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width] for plane in frame.planes]
    return np.asarray(cv2.merge([planes[k] for k in (2, 0, 1)]), np.uint8)
