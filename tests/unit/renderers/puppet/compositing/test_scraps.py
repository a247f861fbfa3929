"""Which pieces of the puppet are drawn beside somebody who passes before it."""

import numpy as np

from bodydouble.perception.arrays import Matte
from bodydouble.renderers.puppet.compositing.scraps import scraps_beside


def _crossed() -> tuple[Matte, Matte]:
    """A trunk with an arm to the right, and somebody upright before the arm's middle."""
    alpha, front = np.zeros((60, 100), np.uint8), np.zeros((60, 100), np.uint8)
    alpha[5:55, 10:40] = alpha[20:30, 40:80] = 255
    front[:, 50:65] = 255
    return alpha, front


def test_a_guessed_hand_is_not_drawn_beside_somebody_in_front() -> None:
    """The piece beyond them goes with its rim, unless the source shows the person there; the trunk stays."""
    alpha, front = _crossed()

    scraps = scraps_beside(alpha, front, np.zeros_like(alpha))

    assert scraps is not None
    assert scraps[20:30, 65:81].all()
    assert not scraps[:, :60].any()
    seen = np.zeros_like(alpha)
    seen[20:30, 60:75] = 255
    assert scraps_beside(alpha, front, seen) is None


def test_what_nobody_cuts_off_stays() -> None:
    """A puppet beside somebody is whole, and so are pieces that are apart by themselves."""
    alpha, front = _crossed()

    assert scraps_beside(alpha, np.zeros_like(front), np.zeros_like(alpha)) is None
    alpha[:, 40:80] = 0
    alpha[20:30, 85:95] = 255
    front[:, 50:65] = 0
    front[:, 35:40] = 255
    assert scraps_beside(alpha, front, np.zeros_like(alpha)) is None
