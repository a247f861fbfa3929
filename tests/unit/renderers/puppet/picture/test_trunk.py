"""The trunk below the picture's edge."""

from dataclasses import replace

import numpy as np

from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.trunk import collar_row, neckline_closed, rows_continued
from mannequin import joints, track_of


def test_a_picture_that_ends_at_the_chest_is_never_continued_with_its_face() -> None:
    """Every row that is added is one from below the collar, whatever the number."""
    rows = np.arange(100, dtype=np.float32)[:, None, None] * np.ones((1, 3, 3), np.float32)
    longer = rows_continued(rows, 60, 95)
    assert longer.shape == (195, 3, 3)
    assert np.array_equal(longer[:100], rows)
    assert longer[100:].min() >= 60
    assert (np.abs(np.diff(longer[99:, 0, 0])) <= 1).all()
    few = rows_continued(rows[..., 0], 96, 95)
    assert few.shape == (195, 3)
    assert np.allclose(few[100:], 97.5)


def test_the_collar_is_below_the_shoulders_and_below_the_chin() -> None:
    """A picture that ends at the neck still leaves some rows to continue."""
    anatomy = anatomy_of(track_of([joints(60.0, 250.0, 30.0)]))
    assert 110 <= collar_row(anatomy, 500) < 125
    face = np.full((478, 3), 150.0)
    assert collar_row(replace(anatomy, face=face), 500) > 150
    assert 80 <= collar_row(anatomy, 90) < 90


def test_a_neck_at_the_pictures_edge_does_not_reach_down_to_the_hips() -> None:
    """Skin narrows to a point below the picture; under it there is the cloth of both sides."""
    rows = np.full((60, 100, 3), 200, np.float32)
    rows[:, 40:60] = 90
    alpha = np.ones(100, np.float32)
    alpha[:10] = alpha[90:] = 0
    rows[:, :10] = rows[:, 90:] = 0
    closed = neckline_closed(rows, alpha, 50.0, 30)
    skin = (closed[..., 0] < 120).sum(1)
    assert skin[0] >= 18
    assert (np.diff(skin[:30]) <= 0).all()
    assert (closed[32:] > 190).all()
