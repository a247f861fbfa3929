"""Holes in the character and pieces that came off."""

import cv2
import numpy as np
import pytest

from bodydouble.evaluation.regions import difference
from bodydouble.evaluation.tears import Tears
from bodydouble.perception.landmark_indices import BodyPoint
from mannequin import joints, picture, track_of
from synthetic_scene import scenery


@pytest.fixture
def scene():
    """A wall, the character before it, its track and matte; the actor was to the left of it."""
    pose = joints(head=45, centre=300)
    person, mask = picture(pose)
    wall = scenery(500, 500)
    made = np.where(mask[..., None] > 0.5, person, wall).astype(np.uint8)
    actor = np.zeros((500, 500), np.uint8)
    actor[100:400, 60:120] = 255
    return wall, made, track_of([pose]), (mask * 255).astype(np.uint8), actor


def _tears(scene, made, matte=None) -> Tears:
    wall, _, track, whole, actor = scene
    tears = Tears()
    tears.add(track, 0, whole if matte is None else matte, actor, difference(wall, made))
    return tears


def test_a_whole_character_is_not_torn(scene):
    """No hole and no piece, neither between arm and body nor between the legs."""
    whole = _tears(scene, scene[1])

    assert whole.torn() == 0
    assert whole.holes() == pytest.approx(0, abs=0.002)
    assert whole.pieces() == 0


def test_background_inside_the_body_is_a_hole_though_the_matte_covers_it(scene):
    """A gap at the hip shows the wall: a segmentation network does not see it, the pixels tell."""
    wall, made, track, _, _ = scene
    torn = made.copy()
    hip = track.body[0, BodyPoint.LEFT_HIP, :2].astype(int)
    torn[hip[1] - 12 : hip[1] + 12, hip[0] - 40 : hip[0] + 40] = wall[
        hip[1] - 12 : hip[1] + 12, hip[0] - 40 : hip[0] + 40
    ]

    found = _tears(scene, torn)

    assert found.torn() == 1
    assert found.holes() > 0.01


def test_a_transparent_body_is_a_hole(scene):
    """Where the matte is open inside the body something is missing, also in front of the actor."""
    matte = scene[3].copy()
    shoulder = scene[2].body[0, BodyPoint.LEFT_SHOULDER, :2].astype(int)
    cv2.circle(matte, shoulder.tolist(), 20, 0, -1)
    scene[4][:] = 255

    assert _tears(scene, scene[1], matte).torn() == 1


def test_a_piece_in_the_air_is_detached(scene):
    """A hand that hangs beside the character."""
    made = scene[1].copy()
    cv2.circle(made, (450, 60), 18, (225, 40, 40), -1)

    found = _tears(scene, made)

    assert found.torn() == 1
    assert found.pieces() > 0.005
    assert found.holes() == pytest.approx(0, abs=0.002)


def test_nobody_is_not_measured(scene):
    """Frames without a character say nothing."""
    scene[2].present[:] = False

    assert _tears(scene, scene[1]).torn() is None


def test_a_toe_that_is_guessed_beyond_the_foot_is_no_hole(scene):
    """Between ankle and toe nothing is searched: bare feet are shorter than the network takes them to be."""
    _, made, track, _, _ = scene
    track.body[0, [31, 32], 1] += 40
    assert _tears(scene, made).torn() == 0


def test_a_matte_that_lost_the_character_shows_no_hole(scene):
    """An empty matte is the network's failure; the pixels still tell what is missing."""
    wall, made, track, matte, _ = scene
    lost = np.zeros_like(matte)
    torn = made.copy()
    hip = track.body[0, BodyPoint.LEFT_HIP, :2].astype(int)
    here = np.s_[hip[1] - 12 : hip[1] + 12, hip[0] - 40 : hip[0] + 40]
    torn[here] = wall[here]

    assert _tears(scene, made, lost).torn() == 0
    assert _tears(scene, torn, lost).torn() == 1
