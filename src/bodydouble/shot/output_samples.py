"""From a renderer's RGB frames to the samples that are encoded."""

from collections.abc import Generator, Iterable, Iterator

from bodydouble.media import PlaneFormat, Planes, VideoReader, composite, planes_of_image
from bodydouble.perception.arrays import Image


class OutputSamples:
    """Converts the pixels that a renderer drew. All others keep the samples of the driving video."""

    def __init__(self, form: PlaneFormat, footage: VideoReader | None) -> None:
        """``footage`` is the driving video where the frames show it; None where every pixel is drawn (mode animate)."""
        self._form, self._footage = form, footage
        self._going: tuple[int, Generator[tuple[int, Image, Planes]]] | None = None  # next frame's index, frames

    def of(self, finished: Iterable[Image], start: int) -> Iterator[tuple[Image, Planes]]:
        """Each finished frame from index ``start`` on, with its samples."""
        if self._footage is None:
            yield from ((image, planes_of_image(image, self._form)) for image in finished)
            return
        sources, done = self._sources(self._footage, start), 0
        for image, (_, shown, planes) in zip(finished, sources, strict=False):
            yield image, composite(planes, shown, image, self._form)
            done += 1
        self._going = start + done, sources

    def _sources(self, footage: VideoReader, start: int) -> Generator[tuple[int, Image, Planes]]:
        """The source's frames from ``start`` on. Segment after segment in order, the video is decoded only once."""
        going, self._going = self._going, None
        if going is not None and going[0] == start:
            return going[1]
        if going is not None:
            going[1].close()
        return footage.read_planes(start, footage.frames, self._form)
