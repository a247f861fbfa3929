"""Tests of ``bodydouble.perception.upside_down``, with the real detectors."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bodydouble.perception import locate_pack
from bodydouble.perception.arrays import Image
from bodydouble.perception.track import empty_track
from bodydouble.perception.upside_down import is_upside_down
from material import astronaut, landscape


def still(image: Image) -> Any:
    """Footage of two equal frames."""

    def read(start: int, stop: int) -> Iterator[tuple[int, Image]]:
        yield from ((n, image) for n in range(start, stop))

    return SimpleNamespace(frames=2, read=read)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (astronaut(), False),
        (np.ascontiguousarray(astronaut()[::-1, ::-1]), True),
        (next(iter(landscape(1))), False),
    ],
    ids=["upright", "upside down", "nobody"],
)
def test_people_on_their_heads_are_noticed(picture: Image, expected: bool) -> None:
    """A portrait turned by 180 degrees is upside down; the same upright, and a landscape, are not."""
    track = empty_track(2)
    track.present[:] = True
    assert is_upside_down(locate_pack(), still(picture), track) is expected


def test_without_a_person_nothing_is_said() -> None:
    """A track without a present person gives no warning and loads no network."""
    assert not is_upside_down(locate_pack(), still(astronaut()), empty_track(2))
