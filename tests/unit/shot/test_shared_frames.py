"""Frames that the renderer and the encoder share."""

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import pytest

from bodydouble.perception.arrays import Image
from bodydouble.shot.shared_frames import KEPT_FRAMES_MAX, SharedFrames


class CountingFootage:
    """Frames of one shade each, and how often each was decoded; stands for ``VideoReader``."""

    width, height, frames, frame_rate = 8, 6, 60, 25.0

    def __init__(self) -> None:
        self.decoded: list[int] = []

    def _image(self, index: int) -> Image:
        self.decoded.append(index)
        return np.full((self.height, self.width, 3), index, np.uint8)

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Image]]:
        for index in range(start, min(stop, self.frames), step):
            yield index, self._image(index)

    def read_planes(self, start: int, stop: int, form: object) -> Generator[tuple[int, Image, str]]:
        for index, image in self.read(start, stop):
            yield index, image, f"samples {index}"


@pytest.fixture
def footage() -> CountingFootage:
    return CountingFootage()


def shared(footage: CountingFootage) -> SharedFrames:
    nothing: Any = None
    source: Any = footage
    frames = SharedFrames(source, nothing)
    frames.keeps = True
    return frames


def test_frames_that_are_read_in_order_are_decoded_once(footage: CountingFootage) -> None:
    """The encoder gets the samples that came with the renderer's frame, unharmed by what is drawn into that."""
    frames = shared(footage)

    for index, image in frames.read(3, 40):
        image[:] = 255
        shown, samples = frames.take(index)
        assert (samples, int(shown.max())) == (f"samples {index}", index)

    assert footage.decoded == list(range(3, 40))


@pytest.mark.parametrize("ahead", [KEPT_FRAMES_MAX - 2, KEPT_FRAMES_MAX + 5])
def test_frames_read_far_ahead_are_decoded_again(footage: CountingFootage, ahead: int) -> None:
    """A renderer may read any number of frames before it finishes the first: both get the right ones."""
    frames = shared(footage)
    reading = frames.read(0, 30)
    seen = [next(reading) for _ in range(ahead)]

    for index in range(30):
        assert frames.take(index)[1] == f"samples {index}"
        seen += [following for following in [next(reading, None)] if following is not None]

    assert [index for index, _ in seen] == list(range(30))
    assert all((image == index).all() for index, image in seen)


def test_nothing_is_kept_while_preparing(footage: CountingFootage) -> None:
    """Frames read before the first segment is rendered are not converted to samples."""
    frames = shared(footage)
    frames.keeps = False

    assert [index for index, _ in frames.read(0, 50, 7)] == list(range(0, 50, 7))
    assert frames.take(7)[1] == "samples 7"
