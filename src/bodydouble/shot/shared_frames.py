"""The driving video for a renderer and for the encoder, decoded once for both."""

from collections.abc import Generator, Iterator

from bodydouble.media import PlaneFormat, Planes, VideoReader
from bodydouble.perception.arrays import Image

KEPT_FRAMES_MAX = 12
"""Frames whose samples wait for the encoder: a renderer may read as far ahead. 50 MB at 1280 x 720."""


class SharedFrames:
    """Satisfies ``footage.Footage``. Keeps the samples of the frames that are read while a segment is rendered."""

    def __init__(self, footage: VideoReader, form: PlaneFormat) -> None:
        self._footage, self._form = footage, form
        self._kept: dict[int, tuple[Image, Planes]] = {}
        self._going: tuple[int, Generator[tuple[int, Image, Planes]]] | None = None  # next index, frames
        self._reads_far_ahead = False  # the renderer does: nothing is kept
        self.keeps = False  # while preparing nobody takes the samples

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
        if not self.keeps or self._reads_far_ahead or step != 1:
            yield from self._footage.read(start, stop, step)
            return
        for index, image, planes in self._footage.read_planes(start, stop, self._form):
            self._kept[index] = image.copy(), planes  # a copy: the renderer may draw into its own
            if len(self._kept) > KEPT_FRAMES_MAX:
                self._reads_far_ahead = True
                self._kept.clear()
                yield from self._footage.read(index, stop)
                return
            yield index, image

    def take(self, index: int) -> tuple[Image, Planes]:
        """Frame ``index`` as the renderer saw it, and its samples; decoded again only if they are not kept."""
        kept = self._kept.pop(index, None)
        if kept is not None:
            return kept
        if self._going is None or self._going[0] != index:
            if self._going is not None:
                self._going[1].close()
            self._going = index, self._footage.read_planes(index, self.frames, self._form)
        _, image, planes = next(self._going[1])
        self._going = index + 1, self._going[1]
        return image, planes
