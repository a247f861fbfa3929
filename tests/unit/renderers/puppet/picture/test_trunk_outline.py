"""The sides of a trunk behind what hides them."""

import numpy as np

from bodydouble.renderers.puppet.picture.trunk_outline import trunk_outline

SCALE = 20.0


def test_a_side_goes_on_behind_an_arm():
    """Where an arm hides the side, it stands off the body as above and below; and nowhere it has a step."""
    model, shown, covers = (np.zeros((200, 200), np.bool_) for _ in range(3))
    model[:, 70:130] = True
    shown[:, 62:138] = True
    covers[80:120, 50:80] = True
    shown[80:120, :80] = False
    outline = trunk_outline(shown, covers, model, (0, 199), -60.0, SCALE)
    assert outline is not None
    assert np.abs(outline.left - 62).max() < 3
    assert np.abs(outline.right - 137).max() < 2
    assert np.abs(np.diff(outline.left)).max() < 0.5


def test_a_side_that_is_never_seen_stands_off_as_the_other():
    """With an arm along all of one side, the other one tells how wide the cloth is."""
    model, shown, covers = (np.zeros((200, 200), np.bool_) for _ in range(3))
    model[:, 70:130] = True
    shown[:, 75:135] = True
    covers[:, 50:75] = True
    outline = trunk_outline(shown, covers, model, (0, 199), -60.0, SCALE)
    assert outline is not None
    assert np.abs(outline.left - 65).max() < 2


def test_without_a_body_there_are_no_sides():
    """Nothing is said where the model is not in the rows."""
    nothing = np.zeros((50, 50), np.bool_)
    assert trunk_outline(~nothing, nothing, nothing, (0, 40), 0.0, SCALE) is None
