"""Feet that the matte shows half transparent."""

from dataclasses import replace

import cv2
import numpy as np

from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.solid_feet import with_solid_feet
from mannequin import joints, track_of
from tube_body import tube_body

SIZE = (600, 500)
FLOOR, SHOE = 200, 220


def solid(*, seen: float = 1.0) -> tuple[np.ndarray, np.ndarray, Cutout]:
    """The matte before and after, and the result; across each foot is a faint band, beside the left one a shadow."""
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    visibility = anatomy.visibility.copy()
    visibility[27:] = seen
    anatomy = replace(anatomy, visibility=visibility)
    points = anatomy.body[:, :2]
    shown = np.zeros(SIZE, np.uint8)
    for knee, ankle, heel, toe in ((25, 27, 29, 31), (26, 28, 30, 32)):
        for line in ((knee, ankle), (heel, toe)):
            start, end = (np.round(points[i]).astype(int).tolist() for i in line)
            cv2.line(shown, start, end, 1, 14)
    alpha = shown.astype(np.float32)
    low = round(float(points[31, 1]))
    alpha[low - 1 : low + 2] *= 0.2
    shadow = np.s_[low : low + 4, round(float(points[31, 0])) + 24 : round(float(points[31, 0])) + 30]
    alpha[shadow] = 0.3
    image = np.where(shown[..., None] > 0, SHOE, FLOOR).repeat(3, 2).astype(np.uint8)
    cutout = Cutout(alpha=alpha, colour=np.full((*SIZE, 3), 90, np.float32))
    fit = fit_body(template, anatomy, joints_of(anatomy, template, SIZE))
    result = with_solid_feet(cutout, image, anatomy, fit)
    return alpha, shown > 0, result


def test_a_pale_toe_before_a_pale_floor_is_opaque():
    """What the matte lacks within a foot is filled with the picture's colours; the foot does not grow."""
    before, shown, result = solid()
    core = cv2.erode(shown.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    filled = core & (before < 0.5)
    assert filled.any()
    assert result.alpha[filled].min() > 0.9
    assert np.all(result.colour[filled] == SHOE)
    grown = cv2.dilate(shown.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert result.alpha[~grown].max() < 0.01  # the shadow, too


def test_feet_that_are_not_seen_stay_as_they_are():
    """Their landmarks are a guess."""
    before, _, result = solid(seen=0.1)
    assert np.array_equal(result.alpha, before)
