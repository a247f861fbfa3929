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


def test_a_hand_behind_somebody_else_is_hidden(scene):
    """A passer-by covers the forearm: what goes on beyond is no detached piece, and the covered part is no hole."""
    wall, made, track, matte, actor = scene
    others = np.zeros((500, 500), np.bool_)
    elbow, wrist = (track.body[0, joint, :2].astype(int) for joint in (BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST))
    others[elbow[1] + 4 : wrist[1] - 4, elbow[0] - 40 : wrist[0] + 40] = True
    hidden = np.where(others[..., None], wall, made)
    covered = np.where(others, 0, matte).astype(np.uint8)

    torn, whole = Tears(), Tears()
    torn.add(track, 0, covered, actor, difference(wall, hidden))
    whole.add(track, 0, covered, actor, difference(wall, hidden), others)

    assert (torn.torn(), whole.torn()) == (1, 0)


def test_a_piece_beside_somebody_else_is_detached(scene):
    """Only who stands between the piece and the body hides what joins them."""
    wall, made, track, matte, actor = scene
    others = np.zeros((500, 500), np.bool_)
    others[:, 470:] = True
    cv2.circle(made, (450, 60), 18, (225, 40, 40), -1)
    tears = Tears()
    tears.add(track, 0, matte, actor, difference(wall, made), others)
    assert tears.torn() == 1


def test_a_wrist_that_looks_like_the_wall_joins_its_hand(scene):
    """A limb of nearly the background's colour is no gap; of exactly its colours it is one."""
    wall, made, _, matte, _ = scene
    cv2.circle(made, (450, 200), 16, (225, 40, 40), -1)
    band = np.zeros((500, 500), np.uint8)
    cv2.line(band, (365, 178), (450, 200), 255, 14)
    band[matte > 127] = 0
    faint = np.where(band[..., None] > 0, np.clip(wall.astype(int) + 25, 0, 255), made).astype(np.uint8)

    assert _tears(scene, faint, matte).torn() == 0
    assert _tears(scene, made, matte).torn() == 1


def test_a_desk_before_hips_outside_the_frame_is_no_hole(scene):
    """Where the network guesses the hips below the frame, the body may end at a desk; its chest is searched."""
    wall, made, track, matte, _ = scene
    track.body[0, [BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP], 1] = 560
    track.visibility[0, [25, 26, 27, 28]] = 0
    cut_off, low = matte.copy(), made.copy()
    cut_off[90:330, 260:340], low[90:330, 260:340] = 255, (40, 70, 160)
    cut_off[330:], low[330:] = 0, wall[330:]
    assert _tears(scene, low, cut_off).torn() == 0

    chest = np.s_[170:200, 280:320]
    low[chest], cut_off[chest] = wall[chest], 0
    assert _tears(scene, low, cut_off).torn() == 1


def _cut_at(scene, row: int):
    """The scene above ``row``."""
    wall, made, track, matte, actor = scene
    return wall[:row], made[:row], track, matte[:row], actor[:row]


def test_a_shin_that_goes_on_beyond_the_frame_is_not_searched_at_its_guessed_end(scene):
    """An ankle below the frame is a guess: what is beside the leg there is no hole."""
    knee, ankle = (scene[2].body[0, joint, :2].copy() for joint in (BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE))
    cut = _cut_at(scene, round(float(0.1 * knee[1] + 0.9 * ankle[1])))
    scene[2].body[0, BodyPoint.LEFT_ANKLE, 0] += 14

    assert _tears(cut, cut[1]).torn() == 0

    whole = (*scene[:3], np.where(scene[3] > 0, 255, 0).astype(np.uint8), scene[4])
    assert _tears(whole, whole[1]).torn() == 1


def test_a_leg_that_came_off_above_the_frames_edge_is_torn(scene):
    """The upper half of a thigh is searched though its knee is below the frame."""
    wall, made, track, matte, _ = scene
    hip, knee = (track.body[0, joint, :2].copy() for joint in (BodyPoint.LEFT_HIP, BodyPoint.LEFT_KNEE))
    row = round(float(0.2 * hip[1] + 0.8 * knee[1]))
    gap = np.s_[
        int(0.8 * hip[1] + 0.2 * knee[1]) : int(0.6 * hip[1] + 0.4 * knee[1]), int(hip[0]) - 40 : int(hip[0]) + 40
    ]
    made[gap], matte[gap] = wall[gap], 0
    cut = _cut_at(scene, row)

    assert _tears(cut, cut[1]).torn() == 1
