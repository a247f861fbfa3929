"""Background that sampled frames show."""

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.gathering import Sample, median, nearest
from bodydouble.renderers.puppet.compositing.registration import CameraPath
from synthetic_scene import scenery


def _samples(wrong: tuple[int, ...]) -> tuple[np.ndarray, list[Sample]]:
    """The scene, and five samples of it: the person covers a square in the first; the ``wrong`` ones show them there.

    Their masks miss the person.
    """
    scene, samples = scenery(160, 120), []
    for index in range(5):
        image, taken = scene.copy(), np.zeros((120, 160), np.uint8)
        if index == 0:
            taken[40:80, 60:100] = 255
        if index == 0 or index in wrong:
            image[40:80, 60:100] = (230, 20, 160)
        samples.append(Sample.of(4 * index, image, taken))
    return scene, samples


def test_a_sample_that_shows_something_else_than_most_is_left_out() -> None:
    """The nearest sample shows a part of the person that its mask missed: what three others show is taken."""
    path = CameraPath(start=0, to_first=np.tile(np.eye(3), (20, 1, 1)), still=False, share_followed=1.0)
    scene, samples = _samples(wrong=(1,))
    image, known = nearest(path, 0, samples)
    assert known.all()
    assert np.abs(image[45:75, 65:95].astype(int) - scene[45:75, 65:95]).max() < 20


def test_a_lock_of_hair_that_one_sample_shows_is_left_out() -> None:
    """A dark strand, narrower than four of the pixels in which samples are compared, is seen before a bright wall."""
    path = CameraPath(start=0, to_first=np.tile(np.eye(3), (20, 1, 1)), still=False, share_followed=1.0)
    wall, samples = np.full((120, 160, 3), 150, np.uint8), []
    for index in range(5):
        image, taken = wall.copy(), np.zeros((120, 160), np.uint8)
        if index == 0:
            taken[40:80, 60:100] = 255
        if index == 1:
            cv2.line(image, (85, 75), (120, 50), (20, 20, 20), 3)
        samples.append(Sample.of(4 * index, image, taken))
    image, known = nearest(path, 0, samples)
    assert known.all()
    assert np.abs(image.astype(int) - wall).max() < 20


def test_two_samples_that_differ_are_taken_as_they_are() -> None:
    """Where too few samples show a place, none is outvoted, and nothing becomes unknown."""
    path = CameraPath(start=0, to_first=np.tile(np.eye(3), (20, 1, 1)), still=False, share_followed=1.0)
    _, samples = _samples(wrong=(1,))
    _, known = nearest(path, 0, samples[:3])
    assert known.all()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 12, 44])
def test_the_median_is_that_of_the_free_samples(count: int) -> None:
    """The fast sorting of whole samples gives what NumPy's median gives for each pixel."""
    rng = np.random.default_rng(count)
    images = rng.integers(0, 256, (count, 24, 32, 3)).astype(np.uint8)
    taken = rng.random((count, 24, 32)) > 0.6
    samples = [
        Sample.of(k, image, hidden.astype(np.uint8) * np.uint8(255))
        for k, (image, hidden) in enumerate(zip(images, taken, strict=True))
    ]
    image, known = median(samples)
    assert np.array_equal(known, ~taken.all(0))
    free = np.ma.median(np.ma.array(images, mask=np.repeat(taken[..., None], 3, axis=3)), axis=0)
    assert np.array_equal(image[known], np.floor(free.data[known] + 0.5))
