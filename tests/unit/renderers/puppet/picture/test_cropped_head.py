"""Heads that the picture's borders cut off."""

from dataclasses import replace

import cv2
import numpy as np

from bodydouble.renderers.puppet.motion.head import OVAL, Head
from bodydouble.renderers.puppet.picture.anatomy import Anatomy, anatomy_of, shifted
from bodydouble.renderers.puppet.picture.cropped_head import head_outline, with_whole_head
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.margins import with_margins
from mannequin import joints, track_of

CENTRE = np.array([150.0, 140.0])
HAIR, SKIN = (90.0, 60.0, 30.0), (210.0, 170.0, 150.0)


def _portrait() -> tuple[Anatomy, Cutout]:
    """A face 100 px wide in hair that ends 20 px above row 65, in a picture of 300 x 300."""
    around = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    face = np.zeros((478, 3)) + [*CENTRE, 0]
    face[list(OVAL), :2] += np.stack([50 * np.sin(around), -65 * np.cos(around)], 1)
    head = Head(rotation=np.eye(3), centre=CENTRE, origin=np.r_[CENTRE, 0], width=100.0, height=45.0)
    anatomy = replace(anatomy_of(track_of([joints(80.0, 150.0, 60.0)])), face=face, head=head)
    alpha, colour = np.zeros((300, 300), np.float32), np.zeros((300, 300, 3), np.float32)
    for axes, paint in (((76, 95), HAIR), ((50, 65), SKIN)):
        cv2.ellipse(alpha, (150, 140), axes, 0, 0, 360, 1.0, -1)
        cv2.ellipse(colour, (150, 140), axes, 0, 0, 360, paint, -1)
    return anatomy, Cutout(alpha=alpha, colour=colour)


def test_a_head_that_the_upper_edge_cuts_off_gets_a_round_top_of_hair() -> None:
    """What the picture lacks of the head is made up in its outline and its hair's colour."""
    anatomy, whole = _portrait()
    cut, lower = Cutout(alpha=whole.alpha[65:], colour=whole.colour[65:]), shifted(anatomy, 0, -65)
    outline = head_outline(lower, cut)
    assert outline is not None
    margins = outline.beyond(lower.head.centre, 300)
    assert 12 < margins.top < 30
    assert margins.sides == (0, 0)
    widened = with_margins(np.zeros((235, 300, 3), np.uint8), cut, margins)[1]
    made = with_whole_head(widened, shifted(lower, 0, margins.top), outline, margins)
    was, now = whole.alpha[65 - margins.top : 65] > 0.5, made.alpha[: margins.top] > 0.5
    assert (was & now).sum() > 0.75 * (was | now).sum()
    assert np.abs(made.colour[: margins.top][was & now] - HAIR).max() < 1
    assert np.array_equal(made.colour[margins.top :], cut.colour)


def test_a_head_that_the_picture_shows_whole_is_left_as_it_is() -> None:
    """A body that the lower edge cuts off is no head."""
    anatomy, whole = _portrait()
    assert head_outline(anatomy, Cutout(alpha=whole.alpha[:200], colour=whole.colour[:200])) is None
