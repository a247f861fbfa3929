"""The preview of a running shot: its rendered part as a small video that grows, and the newest frame as a picture."""

import logging
import math
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from bodydouble.media.browser_video import BrowserVideoWriter, join_browser_videos
from bodydouble.media.mux import RESULT_COMMENT
from bodydouble.media.size import working_size
from bodydouble.media.video_info import VideoInfo
from bodydouble.perception.arrays import Image
from bodydouble.tasks.atomic_files import atomic_write

PREVIEW_PICTURE, PREVIEW_VIDEO = "preview.jpg", "preview.mp4"
"""Files in the workspace, from the first rendered second on. Replaced atomically, so they are always complete."""
PREVIEW_PARTS = "preview"
"""Folder of the parts of ``preview.mp4``; each is named after its first frame."""
PART_SECONDS = 1
"""Length of a part; the preview grows by it."""
RATE_MAX = 10
"""Frames a second of the preview: of a faster video every other frame is shown, every third, and so on."""
SHORT_SIDE_MAX = 270
"""Pixels of the preview. It is looked at while people wait: with 360 pixels and 12 frames a second it took 1.5 % of a
shot's time."""
SIDE_MAX = 480
"""Pixels of the picture's longer side."""
JPEG_QUALITY = 80

_log = logging.getLogger(__name__)


def write_small_picture(path: Path, image: Image) -> None:
    """Write ``image`` (H, W, 3) RGB as a JPEG whose longer side is at most ``SIDE_MAX`` pixels."""
    zoom = min(1.0, SIDE_MAX / max(image.shape[:2]))
    size = max(1, round(image.shape[1] * zoom)), max(1, round(image.shape[0] * zoom))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    atomic_write(path, np.asarray(data).tobytes())


class PreviewWriter:
    """Adds the frames of one segment to the preview. A failure ends the preview, never the shot: it is logged.

    Use as a context manager around the segment. A segment that is rendered again replaces its own parts.
    """

    def __init__(self, workspace: Path, size: tuple[int, int], info: VideoInfo, pts: Sequence[int]) -> None:
        """``size``: width and height of the frames in pixels. ``pts``: time of each frame, in ticks of ``info``."""
        self._workspace, self._parts = workspace, workspace / PREVIEW_PARTS
        self._size = working_size(*size, SHORT_SIDE_MAX)
        self._info, self._pts = info, pts
        self._part: BrowserVideoWriter | None = None
        self._part_start = 0  # index of the part's first frame
        self._replaces = False  # the part is made again, after a crash
        self._step = max(1, math.ceil(info.frame_rate / RATE_MAX))  # frames from one that is shown to the next
        self._newest: Image | None = None
        self._failed = False

    def __enter__(self) -> "PreviewWriter":
        return self

    def add(self, index: int, image: Image) -> None:
        """Add the frame ``index`` of the shot. Frames come in order."""
        if self._failed:
            return
        try:
            if self._part is not None and self._seconds(index) - self._seconds(self._part_start) >= PART_SECONDS:
                self._publish()
            if self._part is None:
                self._begin(index)
            if (index - self._part_start) % self._step == 0:
                self._write(image, index)
            self._newest = image
        except Exception:
            self._fail()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._failed:
            return
        try:
            if kind is None:
                self._publish()
            else:
                self._drop_part()
        except Exception:
            self._fail()

    def _seconds(self, index: int) -> Fraction:
        return self._pts[index] * self._info.time_base

    def _begin(self, index: int) -> None:
        self._parts.mkdir(exist_ok=True)
        self._part_start = index
        path = self._parts / f"{index:07d}.mp4"
        self._replaces = path.exists()
        self._part = BrowserVideoWriter(path, *self._size, self._info.frame_rate / self._step)

    def _write(self, image: Image, index: int) -> None:
        assert self._part is not None, "a part was begun"
        small = cv2.resize(image, self._size, interpolation=cv2.INTER_LINEAR)  # a third of the time of INTER_AREA
        self._part.write(np.asarray(small, np.uint8), self._seconds(index) - self._seconds(self._part_start))

    def _publish(self) -> None:
        """Complete the part, and let the preview show it."""
        if self._part is None or self._newest is None:
            return
        part, self._part = self._part, None
        part.close()
        write_small_picture(self._workspace / PREVIEW_PICTURE, self._newest)
        parts = sorted(self._parts.glob("*.mp4"))
        timed = [(path, self._seconds(int(path.stem))) for path in parts]
        video = self._workspace / PREVIEW_VIDEO
        if not self._replaces and len(timed) > 1 and int(parts[-1].stem) == self._part_start and video.exists():
            # It holds all parts before: opening each of them every second would take longer the longer the video is.
            timed = [(video, timed[0][1]), timed[-1]]
        join_browser_videos(timed, video, RESULT_COMMENT)

    def _drop_part(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            part.abandon()

    def _fail(self) -> None:
        self._failed = True
        _log.warning("The preview does not show the rest of this segment", exc_info=True)
        with suppress(Exception):
            self._drop_part()
