"""Where the puppet's trunk goes."""

from dataclasses import replace

import numpy as np
import pytest

from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.placement import WIDTH_MIN, body_scales, place_trunk
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
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


@pytest.mark.parametrize("side", [1, -1])
def test_the_front_of_a_turned_trunk_moves_to_where_it_faces(side):
    """Towards profile the collar leaves the middle of the shoulders, which stay; nothing on the way folds over."""
    pose = joints()
    middle = pose[[11, 12], 0].mean()
    turned = pose.copy()
    turned[:, 0] = middle + 0.4 * (turned[:, 0] - middle)
    track = track_of([pose] * 20 + [turned] * 40)
    track.body[20:, 11, 2], track.body[20:, 12, 2] = side * 40, -side * 40
    anatomy = anatomy_of(track_of([pose]))
    motion = build_motion(track, 25.0)
    scales = body_scales(anatomy, motion)
    assert abs(scales.turn[5]) < 0.1
    assert side * scales.turn[55] > 0.8
    trunk = place_trunk(anatomy, motion.body[55], motion.visibility[55], scales, 55, 500)
    width = scales.body[55] * anatomy.shoulder_width
    row = np.linspace(anatomy.body[12, :2] - [20, 0], anatomy.body[11, :2] + [20, 0], 41)
    placed_row = trunk.apply(row)[:, 0]
    assert (np.diff(placed_row) > 0).all()
    assert side * (placed_row[20] - middle) > 0.12 * width
    straight = replace(trunk, front=np.zeros(2)).apply(anatomy.body[[11, 12], :2])
    assert np.abs(trunk.apply(anatomy.body[[11, 12], :2]) - straight).max() < 0.05 * width


def test_a_shrug_is_no_turn():
    """Narrow shoulders at one depth leave the front in the middle."""
    pose = joints()
    narrow = pose.copy()
    narrow[[11, 12], 0] = 250 + 0.6 * (narrow[[11, 12], 0] - 250)
    _, scales, _ = placed([pose] * 20 + [narrow] * 20)
    assert np.abs(scales.turn).max() < 0.05


def test_the_lean_ends_above_the_hips():
    """Shoulders lean, hips stay."""
    anatomy, _, trunk = placed([joints()] * 3)
    leaning = replace(trunk, lean=np.array([12.0, 0.0]))
    assert np.allclose(leaning.apply(anatomy.shoulders[None]) - trunk.apply(anatomy.shoulders[None]), [12, 0])
    assert np.allclose(leaning.apply(anatomy.hips[None]), trunk.apply(anatomy.hips[None]))
