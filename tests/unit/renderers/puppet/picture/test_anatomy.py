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
