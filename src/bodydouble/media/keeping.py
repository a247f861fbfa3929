"""A video that is read several times in a row: what one pass decoded, the next ones read from a file."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from bodydouble.media.decode import Image, VideoReader
from bodydouble.media.video_info import VideoInfo

KEPT_STEP = 2
"""A frame is kept if its index is a multiple of this. The passes between the first and the last read no others."""
KEPT_BYTES_MAX = 512_000_000
"""Size of the file: 15 s of a video at 1280 x 720 and 25 frames a second, 33 s at 854 x 480."""
FREE_BYTES_MIN = 2_000_000_000
"""Free space of the disk below which nothing more is kept: the database and results need it."""


class KeepingReader(VideoReader):
    """Frames of one video, as ``VideoReader``. Several threads may read, but not at the same time as ``forget``.

    The file is nameless in ``folder``, and gone with this object. A disk with little room for it costs time only.
    """

    def __init__(self, folder: Path, path: Path, info: VideoInfo, width: int, height: int) -> None:
        super().__init__(path, info, width, height)
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._places: dict[int, int] = {}  # index of a frame → its place in the file
        self._keeps = True

    def forget(self) -> None:
        """Keep no frames any more, and free the disk."""
        self._keeps = False
        self._places.clear()
        if self._file is not None:
            self._file.close()
        self._file = None

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Image]]:
        """As ``VideoReader.read``: at first the frames that are kept; from the first one on that is not, decoded."""
        for index in range(start, min(stop, self.frames), step):
            if index not in self._places:
                yield from self._decoded(index, stop, step)
                return
            yield index, self._load(index)

    def _decoded(self, start: int, stop: int, step: int) -> Iterator[tuple[int, Image]]:
        for index, image in super().read(start, stop, step):
            if self._keeps and index % KEPT_STEP == 0 and index not in self._places:
                self._keep(index, image)
            yield index, image

    def _keep(self, index: int, image: Image) -> None:
        place = len(self._places)
        if (place + 1) * image.nbytes > KEPT_BYTES_MAX:
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by forget, or with this object
                weakref.finalize(self, self._file.close)
            has_room = shutil.disk_usage(self._folder).free >= FREE_BYTES_MIN
            frame = np.ascontiguousarray(image).data
            self._keeps = has_room and os.pwrite(self._file.fileno(), frame, place * image.nbytes) == image.nbytes
        except OSError:
            self._keeps = False
        if self._keeps:
            self._places[index] = place

    def _load(self, index: int) -> Image:
        assert self._file is not None, "a frame is kept"
        image = np.empty((self.height, self.width, 3), np.uint8)
        os.preadv(self._file.fileno(), [image.data], self._places[index] * image.nbytes)
        return image
