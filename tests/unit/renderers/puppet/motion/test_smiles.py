"""What a smile does beside the mouth."""

import numpy as np

from bodydouble.renderers.puppet.motion.smiles import CHEEKS, smile_of, with_smile


def test_a_smile_is_wide_and_has_raised_corners():
    """A mouth that is only wide, or only has raised corners as a round one, does not smile."""
    assert smile_of(0.46, 0.06) == 1
    assert smile_of(0.46, -0.02) == smile_of(0.33, 0.06) == 0
    assert 0 < smile_of(0.4, 0.03) < 1


def test_a_smile_that_goes_lowers_the_cheeks():
    """The opposite of one that comes, and the irises never move."""
    face = np.random.default_rng(1).uniform(-1, 1, (478, 3))
    up, down = (with_smile(face, share) - face for share in (1.0, -1.0))
    assert np.allclose(up, -down)
    assert not up[468:].any()
    assert up[[k for cheek in CHEEKS for k in cheek], 1].mean() < 0
    assert with_smile(face, 0.0) is face
