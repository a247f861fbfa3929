from dataclasses import replace

import numpy as np

from bodydouble.perception.geometry import Roi
from bodydouble.perception.inbetween import between, is_even
from bodydouble.perception.landmarks import BodyLandmarks


def _body(shift: float) -> BodyLandmarks:
    points = np.random.default_rng(2).uniform(100, 200, (33, 2))
    points[[11, 12, 23, 24]] = [[200, 100], [100, 100], [180, 250], [120, 250]]
    segmentation = np.zeros((256, 256), np.float32)
    segmentation[100:150, 100:150] = 1
    roi = Roi(x=150 + shift, y=150, size=256)
    return BodyLandmarks(
        points=points + [shift, 0],
        depth=np.zeros(33),
        visibility=np.ones(33, np.float32),
        score=1.0,
        segmentation=segmentation,
        matrix=roi.matrix(256),
        next_roi=roi,
    )


def _with_wrist(body: BodyLandmarks, x: float) -> BodyLandmarks:
    points = body.points.copy()
    points[15, 0] += x
    return replace(body, points=points)


def test_an_even_walk_is_foretold():
    """With constant speed the body between is exactly half way, its mask with it."""
    before, after = _body(10), _body(20)

    middle = between(before, after)

    assert is_even(_body(0), before, after)
    assert np.allclose(middle.points, _body(15).points)
    assert np.allclose(middle.matrix[:, 2], before.matrix[:, 2] + [5, 0])
    assert middle.segmentation[125, 125] == 1
    assert middle.segmentation[200, 200] == 0


def test_a_jerk_is_looked_at():
    """A hand that turns round, or moves by more than half a body width, is not foretold."""
    assert not is_even(_with_wrist(_body(0), 0), _with_wrist(_body(10), 40), _with_wrist(_body(20), 0))
    assert not is_even(_with_wrist(_body(0), 0), _with_wrist(_body(10), 60), _with_wrist(_body(20), 120))


def test_somebody_who_disappears_is_looked_at():
    """Where an arm's visibility changes much the frame between is measured."""
    hidden = replace(_body(20), visibility=np.where(np.arange(33) == 15, 0.1, 1).astype(np.float32))

    assert not is_even(_body(0), _body(10), hidden)
