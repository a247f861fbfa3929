"""A video that is read several times in a row: what one pass decoded, the next ones read from files."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from bodydouble.media.decode import Image, VideoReader
from bodydouble.media.planes import Plane, PlaneFormat, Planes
from bodydouble.media.video_info import VideoInfo

KEPT_STEP = 2
"""The passes between the first and the last read no other frames than the multiples of this."""
PICTURES_BYTES_MAX = 512_000_000
"""Size of the file of these frames: 15 s of a video at 1280 x 720 and 25 frames a second, 33 s at 854 x 480."""
SAMPLES_BYTES_MAX = 512_000_000
"""Size of the file of what else the last pass reads, samples and other frames: 7 s at 1280 x 720, 16 s at 854 x 480."""
FREE_BYTES_MIN = 2_000_000_000
"""Free space of the disk below which nothing more is kept: the database and results need it."""


class _KeptFile:
    """Arrays of frames in a nameless file, which is gone with this object."""

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self._folder, self._bytes_max = folder, bytes_max
        self._places: dict[int, int] = {}  # index of a frame → where its arrays start
        self._end = 0
        self._file: IO[bytes] | None = None
        self._keeps = True

    def __contains__(self, index: int) -> bool:
        return index in self._places

    def forget(self) -> None:
        """Keep nothing any more, and free the disk."""
        self._keeps = False
        self._places.clear()
        if self._file is not None:
            self._file.close()
        self._file = None

    def add(self, index: int, *arrays: Plane) -> None:
        """Keep the ``arrays`` of a frame, as long as there is room for them."""
        size = sum(array.nbytes for array in arrays)
        if not self._keeps or index in self._places or self._end + size > self._bytes_max:
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by forget, or with this object
                weakref.finalize(self, self._file.close)
            has_room = shutil.disk_usage(self._folder).free >= FREE_BYTES_MIN
            parts = [np.ascontiguousarray(array).data for array in arrays]
            self._keeps = has_room and os.pwritev(self._file.fileno(), parts, self._end) == size
        except OSError:
            self._keeps = False
        if self._keeps:
            self._places[index], self._end = self._end, self._end + size

    def load(self, index: int, *arrays: Plane) -> None:
        """Fill ``arrays`` with those of a frame that is kept; their shapes and types are the same."""
        assert self._file is not None, "a frame is kept"
        os.preadv(self._file.fileno(), [array.data for array in arrays], self._places[index])


class KeepingReader(VideoReader):
    """Frames of one video, as ``VideoReader``. Several threads may read, but not at the same time as ``forget``.

    The files are in ``folder``. A disk with little room for them costs time only.
    """

    def __init__(
        self, folder: Path, path: Path, info: VideoInfo, width: int, height: int, samples: PlaneFormat | None = None
    ) -> None:
        """``samples`` is the form in which ``read_planes`` will be asked for them; None if it will not."""
        super().__init__(path, info, width, height)
        self._form = samples
        self._pictures = _KeptFile(folder, PICTURES_BYTES_MAX)
        self._samples = _KeptFile(folder, SAMPLES_BYTES_MAX)  # of every frame, and the pictures of all others

    def forget(self) -> None:
        """Keep no frames any more, and free the disk."""
        self._pictures.forget()
        self._samples.forget()

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Image]]:
        """As ``VideoReader.read``: at first the frames that are kept; from the first one on that is not, decoded."""
        for index in range(start, min(stop, self.frames), step):
            if index not in self._pictures:
                yield from self._decoded(index, stop, step)
                return
            yield index, self._picture_of(index)

    def read_planes(self, start: int, stop: int, form: PlaneFormat) -> Generator[tuple[int, Image, Planes]]:
        """As ``VideoReader.read_planes``: at first the frames that are kept, then decoded ones."""
        for index in range(start, min(stop, self.frames)):
            whole = index in self._samples and (index % KEPT_STEP != 0 or index in self._pictures)
            if form != self._form or not whole:
                yield from super().read_planes(index, stop, form)
                return
            height, width = self.height, self.width
            luma = np.empty((height, width), form.dtype)
            blue, red = (np.empty((height // 2, width // 2), form.dtype) for _ in range(2))
            if index % KEPT_STEP == 0:
                image = self._picture_of(index)
                self._samples.load(index, luma, blue, red)
            else:
                image = np.empty((height, width, 3), np.uint8)
                self._samples.load(index, luma, blue, red, image)
            yield index, image, Planes(luma=luma, blue=blue, red=red)

    def _decoded(self, start: int, stop: int, step: int) -> Iterator[tuple[int, Image]]:
        if self._form is None or step != 1:
            for index, image in super().read(start, stop, step):
                self._keep_picture(index, image)
                yield index, image
            return
        for index, image, planes in super().read_planes(start, stop, self._form):
            self._keep_picture(index, image)
            self._samples.add(index, *planes, *(() if index % KEPT_STEP == 0 else (image,)))
            yield index, image

    def _keep_picture(self, index: int, image: Image) -> None:
        if index % KEPT_STEP == 0:
            self._pictures.add(index, image)

    def _picture_of(self, index: int) -> Image:
        image = np.empty((self.height, self.width, 3), np.uint8)
        self._pictures.load(index, image)
        return image
