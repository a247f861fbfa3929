"""Bare arms are told from hair and cloth beside and before them."""

from dataclasses import replace

import cv2
import numpy as np

from bodydouble.perception.track import FACE_POINTS
from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.segmentation import segment
from mannequin import COLOURS, joints, picture, track_of
from tube_body import tube_body


def _with_bare_arms(pose):
    """Picture, mask and anatomy of the mannequin in ``pose`` without sleeves, and its face."""
    image, mask = picture(pose)
    image[(image == COLOURS["sleeve"]).all(2)] = COLOURS["skin"]
    turn = np.linspace(0, 2 * np.pi, FACE_POINTS)
    face = np.c_[pose[0] + 8 * np.c_[np.cos(turn), np.sin(turn)], np.zeros(FACE_POINTS)]
    return image, mask, replace(anatomy_of(track_of([pose])), face=face)


def test_a_lock_beside_a_bare_arm_goes_with_no_arm():
    """Hair that the arm parts from head and trunk is no wide sleeve; it is left out."""
    pose = joints()
    image, mask, anatomy = _with_bare_arms(pose)
    bone = np.zeros(mask.shape, np.uint8)
    ends = np.round([0.5 * (pose[11] + pose[13]), 0.5 * (pose[13] + pose[15])]).astype(int) + [20, 0]
    cv2.line(bone, ends[0].tolist(), ends[1].tolist(), 1, 14)
    lock = (bone > 0) & (mask < 0.5)
    image[lock] = (170, 60, 140)
    mask = np.maximum(mask, (bone > 0).astype(np.float32))
    template = tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))

    parts = segment(image, mask, fit, template, anatomy, np.zeros(mask.shape, bool))

    assert np.count_nonzero(lock) > 200
    assert parts.loose[lock].mean() > 0.8
    assert parts.parts["arm_l"][lock].mean() < 0.2


def test_cloth_before_an_arm_whose_twin_is_bare_is_the_trunks():
    """Clothes are alike on both sides: what covers one arm is no sleeve if the other one is bare."""
    pose = joints()
    image, mask, anatomy = _with_bare_arms(pose)
    whole = (image == COLOURS["skin"]).all(2) & (np.arange(500) > pose[11, 0] + 4)
    dress = whole & (np.arange(500) < pose[13, 0] + 8) & (np.arange(500)[:, None] < pose[15, 1] - 20)
    image[dress] = COLOURS["shirt"]
    template = tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))

    parts = segment(image, mask, fit, template, anatomy, np.zeros(mask.shape, bool)).parts

    below = dress & (np.arange(500)[:, None] > pose[13, 1] - 10)
    assert np.count_nonzero(below) > 100
    assert parts["arm_l"][below].mean() < 0.5
