"""Mattes read back from their windows."""

from collections.abc import Iterator
from pathlib import Path

from bodydouble.perception.arrays import Matte
from bodydouble.perception.windows import load_mattes, unpack_mattes


class StoredMattes:
    """Streams mattes window by window; satisfies ``footage.Mattes``. Safe to read from several threads."""

    def __init__(self, folder: Path, *, width: int, height: int, window_frames: int) -> None:
        self._folder, self._width, self._height, self._window_frames = folder, width, height, window_frames

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Matte]]:
        """Frames ``start``, ``start + step`` … below ``stop``; all zero where the person is absent."""
        index = start
        while index < stop:
            k = index // self._window_frames
            base, packed = k * self._window_frames, load_mattes(self._folder, k)
            inside = range(index - base, min(stop - base, len(packed.sizes)), step)
            for i, matte in zip(inside, unpack_mattes(packed, self._width, self._height, inside), strict=True):
                yield base + i, matte
            index = base + inside[-1] + step if len(inside) else base + self._window_frames
