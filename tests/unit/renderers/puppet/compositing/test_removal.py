"""What is taken out of the picture."""

import numpy as np

from bodydouble.renderers.puppet.compositing.removal import removal_mask


def test_wisps_of_a_faint_matte_are_background_and_blurred_hands_are_not() -> None:
    """Thin and far from the person: foliage that the matte let pass. In one thick piece, or near: the person."""
    matte = np.zeros((480, 640), np.uint8)
    matte[100:400, 200:300] = 255
    matte[200:260, 300:306] = 40  # a fringe of hair
    matte[300:303, 300:400] = 60  # a twig that touches the person
    matte[150:190, 330:370] = 60  # a blurred hand
    gone = removal_mask(matte, 480)
    assert gone[200:260, 305].all()
    assert not gone[301, 330:400].any()
    assert gone[155:185, 335:365].all()
