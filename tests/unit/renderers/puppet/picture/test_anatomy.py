"""What is measured on the reference picture."""

import numpy as np

from bodydouble.renderers.puppet.picture.anatomy import anatomy_of, skin_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from mannequin import joints, picture, track_of


def test_skin_that_is_lit_from_one_side_is_between_light_and_shade() -> None:
    """Most of the face in the shade: hands of the median's colour would be dark beside it."""
    pose = joints()
    image, mask = picture(pose)
    colour = image.astype(np.float32)
    anatomy = anatomy_of(track_of([pose]))
    border = round(anatomy.head.centre[0] + 0.05 * anatomy.head.width)
    colour[:, :border], colour[:, border:] = (120, 70, 40), (230, 180, 130)
    skin = skin_of(anatomy, Cutout(alpha=mask, colour=colour))
    assert ((skin > [150, 100, 65]) & (skin < [205, 155, 110])).all()


def test_a_character_that_the_network_sees_from_behind_faces_the_camera() -> None:
    """Left and right are exchanged where both shoulders and hips say so, and kept where only a shoulder is turned."""
    pose = joints()
    mirrored = pose * [-1, 1] + [500, 0]
    turned = pose.copy()
    turned[[11, 12], 0] = 249, 251

    assert anatomy_of(track_of([mirrored])).body[11, 0] > anatomy_of(track_of([mirrored])).body[12, 0]
    assert np.allclose(anatomy_of(track_of([mirrored])).body[27, :2], mirrored[28])
    assert np.allclose(anatomy_of(track_of([turned])).body[:, :2], turned)
