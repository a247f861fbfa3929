"""Where the puppet's trunk goes."""

import numpy as np

from bodydouble.renderers.puppet.anatomy import anatomy_of
from bodydouble.renderers.puppet.motion import build_motion
from bodydouble.renderers.puppet.placement import WIDTH_MIN, body_scales, place_trunk
from mannequin import joints, track_of


def placed(poses, index=0, height=500, visibility=0.95):
    """Anatomy of the standing mannequin, the scales over ``poses``, and the trunk on one of them."""
    anatomy = anatomy_of(track_of([joints()]))
    motion = build_motion(track_of(poses, visibility), 25.0)
    scales = body_scales(anatomy, motion)
    trunk = place_trunk(anatomy, motion.body[index], motion.visibility[index], scales, index, height)
    return anatomy, scales, trunk


def test_the_characters_joints_go_to_the_actors():
    """Shoulders and hips of the character land on an actor of another size elsewhere."""
    pose = joints(head=42, centre=180, top=60)
    anatomy, _, trunk = placed([pose] * 5)
    for k in (11, 12, 23, 24):
        assert np.allclose(trunk.apply(anatomy.body[k, :2][None])[0], pose[k], atol=1.5)


def test_a_leaning_actor_leans_the_trunk():
    """Turned about the hips, shoulders follow."""
    pose = joints()
    angle = 0.4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    hips = (pose[23] + pose[24]) / 2
    leaning = hips + (pose - hips) @ turn.T
    anatomy, _, trunk = placed([pose] * 5 + [leaning], index=5)
    for k in (11, 12):
        assert np.allclose(trunk.apply(anatomy.body[k, :2][None])[0], leaning[k], atol=4)


def test_a_sideways_actor_does_not_make_the_cutout_a_stick():
    """Shoulders that lie behind each other leave most of the character's width."""
    pose = joints()
    sideways = pose.copy()
    middle = pose[:, 0].mean()
    sideways[:, 0] = middle + 0.05 * (sideways[:, 0] - middle)
    anatomy, scales, trunk = placed([pose] * 20 + [sideways] * 2, index=21)
    ends = trunk.apply(anatomy.body[[11, 12], :2])
    width = float(np.hypot(*(ends[0] - ends[1])))
    assert width > 0.95 * WIDTH_MIN * scales.body[21] * anatomy.shoulder_width


def test_seen_from_behind_is_told_and_nothing_is_mirrored():
    """Left and right swapped: the trunk stays as in the reference, and the limbs are told to swap."""
    pose = joints()
    behind = pose.copy()
    behind[:, 0] = 500 - behind[:, 0]
    anatomy, scales, trunk = placed([pose] * 10 + [behind] * 30, index=35)
    assert scales.mirrored[35]
    assert not scales.mirrored[2]
    ends = trunk.apply(anatomy.body[[11, 12], :2])
    assert ends[0, 0] > ends[1, 0]


def test_hidden_hips_are_guessed_below_the_shoulders():
    """Hips below the picture's edge, wherever the network puts them, give an upright trunk of usual height."""
    pose = joints(head=110, centre=250, top=40)
    wild = pose.copy()
    wild[[23, 24], 0] += 90
    anatomy, scales, trunk = placed([pose] * 10 + [wild], index=10, height=300)
    hips = trunk.apply(anatomy.hips[None])[0]
    shoulders = trunk.apply(anatomy.shoulders[None])[0]
    assert abs(hips[0] - shoulders[0]) < 60
    assert np.isclose(hips[1] - shoulders[1], anatomy.spine * scales.body[10] * scales.spine, rtol=0.1)
