"""Cloth beside bare arms."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.sleeves import (
    along_arm,
    bare_from,
    beyond_sleeve,
    inner_side,
    own_seeds,
    sleeve,
)
from mannequin import COLOURS, joints, picture, track_of
from tube_body import tube_body


def fitted():
    """A pose, its picture and mask, and the body model on it."""
    pose = joints()
    image, mask = picture(pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    return pose, image, mask, fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))


def thick_line(shape, start, stop, width):
    """(h, w) a line of ``width`` px."""
    mask = np.zeros(shape, np.uint8)
    cv2.line(mask, np.round(start).astype(int).tolist(), np.round(stop).astype(int).tolist(), 1, width)
    return mask > 0


def test_a_sleeve_begins_at_the_shoulder():
    """Cloth along the upper arm is its sleeve; what lies near the elbow alone is the end of a lock of hair."""
    _, _, mask, fit = fitted()
    shoulder, elbow = fit.joints.points[[11, 13], :2]
    found: list[bool] = []
    for start in (0.1, 0.7):
        zone = np.zeros(mask.shape, np.uint8)
        ends = np.round([shoulder + start * (elbow - shoulder), shoulder + 0.9 * (elbow - shoulder)]).astype(np.int32)
        cv2.polylines(zone, [ends], False, 1, 12)
        found.append(bool(sleeve(zone > 0, zone < 0, along_arm(fit, "l", mask.shape), zone > 0).any()))
    assert found == [True, False]


def test_a_sleeve_ends_where_the_arm_is_bare():
    """A loose shirt that hangs beside a bare upper arm is no sleeve; above the skin it is."""
    _, _, mask, fit = fitted()
    shoulder, elbow = fit.joints.points[[11, 13], :2]
    along, beside = along_arm(fit, "l", mask.shape), np.array([-9, 0])
    found: list[float] = []
    for start in (0.0, 0.5):
        cloth = thick_line(mask.shape, shoulder, shoulder + start * (elbow - shoulder), 12)
        bare = thick_line(mask.shape, shoulder + start * (elbow - shoulder), elbow, 12)
        cloth = (cloth | thick_line(mask.shape, shoulder + beside, elbow + beside, 4)) & ~bare
        found.append(float(along[sleeve(cloth, bare, along, cloth | bare)].max(initial=0)))
    assert found[0] < 0.2
    assert 0.4 < found[1] < 0.6


def test_a_jacket_beside_its_own_sleeve_is_the_trunks():
    """A sleeve is about as wide inside as outside: of cloth in one colour the rest is the trunk's."""
    _, _, mask, fit = fitted()
    shoulder, elbow, wrist = (fit.joints.points[k, :2] for k in (11, 13, 15))
    arm = thick_line(mask.shape, shoulder, elbow, 12) | thick_line(mask.shape, elbow, wrist, 12)
    sleeves = thick_line(mask.shape, shoulder, elbow, 32) | thick_line(mask.shape, elbow, wrist, 32)
    inwards = np.array([-30, 0]) if shoulder[0] > fit.joints.hips[0] else np.array([30, 0])
    front = thick_line(mask.shape, shoulder + inwards, wrist + inwards, 36)
    along, whole = along_arm(fit, "l", mask.shape), sleeves | front
    assert not beyond_sleeve(fit, "l", along, whole, arm, sleeves).any()
    beyond = beyond_sleeve(fit, "l", along, whole, arm, whole)
    between = thick_line(mask.shape, shoulder + [0, 20], elbow, 3)
    assert np.count_nonzero(beyond & sleeves) < 0.02 * np.count_nonzero(sleeves)
    assert not beyond[between].any()
    rows = np.arange(len(mask))[:, None]
    jacket = front & ~sleeves & (rows > shoulder[1] + 20) & (rows < wrist[1] - 20)
    assert np.count_nonzero(beyond & jacket) > 0.7 * np.count_nonzero(jacket)


def test_an_arm_that_does_not_hang_has_no_inner_side():
    """Of a raised or folded arm nothing is told by the widths of its sleeve."""
    pose = joints()
    pose[15, :2] = pose[13, :2] + [-60, 10]  # a forearm before the trunk
    mask = picture(pose)[1]
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))
    nothing = np.zeros(mask.shape, np.bool_)
    assert not beyond_sleeve(fit, "l", along_arm(fit, "l", mask.shape), mask > 0, nothing, mask > 0).any()


def test_the_inner_side_of_a_wide_sleeve_ends_before_the_hips():
    """Cloth that hangs between an arm and trousers is the sleeve's; a jacket, and a short piece as a button, stay."""
    _, _, mask, fit = fitted()
    elbow, wrist = fit.joints.points[[13, 15], :2]
    found = thick_line(mask.shape, elbow, wrist, 8)
    core = thick_line(mask.shape, elbow - [40, 20], wrist - [60, -20], 6)
    inner = thick_line(mask.shape, elbow - [8, 0], wrist - [8, 0], 12)
    short = inner & (np.abs(np.arange(500)[:, None] - (elbow[1] + wrist[1]) / 2) < 0.3 * fit.scale)
    jacket = inner | thick_line(mask.shape, elbow - [25, 0], wrist - [25, 0], 40)
    between = inner & ~found & (np.arange(500)[:, None] > elbow[1] + 6) & (np.arange(500)[:, None] < wrist[1] - 6)
    between &= np.arange(500) < elbow[0]
    added = inner_side(found, found | inner, core, fit, "l")
    assert np.count_nonzero(added & between) > 0.8 * np.count_nonzero(between)
    for like in (found | short, found | jacket):
        assert not inner_side(found, like, core | (jacket & ~inner), fit, "l").any()


def test_cloth_before_a_bare_arm_is_no_seed_of_it():
    """Where the bone's line crosses a shirt that hangs from the chest, its cloth says nothing about the arm."""
    pose, image, mask, fit = fitted()
    arm = (image == COLOURS["sleeve"]).all(2) & (np.arange(500) > 250)
    image[arm] = COLOURS["skin"]
    shirt = (np.arange(500)[:, None] > pose[13, 1] - 25) & (np.arange(500)[:, None] < pose[13, 1] + 15)
    hanging = shirt & (np.arange(500) > 250) & (np.arange(500) < pose[13, 0] + 3)
    image[hanging] = COLOURS["shirt"]
    bracelet = thick_line(mask.shape, pose[15] - [8, 8], pose[15] - [-8, 8], 4) & arm
    image[bracelet] = COLOURS["shirt"]
    chest = np.zeros(mask.shape, np.bool_)
    chest[130:240, 215:285] = True
    seeds = thick_line(mask.shape, 0.2 * pose[11] + 0.8 * pose[13], pose[13], 8) | thick_line(
        mask.shape, pose[13], pose[15], 8
    )
    bare, below = (image == COLOURS["skin"]).all(2), along_arm(fit, "l", mask.shape) > 0

    own = own_seeds(image, (mask > 0.5) | hanging, seeds, chest, bare, below)

    assert np.count_nonzero(seeds & hanging) > 30
    assert not own[hanging].any()
    assert own[seeds & bracelet].all()
    assert own[seeds & arm & ~hanging].all()


def test_an_arm_is_bare_from_the_end_of_its_sleeve():
    """A bracelet ends no bare arm, and a bare wrist makes none."""
    _, _, mask, fit = fitted()
    along = along_arm(fit, "l", mask.shape)
    points = fit.joints.points[[11, 13, 15], :2]
    arm = thick_line(mask.shape, points[0], points[1], 12) | thick_line(mask.shape, points[1], points[2], 12)
    short = arm & (along > 0.6) & ((along < 1.6) | (along > 1.75))
    assert abs(bare_from(arm, short, along) - 0.6) < 0.1
    assert bare_from(arm, arm & (along > 1.7), along) == np.inf
    assert bare_from(arm, arm, along) == 0
