"""Background that a matte holds between limbs is carved away."""

import numpy as np

from bodydouble.renderers.puppet.body.fit import body_scale, fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.body.surface import label_triangles
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.carving import carve_background, gaps_between_limbs, without_holes
from mannequin import BACKGROUND, joints, picture, track_of
from tube_body import tube_body


def test_background_between_arm_and_trunk_is_carved_away():
    """A matte that holds the wall between an arm and the trunk loses it; the arm stays."""
    pose = joints()
    pose[13], pose[15] = pose[11] + [70, 60], pose[23] + [30, 0]  # hand on the hip
    image, mask = picture(pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    start = joints_of(anatomy, template, mask.shape)
    fit = fit_body(template, anatomy, start)
    gap = np.zeros(mask.shape, np.float32)
    x, y = np.round((pose[13] + pose[15] + pose[11]) / 3).astype(int)
    gap[y - 15 : y + 15, x - 8 : x + 8] = 1
    gap *= (image == BACKGROUND).all(2)
    body = np.zeros(mask.shape, bool)

    carved = carve_background(
        image,
        np.maximum(mask, gap),
        body | (mask > 0.5),
        gaps_between_limbs(fit, template, mask.shape),
        body_scale(template, start),
    )

    assert carved[gap > 0].mean() < 0.5
    assert carved[mask > 0.9].mean() > 0.95


def test_backdrop_beside_a_hand_is_carved_away():
    """Between a hand on the hip and the trunk, what has the backdrop's very colour goes; the hand stays."""
    pose = joints()
    pose[13], pose[15] = pose[11] + [70, 60], pose[23] + [30, 0]
    pose[[17, 19, 21]] = pose[15] + [4, 10]
    image, mask = picture(pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    start = joints_of(anatomy, template, mask.shape)
    fit = fit_body(template, anatomy, start)
    gaps = gaps_between_limbs(fit, template, mask.shape)
    gap = gaps.hands & (mask < 0.02)

    carved = carve_background(
        image, np.maximum(mask, gap.astype(np.float32)), mask > 0.5, gaps, body_scale(template, start)
    )

    assert np.count_nonzero(gap) > 100
    assert carved[gap].mean() < 0.5
    assert carved[mask > 0.9].mean() > 0.95


def test_background_between_a_raised_arm_and_the_head_is_carved_away():
    """A matte that holds the sky between a raised arm and the face loses it; the arm and the head stay."""
    pose = joints()
    pose[13], pose[15] = pose[11] + [75, -10], pose[11] + [60, -75]
    pose[[17, 19, 21]] = pose[15] + [-4, -12]
    image, mask = picture(pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    start = joints_of(anatomy, template, mask.shape)
    fit = fit_body(template, anatomy, start)
    x, y = np.round((pose[13] + pose[0] + pose[11]) / 3).astype(int)
    gap = np.zeros(mask.shape, np.float32)
    gap[y - 12 : y + 12, x - 8 : x + 8] = 1
    gap *= (image == BACKGROUND).all(2)

    carved = carve_background(
        image,
        np.maximum(mask, gap),
        mask > 0.5,
        gaps_between_limbs(fit, template, mask.shape),
        body_scale(template, start),
    )

    assert np.count_nonzero(gap) > 100
    assert carved[gap > 0].mean() < 0.5
    assert carved[mask > 0.9].mean() > 0.95


def test_a_hole_in_a_leg_is_no_background():
    """A logo in the backdrop's colour stays on the trousers; the gap between arm and trunk stays free."""
    pose = joints()
    pose[13], pose[15] = pose[11] + [70, 60], pose[23] + [30, 0]  # hand on the hip
    _, mask = picture(pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))
    body = label_triangles(fit.vertices, template.triangles, (mask.shape[0], mask.shape[1])) > 0
    x, y = np.round(pose[25]).astype(int)
    holed = mask.copy()
    holed[y - 25 : y - 18, x - 3 : x + 4] = 0

    whole = without_holes(holed, body, fit, template)

    assert np.array_equal(whole > 0.5, mask > 0.5)
    assert whole[y - 22, x] == 1
