"""The character from behind."""

import numpy as np

from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.back_view import closed_back
from mannequin import joints, picture, track_of
from tube_body import tube_body

SKIN, SHIRT = np.array([225.0, 180.0, 150.0]), np.array([40.0, 70.0, 160.0])


def test_an_open_jacket_is_closed_from_behind():
    """A bright stripe down the middle of the chest takes the colour of the sides; head and legs stay."""
    pose = joints()
    _, mask = picture(pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))
    colour = np.tile(SHIRT.astype(np.float32), (*mask.shape, 1))
    colour[:, 242:258] = 250
    back = closed_back(colour, mask, fit, SKIN, np.zeros(mask.shape, np.bool_))
    chest = np.s_[int(pose[11, 1]) + 20 : int(pose[23, 1]) - 20, 244:256]
    assert np.abs(back[chest] - SHIRT).max() < 60
    legs = np.s_[int(pose[25, 1]) :]
    assert np.array_equal(back[legs], colour[legs])


def test_long_hair_beside_the_trunk_is_no_cloth():
    """Strands down one side of the chest do not colour the back; clothes of the hair's colour stay."""
    pose, hair = joints(), np.array([90.0, 40.0, 110.0])
    _, mask = picture(pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))
    shoulders, hips = int(pose[11, 1]), int(pose[23, 1])
    colour = np.tile(SHIRT.astype(np.float32), (*mask.shape, 1))
    colour[: shoulders - 2] = hair
    colour[: (shoulders + hips) // 2, :235] = hair

    chest = np.s_[shoulders + 20 : hips - 20, 244:256]
    assert np.abs(closed_back(colour, mask, fit, SKIN, np.zeros(mask.shape, np.bool_))[chest] - SHIRT).max() < 10
    colour[shoulders - 2 :] = hair
    assert np.abs(closed_back(colour, mask, fit, SKIN, np.zeros(mask.shape, np.bool_))[chest] - hair).max() < 10
