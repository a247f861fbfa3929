"""The sides of a trunk behind what hides them."""

import numpy as np

from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.trunk_outline import behind_the_arms, trunk_outline
from mannequin import joints, picture, track_of
from tube_body import tube_body

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


def test_a_trunk_goes_on_behind_an_arm_that_lies_before_its_side():
    """A bay that an arm cut out of the trunk is the trunk's; what the arm hides far beside the body is not."""
    pose, template = joints(), tube_body()
    _, mask = picture(pose)
    fit = fit_body(
        template, anatomy_of(track_of([pose])), joints_of(anatomy_of(track_of([pose])), template, mask.shape)
    )
    middle = int(pose[[11, 23], 1].mean())
    model, arm, nothing = (np.zeros(mask.shape, np.bool_) for _ in range(3))
    model[:, 205:295] = True
    arm[middle - 30 : middle + 30, 150:230] = True
    shown = model & ~arm

    hidden = behind_the_arms(shown, arm, nothing, model, None, fit)

    assert hidden[middle - 25 : middle + 25, 207:229].all()
    assert not hidden[:, :195].any()
    assert not behind_the_arms(shown, nothing, nothing, model, None, fit).any()


def test_a_hand_beside_one_side_makes_no_wing_of_the_other():
    """Where only the other side is seen, and stands off far, this one lies close."""
    model, shown, covers = (np.zeros((200, 200), np.bool_) for _ in range(3))
    model[:, 70:130] = True
    shown[:, 75:130] = True
    shown[80:120, 75:165] = True
    covers[:, 40:75] = True
    outline = trunk_outline(shown, covers, model, (0, 199), -60.0, SCALE)
    assert outline is not None
    assert outline.left.min() > 60
