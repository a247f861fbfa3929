"""Long hair from behind."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.picture.hair_behind import hanging_behind

Array = NDArray[np.float32]
HAIR, SHIRT = np.array([90.0, 40.0, 110.0]), np.array([220.0, 220.0, 230.0])
SHOULDERS = np.array([[140.0, 110.0], [60.0, 110.0]])
SCALE = 20.0


def _person(ends: int) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Colours, opacity, skull, hair beside the body down to the row ``ends``, and body, (220, 200) each."""
    rows, columns = np.mgrid[0:220, 0:200]
    skull = ((rows - 55) / 40.0) ** 2 + ((columns - 100) / 30.0) ** 2 < 1
    body = (rows > 100) & (np.abs(columns - 100) < 42)
    beside = (rows > 50) & (rows < ends) & (columns > 30) & (columns < 58)
    hair = skull | beside
    colour = np.where(hair[..., None], HAIR, SHIRT).astype(np.float32)
    return colour, (skull | body | beside).astype(np.float32), skull, hair, body


def test_hair_beside_the_body_hangs_down_the_back():
    """What hangs beside an arm in the picture is gone there and covers the middle of the back to where it ends."""
    colour, opacity, skull, hair, body = _person(180)
    behind, seen = hanging_behind(colour, opacity, skull, hair, body, SHOULDERS, SCALE)
    assert seen[120:170, 34:52].max() < 0.1
    assert np.abs(behind[100:165, 95:105] - HAIR).max() < 25
    assert np.abs(behind[200:, 95:105] - SHIRT).max() < 1
    assert np.abs(behind[140, 140] - SHIRT).max() < 1


def test_hair_reaches_the_shoulders_where_it_covers_the_neck():
    """Hair of which nothing is followed below the head ends a little below the shoulders, in strands."""
    colour, opacity, skull, _, body = _person(0)
    behind, seen = hanging_behind(colour, opacity, skull, np.zeros_like(skull), body, SHOULDERS, SCALE)
    assert np.abs(behind[92:104, 97:103] - HAIR).max() < 25
    assert seen[92:104, 97:103].min() > 0.9
    assert np.abs(behind[130:, 95:105] - SHIRT).max() < 1


def test_what_sticks_out_of_the_head_stays():
    """A tuft above the middle of the head is none of the hair that hangs."""
    colour, opacity, skull, hair, body = _person(180)
    tuft = np.s_[20:30, 60:80]
    opacity[tuft] = 1
    hair[tuft] = True
    _, seen = hanging_behind(colour, opacity, skull, hair, body, SHOULDERS, SCALE)
    assert seen[tuft].min() > 0.9


def test_hair_falls_from_where_the_head_is_broadest():
    """A lock at one side of the neck does not shift the mass: it begins as far to both sides as the head is broad."""
    colour, opacity, skull, hair, body = _person(180)
    skull[85:102, 74:90] = True
    _, seen = hanging_behind(colour, opacity, skull, hair, body, SHOULDERS, SCALE)
    first, last = np.flatnonzero(seen[75] > 0.5)[[0, -1]]
    assert abs(first - 70) <= 2
    assert abs(last - 130) <= 2
