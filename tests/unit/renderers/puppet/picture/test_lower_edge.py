"""A person may end above the picture's lower edge: at a table, or as a bust on an empty ground."""

import numpy as np

from bodydouble.perception.trunk import HIPS
from bodydouble.renderers.puppet.body.skeleton import LEGS
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of, skin_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.layered_body import FittedPicture, layer_picture
from mannequin import joints, picture, track_of
from tube_body import tube_body

END, LAST = 310, 470
"""Rows in the middle of the mannequin's thighs, and below its feet."""


def _ending_at(row: int, legs_seen: float) -> FittedPicture:
    """The mannequin without what is below the ``row``, in a picture that goes on there."""
    track = track_of([joints()])
    track.visibility[0, max(HIPS) + 1 :] = legs_seen
    image, mask = picture(joints())
    mask[row:] = 0
    anatomy = anatomy_of(track)
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))
    return layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body())


def test_legs_go_on_below_the_person_s_end() -> None:
    """The shins of a bust on an empty ground are made up; those of somebody who is seen whole are the picture's."""
    bust = _ending_at(END, legs_seen=0.05)
    for side in "lr":
        knee, ankle = bust.fit.joints.points[list(LEGS[side].joints[1:]), :2]
        x, y = np.round((knee + ankle) / 2).astype(int)
        assert y > END + 20
        assert bust.layers.layers[f"leg_{side}"].rgba[y, x, 3] > 250
    assert bust.fit.joints.made_up == {"leg_l", "leg_r"}
    assert not _ending_at(LAST, legs_seen=0.95).fit.joints.made_up
