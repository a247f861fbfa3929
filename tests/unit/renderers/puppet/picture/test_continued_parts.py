"""Legs below the row at which a picture's lower edge cuts them off."""

import numpy as np
import pytest

from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.continued_parts import Canvas, cut_at_edge, leg_below
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.extension import EDGE, ExtendedPicture
from bodydouble.renderers.puppet.picture.garment import legs_mask
from bodydouble.renderers.puppet.picture.layered_body import fitted_body
from mannequin import joints, picture, track_of
from tube_body import tube_body

THIGHS = 310
"""A row of the mannequin in the middle of the thighs."""


@pytest.mark.parametrize("hidden", [True, False])
def test_a_thigh_behind_a_hand_is_as_wide_as_the_body(hidden: bool):
    """Where a hand hides a leg's side at the edge, the leg is not narrower there; a leg that ends there is."""
    pose = joints()
    mask = picture(pose)[1]
    fit = fitted_body(mask, anatomy_of(track_of([pose])), tube_body(), (0, 0))[0]
    leg = legs_mask(fit, tube_body(), (mask.shape[0], mask.shape[1]))["l"]
    own = np.flatnonzero(leg[THIGHS])
    person, arms = np.zeros(mask.shape, np.bool_), np.zeros(mask.shape, np.bool_)
    person[:THIGHS, own[0] : own[len(own) // 2]] = True
    arms[:THIGHS, own[len(own) // 2] : own[-1] + 10] = hidden
    blank = np.zeros((*mask.shape, 3), np.float32)
    extended = ExtendedPicture(
        image=blank.astype(np.uint8),
        cutout=Cutout(alpha=(person | arms).astype(np.float32), colour=blank),
        made_up=~person,
        naked=np.zeros_like(person),
        edge=THIGHS,
    )
    canvas = Canvas(
        extended=extended, fit=fit, template=tube_body(), person=person, bare=np.zeros_like(person), arms=arms
    )
    cut = cut_at_edge(canvas, np.ones(mask.shape[1], np.bool_))
    assert cut is not None
    assert cut.behind_arms == (False, hidden)
    made = leg_below(canvas, "l", THIGHS - EDGE, cut, cut.usual, False)
    assert made is not None
    width = np.count_nonzero(made.alpha[THIGHS] > 0.5)
    assert (width >= len(own)) == hidden
