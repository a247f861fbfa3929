"""Converts a renderer's RGB frames to the samples that are encoded."""

from collections.abc import Iterable, Iterator

from bodydouble.media import (
    SDR_COLOUR,
    PlaneFormat,
    Planes,
    Quality,
    VideoInfo,
    VideoReader,
    choose_encoding,
    composite,
    is_hdr,
    planes_of_image,
)
from bodydouble.perception.arrays import Image
from bodydouble.renderers.plugin import REPLACE
from bodydouble.renderers.shot_inputs import SDR
from bodydouble.shot.labels import VisibleLabel
from bodydouble.shot.request import ShotRequest
from bodydouble.shot.shared_frames import SharedFrames

LOSSLESS_BITS_MAX = 10
"""Bits of a sample in a lossless result; a source with more is reduced to them."""


def output_format(info: VideoInfo, request: ShotRequest) -> PlaneFormat:
    """How the result stores colour: as the driving video, with 8 bits for SDR and 10 for HDR.

    SDR has 10 bits if the result is lossless and the video has more than 8. HDR becomes BT.709 on request, and in mode
    animate, where no frame shows the video.
    """
    if is_hdr(info.colour) and (request.dynamic_range == SDR or request.mode != REPLACE):
        return PlaneFormat(bits=8, colour=SDR_COLOUR)
    deep = request.quality is Quality.LOSSLESS and info.bit_depth > 8
    return PlaneFormat.of(info.colour, info.coded_height, LOSSLESS_BITS_MAX if deep else 8)


class OutputSamples:
    """Converts the pixels that a renderer drew. All others keep the samples of the driving video."""

    def __init__(self, request: ShotRequest, info: VideoInfo, footage: VideoReader) -> None:
        """``info`` and ``footage`` are the driving video's. In mode animate no frame shows it: all pixels are drawn."""
        self.form = output_format(info, request)
        self.encoding = choose_encoding(self.form, request.quality, info.mastering)
        self.file_name = "result.mkv" if request.quality is Quality.LOSSLESS else "result.mp4"
        self.frames = SharedFrames(footage, self.form)
        self._shows_video = request.mode == REPLACE

    def of(
        self, finished: Iterable[Image], start: int, label: VisibleLabel | None = None
    ) -> Iterator[tuple[Image, Planes]]:
        """Each finished frame from index ``start`` on, with its ``label``, and its samples."""
        if label is not None:
            finished = (label.draw(image, index) for index, image in enumerate(finished, start))
        if not self._shows_video:
            yield from ((image, planes_of_image(image, self.form)) for image in finished)
            return
        self.frames.keeps = True
        for index, image in enumerate(finished, start):
            shown, planes = self.frames.take(index)
            yield image, composite(planes, shown, image, self.form)
