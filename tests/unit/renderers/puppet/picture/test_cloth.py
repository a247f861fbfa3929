"""Cloth that a hand covers has the texture of the cloth beside it."""

import numpy as np

from bodydouble.perception.arrays import Floats
from bodydouble.renderers.puppet.picture.cloth import with_texture


def _stripes(height: int, width: int) -> Floats:
    """(h, w, 3) upright stripes, 6 pixels apart."""
    levels = 120 + 40 * np.sin(np.arange(width) * 2 * np.pi / 6)
    return np.repeat(np.broadcast_to(levels, (height, width))[..., None], 3, axis=2).astype(np.float32)


def test_stripes_go_on_in_a_gap_in_the_gaps_own_light() -> None:
    """The detail is that of the cloth, the mean that of what was there before."""
    colour = _stripes(120, 160)
    gap = np.zeros((120, 160), np.bool_)
    gap[40:80, 60:100] = True
    cloth = ~gap
    plain = colour.copy()
    plain[gap] = 100

    made = with_texture(plain, gap, cloth, 20.0)

    inner = made[50:70, 70:90, 0]
    assert inner.std() > 15
    assert abs(float(inner.mean()) - 100) < 8
    assert np.corrcoef(inner.mean(0), colour[0, 70:90, 0])[0, 1] > 0.9
    assert np.array_equal(made[~gap], plain[~gap])


def test_narrow_gaps_and_gaps_without_cloth_stay() -> None:
    """A line shows no texture; where nothing is beside a gap, nothing is copied."""
    colour = _stripes(120, 160)
    line, gap = np.zeros((2, 120, 160), np.bool_)
    line[40:44, 60:100] = True
    gap[40:80, 60:100] = True

    assert np.array_equal(with_texture(colour, line, ~line, 20.0), colour)
    assert np.array_equal(with_texture(colour, gap, np.zeros_like(gap), 20.0), colour)
