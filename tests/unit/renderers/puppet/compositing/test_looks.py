"""Sample frames."""

import numpy as np

from bodydouble.renderers.puppet.compositing.looks import LOOKS, take_looks
from staged import stage


def test_looks_are_spread_over_the_frames_with_the_person() -> None:
    """They are evenly spread from the first present frame to the last, none is without the person, each is whole."""
    footage, mattes, track, _ = stage(100, (96, 72), absent=(0, 1, 20, 21, 22))
    looks = take_looks(footage, mattes, track)
    assert LOOKS / 2 < len(looks) <= LOOKS
    assert looks[0].index == 2
    assert looks[-1].index > 94
    assert all(track.present[look.index] for look in looks)
    assert np.array_equal(looks[3].image, next(footage.read(looks[3].index, 40))[1])


def test_nobody_gives_no_looks() -> None:
    """A track without anybody has nothing to look at."""
    footage, mattes, track, _ = stage(3, (96, 72), absent=(0, 1, 2))
    assert take_looks(footage, mattes, track) == []
