"""Light and shade of made-up parts."""

import numpy as np

from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.shading import body_light, lit_cloth, lit_skin
from mannequin import joints, track_of
from tube_body import tube_body


def test_a_limb_is_lighter_in_its_middle_than_at_its_rims() -> None:
    """What faces the camera is lighter than what is turned away, so that a made-up leg is no flat strip."""
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, (500, 500)))
    mask, light = body_light(fit, template, ("thigh_l",), (500, 500))
    row = round(float(fit.joints.points[[23, 25], 1].mean()))
    columns = np.flatnonzero(mask[row])
    assert light[row, (columns[0] + columns[-1]) // 2] > light[row, columns[[0, -1]]].max() + 0.05
    assert abs(light[row, columns[0] - 15] - light[row, columns[0] - 10]) < 0.01


def test_black_cloth_has_light_and_shade() -> None:
    """The light of a black suit is seen, and the usual light leaves every colour as it is."""
    black = np.full((2, 3), 10.0, np.float32)
    dark, bright = lit_cloth(black, np.array([0.75, 1.05], np.float32))
    assert bright[0] - dark[0] > 8
    colours = np.array([[10.0, 20.0, 30.0], [250.0, 240.0, 230.0]], np.float32)
    assert np.allclose(lit_cloth(colours, np.full(2, 0.95, np.float32)), colours)


def test_the_usual_light_leaves_skin_as_it_is() -> None:
    """A made-up hand is as light as the face whose colour it has."""
    skin = np.array([[200.0, 165.0, 150.0]], np.float32)
    assert np.allclose(lit_skin(skin, np.full(1, 0.95, np.float32)), skin)


def test_cloth_has_folds_and_skin_has_none() -> None:
    """Down the middle of a trunk the light of cloth comes and goes, by more than that of skin does."""
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, (500, 500)))
    middle, (top, bottom) = round(float(fit.joints.hips[0])), (fit.joints.shoulders[1], fit.joints.hips[1])
    rows = np.s_[round(top + 0.3 * (bottom - top)) : round(bottom)]
    light = {
        cloth: body_light(fit, template, None, (500, 500), cloth=cloth)[1][rows, middle] for cloth in (True, False)
    }
    assert np.ptp(light[True]) > np.ptp(light[False]) + 0.05
