"""The shade of feet on the ground."""

from dataclasses import replace

import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.ground_shade import shade_ground
from bodydouble.renderers.puppet.drawing.drawing import Drawing, DrawnFoot

BOX = (100, 50, 300, 250)
GREY = 200
SOLE = 120  # the last row of the shoe, in the box


def _standing(rests: float) -> Drawing:
    """A leg of 20 columns that ends in a shoe of 40, in bounds that begin 10 px within ``BOX``."""
    alpha = np.zeros((150, 150), np.uint8)
    alpha[:100, 60:80] = 255
    alpha[96:111, 60:100] = 255
    foot = DrawnFoot(ankle=np.array([180.0, 155.0]), length=40.0, rests=rests)
    rgba = np.repeat(alpha[..., None], 4, 2)
    return Drawing(
        bounds=(110, 60, 260, 210), rgba=rgba, alpha=alpha, hands=(), face=None, face_cover=None, feet=(foot,)
    )


def _ground(drawing: Drawing, things: np.ndarray | None = None) -> np.ndarray:
    base = np.full((BOX[3] - BOX[1], BOX[2] - BOX[0], 3), GREY, np.uint8)
    shade_ground(base, drawing, BOX, things)
    return base


def test_the_ground_is_dark_below_a_sole_and_as_it_was_farther_away() -> None:
    """Darkest at the sole's edge, less the farther below; the wall beside the leg keeps its light."""
    ground = _ground(_standing(1.0))
    below = ground[SOLE + 1 :, 90, 0].astype(int)
    assert below[0] < 0.75 * GREY
    assert (np.diff(below) >= 0).all()
    assert (ground[SOLE + 30 :] == GREY).all()
    assert (ground[:80] == GREY).all()
    assert (ground[:, :20] == GREY).all()


@pytest.mark.parametrize("rests", [0.0, 0.5])
def test_a_foot_in_the_air_has_no_shade_and_one_that_is_set_down_less(rests: float) -> None:
    """The shade comes and goes with the foot's rest."""
    ground, full = _ground(_standing(rests)), _ground(_standing(1.0))
    assert (ground >= full).all()
    assert (ground[SOLE + 1, 90] > full[SOLE + 1, 90]).all()
    assert (ground == GREY).all() == (rests == 0)


def test_things_before_the_character_are_not_shaded() -> None:
    """A ball before the foot keeps its light."""
    things = np.zeros((200, 200), np.float32)
    things[:, 85:95] = 1
    ground = _ground(_standing(1.0), things)
    assert (ground[:, 85:95] == GREY).all()
    assert (ground[SOLE + 1, 80] < GREY).all()


def test_feet_at_the_edge_of_the_box_and_outside_the_drawing_are_no_error() -> None:
    """A foot that the frame cuts off is shaded as far as the frame shows it."""
    drawing = _standing(1.0)
    base = np.full((125, 200, 3), GREY, np.uint8)
    shade_ground(base, drawing, (100, 50, 300, 175), None)
    assert (base[SOLE + 1, 90] < GREY).all()
    away = replace(drawing, feet=(replace(drawing.feet[0], ankle=np.array([2000.0, 0.0])),))
    assert (_ground(away) == GREY).all()
