"""Room around a picture that cuts somebody off."""

import numpy as np

from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.margins import Margins, shoulder_margins, with_margins
from mannequin import joints, track_of


def test_a_picture_that_cuts_a_shoulder_off_gets_room_at_that_side():
    """Room is added where the person touches the side, and nobody is in it."""
    pose = joints(60.0, 60.0, 10.0)  # the right shoulder is at x = 15
    anatomy = anatomy_of(track_of([pose]))
    alpha = np.zeros((100, 160), np.float32)
    alpha[60:, :150] = 1
    margins = shoulder_margins(anatomy, alpha)
    assert margins.left > 10
    assert (margins.top, margins.right) == (0, 0)
    image = np.zeros((100, 160, 3), np.uint8)
    wide, cutout = with_margins(image, Cutout(alpha=alpha, colour=image.astype(np.float32)), margins)
    assert wide.shape[1] == cutout.alpha.shape[1] == 160 + margins.left
    assert not cutout.alpha[:, : margins.left].any()


def test_a_person_beside_whom_the_picture_goes_on_needs_no_room():
    """Shoulders that end inside the picture are left as they are."""
    anatomy = anatomy_of(track_of([joints(30.0, 80.0, 10.0)]))
    assert shoulder_margins(anatomy, np.pad(np.ones((60, 60), np.float32), 20)) == Margins()


def test_a_headshot_gets_room_for_shoulders_that_are_wider_than_it():
    """Shoulders below the lower edge need room at both sides, though the person touches neither of them."""
    anatomy = anatomy_of(track_of([joints(60.0, 50.0, 10.0)]))
    alpha = np.zeros((60, 100), np.float32)
    alpha[10:, 30:70] = 1
    left, right = shoulder_margins(anatomy, alpha).sides
    assert left > 10
    assert right > 10
    alpha[50:] = 0  # nothing is cut off
    assert shoulder_margins(anatomy, alpha) == Margins()
