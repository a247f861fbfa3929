"""Tests of ``bodydouble.media.size``."""

from hypothesis import given
from hypothesis import strategies as st

from bodydouble.media import working_size

SIDES = st.integers(200, 4096)


@given(SIDES, SIDES, st.sampled_from([480, 580, 720]))
def test_even_never_enlarged_and_true_to_aspect(width: int, height: int, short_side_max: int) -> None:
    """Sides are even and within source and limit; the long side is the even length nearest to the source's aspect."""
    w, h = working_size(width, height, short_side_max)
    assert w % 2 == h % 2 == 0
    assert w <= width
    assert h <= height
    assert min(w, h) <= short_side_max
    exact = min(w, h) * max(width, height) / min(width, height)
    assert abs(max(w, h) - exact) <= 2


def test_known_sizes() -> None:
    """Common video sizes give the expected working sizes."""
    assert working_size(1920, 1080, 480) == (854, 480)
    assert working_size(1080, 1920, 480) == (480, 854)
    assert working_size(1280, 720, 720) == (1280, 720)
    assert working_size(320, 240, 480) == (320, 240)
    assert working_size(251, 241, 480) == (250, 240)
