"""Frames that a pass over the video leaves for the next one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bodydouble.perception.arrays import Image
from bodydouble.renderers.puppet import kept_frames
from bodydouble.renderers.puppet.kept_frames import KeptFrames
from synthetic_scene import ListFootage


class CountedFootage(ListFootage):
    """Notes which frames were decoded."""

    def __init__(self, images: list[Image]) -> None:
        super().__init__(images)
        self.decoded: list[int] = []

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Image]]:
        for index, image in super().read(start, stop, step):
            self.decoded.append(index)
            yield index, image


@pytest.fixture
def footage() -> CountedFootage:
    """Twenty frames of noise."""
    return CountedFootage(list(np.random.default_rng(0).integers(0, 256, (20, 6, 8, 3), np.uint8)))


def indices_and_equal(frames: KeptFrames, footage: ListFootage, start: int, stop: int, step: int) -> list[int]:
    """The indices that a read yields, after its images were compared with the footage's."""
    read = list(frames.read(start, stop, step))
    for index, image in read:
        assert np.array_equal(image, next(ListFootage.read(footage, index, index + 1))[1])
    return [index for index, _ in read]


def test_what_one_pass_read_the_next_one_does_not_decode(tmp_path: Path, footage: CountedFootage) -> None:
    """Every fourth frame of the first pass comes from the file, with the same pixels, and leaves no file behind."""
    with KeptFrames(footage, tmp_path) as frames:
        assert indices_and_equal(frames, footage, 2, 20, 2) == list(range(2, 20, 2))
        footage.decoded.clear()
        assert indices_and_equal(frames, footage, 2, 20, 8) == [2, 10, 18]
        assert footage.decoded == []
    assert list(tmp_path.iterdir()) == []


def test_a_read_decodes_from_the_first_frame_on_that_is_not_kept(
    tmp_path: Path, footage: CountedFootage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has a largest size; frames beyond it are the footage's own."""
    monkeypatch.setattr(kept_frames, "KEPT_BYTES_MAX", 3 * 6 * 8 * 3)
    with KeptFrames(footage, tmp_path) as frames:
        indices_and_equal(frames, footage, 0, 20, 2)
        footage.decoded.clear()
        assert indices_and_equal(frames, footage, 0, 20, 4) == [0, 4, 8, 12, 16]
        assert footage.decoded == [12, 16]
