"""The driving video for preparing: what one pass decoded is read from a file by the next."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from bodydouble.perception.arrays import Image
from bodydouble.perception.footage import Footage

KEPT_STEP = 4
"""Of the frames that are read, those are kept that are so many apart, counted from the first one of a read."""
KEPT_BYTES_MAX = 256_000_000
"""Size of the file: 14 s of a video at 1280 x 720 and 25 frames a second, 33 s at 854 x 480."""


class KeptFrames:
    """Satisfies ``footage.Footage``. Use as a context manager: the file is nameless and gone at the end.

    A read starts with the frames that are kept, and decodes from the first one on that is not.
    """

    def __init__(self, footage: Footage, folder: Path) -> None:
        self._footage = footage
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._places: dict[int, int] = {}  # index of a frame → its place in the file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def width(self) -> int:
        return self._footage.width

    @property
    def height(self) -> int:
        return self._footage.height

    @property
    def frames(self) -> int:
        return self._footage.frames

    @property
    def frame_rate(self) -> float:
        return self._footage.frame_rate

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Image]]:
        """As ``VideoReader.read``."""
        wanted = iter(range(start, min(stop, self.frames), step))
        for index in wanted:
            if index not in self._places:
                yield from self._decoded(start, index, stop, step)
                return
            yield index, self._load(index)

    def _decoded(self, start: int, begin: int, stop: int, step: int) -> Iterator[tuple[int, Image]]:
        """The frames from ``begin`` on of the read that began at ``start``."""
        for index, image in self._footage.read(begin, stop, step):
            if (index - start) % KEPT_STEP == 0:
                self._keep(index, image)
            yield index, image

    def _keep(self, index: int, image: Image) -> None:
        place = len(self._places)
        if index in self._places or (place + 1) * image.nbytes > KEPT_BYTES_MAX:
            return
        os.pwrite(self._file.fileno(), np.ascontiguousarray(image).data, place * image.nbytes)
        self._places[index] = place

    def _load(self, index: int) -> Image:
        image = np.empty((self.height, self.width, 3), np.uint8)
        os.preadv(self._file.fileno(), [image.data], self._places[index] * image.nbytes)
        return image
