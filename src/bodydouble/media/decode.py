"""Streaming decode of a driving video at working size."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from bodydouble.media.index import build_index, open_container
from bodydouble.media.video_info import VideoInfo

Image = NDArray[np.uint8]
TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
DECODE_THREADS = 2


class VideoReader:
    """Frames of one video as RGB at a given size; safe to read from several threads, each read opens the file.

    The index of a frame is its place in presentation order. A frame that cannot be decoded repeats the one before.
    """

    def __init__(self, path: Path, info: VideoInfo, width: int, height: int) -> None:
        self._path, self._info = path, info
        self.width, self.height = width, height
        self._index = build_index(path, frames_max=max(info.frames, 1))
        self.frames = len(self._index.pts)
        self.frame_rate = float(info.frame_rate)
        self.pts: list[int] = [int(p) for p in self._index.pts]
        self._position = {p: i for i, p in enumerate(self.pts)}

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Image]]:
        """Frames ``start``, ``start + step`` … below ``stop`` with their index, in order, one at a time."""
        stop = min(stop, self.frames)
        wanted = iter(range(start, stop, step))
        index = next(wanted, None)
        last: Image | None = None
        reformatter = VideoReformatter()
        for at, frame in self._decode(start):
            if index is None:
                return
            if at < index:
                if last is None and at == index - 1:
                    last = self._picture(frame, reformatter)  # needed only if the wanted one is broken
                continue
            image = self._picture(frame, reformatter)
            while index is not None and index < at:
                yield index, (last if last is not None else image)
                index = next(wanted, None)
            if index is not None and index == at:
                yield index, image
                index = next(wanted, None)
            last = image
        while index is not None:  # the end is broken
            if last is None:
                last = np.zeros((self.height, self.width, 3), np.uint8)
            yield index, last
            index = next(wanted, None)

    def _decode(self, start: int) -> Iterator[tuple[int, Any]]:
        """Decoded frames with their indices, from a keyframe at or before ``start``."""
        with open_container(self._path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = DECODE_THREADS
            # One keyframe further back than needed: leading frames of an open group refer to the group before.
            keys = self._index.keyframes
            k = max(0, int(np.searchsorted(keys, start, side="right")) - 2)
            if keys[k] > 0:
                container.seek(self.pts[int(keys[k])], stream=stream, backward=True)
            counted = -1
            for frame in container.decode(stream):
                at = self._position.get(frame.pts) if frame.pts is not None else None
                if at is None:
                    if frame.pts is not None and keys[k] > 0:
                        continue
                    at = counted + 1
                if at <= counted:
                    continue
                counted = at
                yield at, frame

    def _picture(self, frame: Any, reformatter: VideoReformatter) -> Image:
        turned = self._info.rotation in (90, 270)
        width, height = (self.height, self.width) if turned else (self.width, self.height)
        shrinks = frame.width > width * 1.05 or frame.height > height * 1.05
        tagged = int(frame.colorspace) not in (0, 2)
        image = reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=None if tagged else default_matrix(frame.height),
            dst_colorspace=None,
            src_color_range=ColorRange(int(frame.color_range)) if int(frame.color_range) == 2 else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.AREA if shrinks else Interpolation.BICUBIC,
        ).to_ndarray()
        if self._info.rotation:
            image = cv2.rotate(image, TURNS[self._info.rotation])
        return np.ascontiguousarray(image, np.uint8)


def default_matrix(height: int) -> Colorspace:
    """What players assume of an untagged video: BT.709 from 720 lines up, BT.601 below."""
    return Colorspace.ITU709 if height >= 720 else Colorspace.ITU601
