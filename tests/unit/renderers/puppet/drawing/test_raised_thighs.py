"""The lower side of the thighs of somebody who sits."""

import numpy as np

from bodydouble.perception.arrays import Bytes
from bodydouble.renderers.puppet.drawing.raised_thighs import Underside, raised, undersides_of

NAVY = (20, 30, 60, 255)


def _leg() -> Bytes:
    rgba = np.zeros((100, 80, 4), np.uint8)
    rgba[10:60, 30:50] = NAVY
    rgba[60:, 34:46] = (200, 150, 120, 255)
    return rgba


def test_a_thigh_raised_towards_the_camera_has_a_lower_side_of_its_cloth() -> None:
    """It surrounds the hip in the shorts' colour, lighter in its middle; a thigh that hangs down shows none."""
    joints = np.zeros((33, 3))
    joints[23], joints[25] = (40, 10, 0), (40, 70, 0)
    under = undersides_of({"leg_l": _leg()}, joints)["leg_l"]
    assert under.radius == 10
    hip, knee = np.array([50.0, 70.0, 0.0]), np.array([60.0, 40.0, -50.0])

    drawn = under.drawn(hip, knee, 1.0, (100, 100))

    assert drawn is not None
    (x0, y0, x1, y1), rgba = drawn
    assert (x0 <= 40, x1 >= 60, y0 <= 46, y1 >= 80) == (True,) * 4
    middle, edge = rgba[70 - y0, 50 - x0], rgba[70 - y0, 43 - x0]
    assert middle[3] > 240
    assert edge[3] > 150
    assert np.abs(middle[:3].astype(int) - NAVY[:3]).max() <= 9
    assert edge[:3].sum() + 10 < middle[:3].sum()
    assert under.drawn(hip, np.array([50.0, 130.0, 0.0]), 1.0, (100, 100)) is None


def test_a_lower_side_comes_into_sight_by_and_by() -> None:
    """A thigh that is raised aside, or points at the camera and down, shows none of it."""
    hip = np.zeros(3)
    assert raised(hip, np.array([80.0, -60.0, -10.0])) == 0
    assert raised(hip, np.array([0.0, 20.0, -90.0])) == 0
    assert 0 < raised(hip, np.array([0.0, -15.0, -90.0])) < raised(hip, np.array([0.0, -50.0, -80.0])) == 1


def test_a_leg_without_a_thigh_has_no_lower_side() -> None:
    """Its picture shows no cloth between hip and knee."""
    assert Underside.of(_leg(), np.array([0.0, 0.0]), np.array([0.0, 8.0])) is None
