"""Sample frames."""

import numpy as np

from bodydouble.renderers.puppet.compositing.samples import SAMPLES, sample_frames
from synthetic_scene import walking_scene


def test_samples_are_spread_over_the_frames_with_the_person() -> None:
    """They are evenly spread from the first present frame to the last, none is without the person, each is whole."""
    footage, mattes, track, _ = walking_scene(100, (96, 72), absent=(0, 1, 20, 21, 22))
    samples = sample_frames(footage, mattes, track)
    assert SAMPLES / 2 < len(samples) <= SAMPLES
    assert samples[0].index == 2
    assert samples[-1].index > 94
    assert all(track.present[sample.index] for sample in samples)
    assert np.array_equal(samples[3].image, next(footage.read(samples[3].index, 40))[1])


def test_nobody_gives_no_samples() -> None:
    """A track without anybody has nothing to sample at."""
    footage, mattes, track, _ = walking_scene(3, (96, 72), absent=(0, 1, 2))
    assert sample_frames(footage, mattes, track) == []


def test_samples_are_even_frames_that_the_reader_kept() -> None:
    """In a video with frames enough each has an even index, so that none is decoded again."""
    footage, mattes, track, _ = walking_scene(120, (96, 72), absent=(0, 1, 2))
    samples = sample_frames(footage, mattes, track)
    assert SAMPLES / 2 < len(samples) <= SAMPLES
    assert [sample.index % 2 for sample in samples] == [0] * len(samples)
