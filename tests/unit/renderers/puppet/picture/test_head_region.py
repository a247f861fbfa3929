"""Head, hair and neck are no limbs."""

from dataclasses import replace

import numpy as np

from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.perception.track import FACE_POINTS
from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.head_region import head_region
from bodydouble.renderers.puppet.picture.segmentation import segment
from mannequin import joints, picture, track_of
from tube_body import tube_body


def test_head_hair_and_neck_are_kept_and_shoulders_and_raised_arms_are_not() -> None:
    """Everything above the shoulders that hangs together with the face, but a hand held up beside it."""
    pose = joints()
    pose[14], pose[16] = (110.0, 90.0), (215.0, 40.0)  # a hand at the hair
    alpha = picture(pose)[1]
    alpha[35:75, 262:285] = 1  # hair
    region = head_region(anatomy_of(track_of([pose])), alpha) > 0
    assert region[40:70, 265:280].all()
    assert region[60, 250]
    assert region[100, 250]
    assert not region[45:95, 100:190].any()
    assert not region[120:].any()


def test_a_snout_beside_the_neck_makes_no_arm_a_head() -> None:
    """A chin that is low and to the side, as of a drawn animal, tells nothing of where the shoulders end."""
    pose = joints()
    alpha = picture(pose)[1]
    anatomy = anatomy_of(track_of([pose]))
    chin = anatomy.shoulders + [32, -16]
    face = np.tile(np.r_[chin, 0.0], (FACE_POINTS, 1))
    face[:, :2] += 14 * np.random.default_rng(0).uniform(-1, 1, (FACE_POINTS, 2)) - [16, 22]
    face[FacePoint.CHIN, :2] = chin

    region = head_region(replace(anatomy, face=face), alpha) > 0

    x, y = np.round((pose[11] + pose[13]) / 2).astype(int)
    assert region[60, 250]
    assert not region[y - 5 : y + 6, x - 5 : x + 6].any()


def test_arms_of_the_hairs_colour_take_nothing_from_the_head() -> None:
    """Long hair over sleeves of its colour stays with the head, whichever parts the sleeves claim."""
    pose = joints()
    pose[13], pose[15] = (300.0, 150.0), (278.0, 118.0)  # the left hand at the collar, its arm along the neck
    image, alpha = picture(pose)
    image[alpha > 0.5] = (60, 50, 45)  # head, hair and clothes alike: nothing but place tells them
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, (500, 500)))
    parts = segment(image, alpha, fit, template, anatomy, np.zeros(alpha.shape, bool)).parts
    head = (head_region(anatomy, alpha) > 0) & (alpha > 0.5)
    assert not parts["arm_l"][head].any()
    assert not parts["arm_r"][head].any()
