from dataclasses import replace

import numpy as np

from bodydouble.perception.interpolation import BRIDGED_FRAMES_MAX, bridged, interpolate_body, is_motion_even
from bodydouble.perception.landmarks import BodyLandmarks
from seen_bodies import upright_body

SIZE = (640, 360)


def _body(shift: float) -> BodyLandmarks:
    segmentation = np.zeros((256, 256), np.uint8)
    segmentation[100:150, 100:150] = 255
    return upright_body(shift, segmentation)


def _with_wrist(body: BodyLandmarks, x: float) -> BodyLandmarks:
    points = body.points.copy()
    points[15, 0] += x
    return replace(body, points=points)


def test_an_even_walk_is_interpolated():
    """At constant speed the interpolated body is exactly half way, and so is its mask."""
    before, after = _body(10), _body(20)

    middle = interpolate_body(before, after)

    assert is_motion_even(_body(0), before, after, SIZE)
    assert np.allclose(middle.points, _body(15).points)
    assert np.allclose(middle.matrix[:, 2], before.matrix[:, 2] + [5, 0])
    assert middle.segmentation[125, 125] == 255
    assert middle.segmentation[200, 200] == 0


def test_a_share_of_the_way_is_interpolated():
    """A quarter and three quarters of the way, points and mask lie where an even walk has them."""
    before, after = _body(10), _body(30)

    for share, shift in ((0.25, 15), (0.75, 25)):
        body = interpolate_body(before, after, share)
        assert np.allclose(body.points, _body(shift).points)
        assert np.allclose(body.matrix[:, 2], before.matrix[:, 2] + [shift - 10, 0])
        assert body.segmentation[125, 125] == 255


def test_a_jerk_is_measured():
    """A hand that turns round, or moves by more than half a body width, is not interpolated."""
    turning = [_with_wrist(_body(10 * k), x) for k, x in enumerate((0, 40, 0))]
    racing = [_with_wrist(_body(10 * k), x) for k, x in enumerate((0, 60, 120))]

    assert not is_motion_even(*turning, SIZE)  # pyright: ignore[reportCallIssue]
    assert not is_motion_even(*racing, SIZE)  # pyright: ignore[reportCallIssue]


def test_points_outside_the_picture_do_not_count():
    """The network only guesses points beyond the border: their jumps do not make a motion uneven, jumps inside do."""
    beside = [_with_wrist(_body(10 * k), x) for k, x in enumerate((642, 780, 645))]  # just outside, and far

    assert is_motion_even(*beside, SIZE)  # pyright: ignore[reportCallIssue]
    assert not is_motion_even(*beside, (1280, 360))  # pyright: ignore[reportCallIssue]


def test_an_arm_that_disappears_is_measured():
    """A frame is measured where the visibility of an arm changes much."""
    hidden = replace(_body(20), visibility=np.where(np.arange(33) == 15, 0.1, 1).astype(np.float32))

    assert not is_motion_even(_body(0), _body(10), hidden, SIZE)


def test_who_is_lost_for_a_moment_stays_where_they_were():
    """Between two sightings at one place the body is interpolated."""
    between = bridged(_body(0), _body(40), 3)

    assert np.allclose([body.points[11, 0] for body in between], [210, 220, 230])


def test_who_is_found_elsewhere_or_much_later_was_not_hidden():
    """Nothing is guessed for somebody who went away meanwhile, or who is somebody of another size."""
    body = _body(0)

    assert bridged(body, _body(150), 3) == []
    assert bridged(body, body, BRIDGED_FRAMES_MAX + 1) == []
    assert bridged(body, replace(body, points=150 + 0.5 * (body.points - 150)), 3) == []
