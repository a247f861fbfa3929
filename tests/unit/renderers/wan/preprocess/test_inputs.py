"""The model's inputs for each frame."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

import mannequin
from bodydouble.renderers.wan.preprocess import Preprocessor, PreprocessSettings

SIZE = 500
FRAMES = 6
UNSCALED = PreprocessSettings(area_min=1)


@dataclass
class Walker:
    """Footage, or mattes, of a person who walks right and leaves before the last frame. Records the frames read."""

    width: int = SIZE
    height: int = SIZE
    frames: int = FRAMES
    frame_rate: float = 24.0
    mattes: bool = False
    read_frames: list[int] = field(default_factory=list)

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        for i in range(start, stop, step):
            self.read_frames.append(i)
            image, mask = mannequin.picture(pose(i), (SIZE, SIZE))
            matte = np.asarray(mask * 255 * (i < FRAMES - 1), np.uint8)
            yield i, matte if self.mattes else image


def pose(i: int) -> np.ndarray:
    return mannequin.joints(centre=240.0 + 4 * i)


@pytest.fixture
def preprocessor() -> Preprocessor:
    """A preprocessor of six frames."""
    track = mannequin.track_of([pose(i) for i in range(FRAMES)])
    track.present[-1] = False
    return Preprocessor(Walker(), Walker(mattes=True), track, UNSCALED)


def test_all_inputs_of_a_frame_fit_together(preprocessor):
    """The skeleton lies inside the mask, the background is black there, and all inputs have the canvas's size."""
    (shown,) = preprocessor.read(0, 1)

    assert shown.pose.shape == shown.background.shape == (512, 512, 3)
    assert shown.mask.shape == (512, 512)
    assert shown.face.shape == (512, 512, 3)
    assert shown.pose.any()
    assert shown.mask[shown.pose.any(-1)].all()
    assert not shown.background[shown.mask > 0].any()
    assert (shown.background[shown.mask == 0] == mannequin.BACKGROUND).all()


def test_a_frame_with_nobody_is_the_frame(preprocessor):
    """Without a person, skeleton, face and mask are empty, and the background is the whole frame."""
    (shown,) = preprocessor.read(FRAMES - 1, FRAMES)

    assert not shown.pose.any()
    assert not shown.face.any()
    assert not shown.mask.any()
    assert np.array_equal(preprocessor.canvas.restore(shown.background), mannequin.picture(pose(FRAMES - 1))[0])


def test_a_segment_is_the_same_wherever_reading_starts(preprocessor):
    """Frames 2 to 4 read alone equal frames 2 to 4 of the whole video."""
    whole, part = list(preprocessor.read(0, FRAMES)), list(preprocessor.read(2, 5))

    for a, b in zip(whole[2:5], part, strict=True):
        for name in ("pose", "face", "mask", "background"):
            assert np.array_equal(getattr(a, name), getattr(b, name))


def test_only_requested_frames_are_read():
    """Consuming one frame reads one frame, so memory does not grow with the segment."""
    footage = Walker()
    track = mannequin.track_of([pose(i) for i in range(FRAMES)])
    preprocessor = Preprocessor(footage, Walker(mattes=True), track, UNSCALED)

    next(preprocessor.read(3, 6))

    assert footage.read_frames == [3]


@pytest.mark.parametrize("area", [250_000, 62_500])
def test_the_masks_margin_is_in_pixels_of_the_canvas(area):
    """The margin is nine canvas pixels, also if the video is scaled down for the model."""
    settings = PreprocessSettings(area_min=1, area_max=area)
    preprocessor = Preprocessor(Walker(), Walker(mattes=True), mannequin.track_of([pose(0)]), settings)
    (shown,) = preprocessor.read(0, 1)
    _, matte = next(Walker(mattes=True).read(0, 1))
    person = np.nonzero(preprocessor.canvas.place_mask(matte).max(0) >= 128)[0]
    columns = np.nonzero(shown.mask.max(0))[0]
    assert (person[0] - columns[0], columns[-1] - person[-1]) == (9, 9)
