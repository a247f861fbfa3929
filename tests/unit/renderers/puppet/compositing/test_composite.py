"""The finished frame."""

import numpy as np

from bodydouble.renderers.puppet.compositing.composite import where_seen


def test_beside_a_made_up_background_nothing_is_taken_for_hair() -> None:
    """Hair is told by its difference from the background only where some frame shows that."""
    hair = np.full((4, 6), 255, np.uint8)
    plate = np.zeros((4, 6, 4), np.uint8)
    plate[:, :3, 3] = 255

    assert (where_seen(hair, plate)[:, :3] == 255).all()
    assert not where_seen(hair, plate)[:, 3:].any()
