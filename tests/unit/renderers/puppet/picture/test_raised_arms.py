"""Arms that the picture shows raised, and that hang in the video."""

import cv2
import numpy as np
import pytest

from bodydouble.perception.arrays import Image
from bodydouble.perception.body_template import BONES
from bodydouble.renderers.puppet.body.fit import BodyFit, fit_body
from bodydouble.renderers.puppet.body.skeleton import SIDES, joints_of
from bodydouble.renderers.puppet.body.surface import Surface
from bodydouble.renderers.puppet.picture.anatomy import Anatomy, anatomy_of
from bodydouble.renderers.puppet.picture.layers import _without_arm_weights
from bodydouble.renderers.puppet.picture.segmentation import Segmentation, segment
from bodydouble.renderers.puppet.picture.sleeves import along_arm, under_shoulder
from mannequin import COLOURS, joints, picture, track_of
from tube_body import tube_body


def _raised() -> np.ndarray:
    """(33, 2) a mannequin with its left arm up and its right one hanging, with room above."""
    pose = joints(top=90)
    pose[13], pose[15] = pose[11] + [35, -58], pose[11] + [45, -120]
    pose[[17, 19, 21]] = pose[15] + [2, -20]
    return pose


def _fitted(pose: np.ndarray) -> tuple[Image, np.ndarray, Anatomy, BodyFit]:
    image, mask = picture(pose, (500, 600))
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    return image, mask, anatomy, fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))


def test_an_armpit_is_the_trunks() -> None:
    """What lies under the shoulder of a raised arm would be above it when that hangs; of a hanging one nothing is."""
    pose = _raised()
    image, mask, anatomy, fit = _fitted(pose)

    below = under_shoulder(fit, "l", along_arm(fit, "l", mask.shape))
    parts = segment(image, mask, fit, tube_body(), anatomy, np.zeros(mask.shape, bool)).parts

    x, y = np.round(pose[11] + [-4, 9]).astype(int)
    assert below[y, x]
    assert not parts["arm_l"][y, x]
    x, y = np.round(pose[[11, 13]].mean(0)).astype(int)
    assert parts["arm_l"][y, x]
    assert not under_shoulder(fit, "r", along_arm(fit, "r", mask.shape)).any()


def test_the_trunk_follows_only_arms_that_hang_in_the_picture() -> None:
    """The bones of a raised arm have no weight in the trunk, which they would fold over the chest."""
    _, mask, _, fit = _fitted(_raised())
    weights = np.zeros((*mask.shape, len(BONES)), np.float32)
    left, right, chest = (BONES.index(name) for name in ("upperarm_l", "upperarm_r", "spine_03"))
    weights[..., [left, right]] = 0.5
    surface = Surface(weights=weights, depth=np.zeros(mask.shape, np.float32), inside=mask > 0.5, step=1)
    like = {side: np.zeros(mask.shape, np.float32) for side in SIDES}  # the trunk has the arms' colours
    parts = Segmentation(parts={}, arm_likeness=like, hem=None, loose=mask < 0, hair=mask < 0)

    moved = _without_arm_weights(surface, parts, fit).weights[0, 0]

    assert moved[[left, right, chest]] == pytest.approx([0, 0.5, 0.5])


def test_a_finger_above_the_shoulders_is_no_hair() -> None:
    """A piece beyond a raised hand that is unlike the arm, and does not hang on the head, goes with the arm."""
    pose = _raised()
    image, mask, anatomy, fit = _fitted(pose)
    finger = pose[19] + [[2, -4], [3, -32]]
    start, stop = (np.round(end).astype(int).tolist() for end in finger)
    cv2.line(image, start, stop, COLOURS["shoe"], 10)
    cv2.line(mask, start, stop, 1.0, 10)

    parts = segment(image, mask, fit, tube_body(), anatomy, np.zeros(mask.shape, bool)).parts

    x, y = np.round(finger[1]).astype(int)
    assert parts["arm_l"][y, x]
