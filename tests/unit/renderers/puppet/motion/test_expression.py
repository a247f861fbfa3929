"""Expressions from one face onto another."""

from typing import Any

import numpy as np

from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.renderers.puppet.motion.actor_lips import COLUMNS, lips_of
from bodydouble.renderers.puppet.motion.expression import (
    EYES,
    LIP_PAIRS,
    LOWER_LIP,
    MOUTH_CORNERS,
    MOUTH_LIFT_REST,
    MOUTH_WIDTH_REST,
    UPPER_LIP,
    Expression,
    apply_expression,
    eye_openings,
    mouth_gap,
    mouth_shape,
    neutral_of,
    resting_face,
    smoothstep,
)


def face(gap: float = 0.0, mouth_width: float = 0.38, lids: float = 0.2) -> np.ndarray:
    """(478, 3) normalised: lips ``gap`` apart, eyes ``lids`` open, everything else far away."""
    points = np.full((478, 3), 3.0)
    for k, (upper, lower) in enumerate(LIP_PAIRS):
        x = (k + 1) // 2 * (-1) ** k * 0.03  # the middle pair first, then outwards in turn
        points[upper], points[lower] = (x, 0.9 - gap / 2, 0), (x, 0.9 + gap / 2, 0)
    for column in COLUMNS[1:-1]:
        upper, lower = points[column[3]], points[column[4]]
        for k in range(3):
            points[column[k]], points[column[7 - k]] = upper - [0, 0.015 * (3 - k), 0], lower + [0, 0.02 * (3 - k), 0]
    for corners, side in zip(COLUMNS[[0, -1], :4], (-1, 1), strict=True):
        points[corners] = np.stack([side * (mouth_width / 2 - 0.01 * np.arange(4)), np.full(4, 0.9), np.zeros(4)], 1)
    for (top, bottom, left, right, iris), x in zip(EYES, (-0.3, 0.3), strict=True):
        points[top], points[bottom] = (x, -0.1 - lids / 2, 0), (x, -0.1 + lids / 2, 0)
        points[left], points[right] = (x - 0.12, -0.1, 0), (x + 0.12, -0.1, 0)
        points[iris] = (x, -0.1, 0)
    return points


def still(lids: float = 1.0, **changed: Any) -> Expression:
    kept = {
        "offsets": np.zeros((478, 3)),
        "gaze": np.zeros(2),
        "mouth": np.array([0.38, MOUTH_LIFT_REST, 0.0]),
        "smile": 0.0,
        "lips": lips_of(face()),
        "lips_rest": lips_of(face()),
    }
    return Expression(lids=np.array([lids, lids]), **(kept | changed))


def test_smoothstep_runs_from_0_to_1():
    """Nothing below, everything above, half in the middle."""
    assert np.allclose(smoothstep(2, 4, np.array([1.0, 3.0, 9.0])), [0, 0.5, 1])


def test_an_open_smile_comes_to_rest():
    """The lips of a resting face meet and its wide mouth is narrower, but no narrower than a usual one."""
    smiling = face(gap=0.2, mouth_width=0.55)
    rest = resting_face(smiling)
    assert mouth_gap(rest) < 1e-9
    width = rest[MOUTH_CORNERS[1], 0] - rest[MOUTH_CORNERS[0], 0]
    assert MOUTH_WIDTH_REST <= width < 0.52


def test_a_resting_face_stays():
    """A closed mouth of usual width whose corners are not raised is not touched."""
    quiet = face(mouth_width=MOUTH_WIDTH_REST)
    quiet[list(MOUTH_CORNERS), 1] -= MOUTH_LIFT_REST
    assert np.allclose(resting_face(quiet), quiet, atol=1e-9)


def test_a_shut_smile_comes_to_rest():
    """The corners of a smiling picture's mouth are as low as those of a resting one, and it is hardly wider."""
    width, lift = mouth_shape(resting_face(smile(0.0)))
    assert abs(lift - MOUTH_LIFT_REST) < 0.005
    assert width < 0.45


def test_the_character_smiles_when_the_actor_does_and_not_otherwise():
    """A smile in the picture is shown for a smiling actor alone, even one who never stops; a quiet one smiles too."""
    for own in (smile(0.0), face()):
        rest = resting_face(own)
        serious = apply_expression(rest, own, still(mouth=np.array([0.36, -0.02, 0.0])))
        smiling = apply_expression(rest, own, still(mouth=np.array([0.45, 0.04, 0.0])))
        assert mouth_shape(serious)[1] < 0
        assert mouth_shape(smiling)[1] > 0.02


def test_the_neutral_face_has_its_mouth_closed_and_eyes_open():
    """Out of talking and blinking frames the quiet ones are taken."""
    quiet = face()
    quiet[list(MOUTH_CORNERS), 1] -= MOUTH_LIFT_REST
    faces = np.stack([face(gap=0.15)] * 20 + [face(lids=0.02)] * 6 + [quiet] * 6)
    assert np.allclose(neutral_of(faces), quiet)


def test_brows_rest_where_they_usually_are():
    """Somebody who shuts the mouth to frown frowns: the neutral brows are those of most frames."""
    speaking, frowning = face(gap=0.15), face()
    speaking[105], frowning[105] = (-0.3, -0.42, 0), (-0.3, -0.36, 0)
    down = face(lids=0.08)
    down[105] = (-0.3, -0.5, 0)  # who looks down does not count
    neutral = neutral_of(np.stack([speaking] * 30 + [frowning] * 10 + [down] * 38))
    assert mouth_gap(neutral) < 0.035
    assert np.allclose(neutral[105], speaking[105])


def test_the_neutral_face_of_somebody_who_smiles_all_the_time_is_serious():
    """A clip of one smile is a smile: the actor's mouth at rest is as wide and as low as usual."""
    width, lift = mouth_shape(neutral_of(np.stack([smile(0.0)] * 5)))
    assert abs(lift - MOUTH_LIFT_REST) < 0.01
    assert width < 0.43


def test_pursed_lips_and_brows_move_more_than_the_landmarks_do():
    """They follow such faces by half; an open mouth becomes as much wider as the actor's."""
    own, offsets = face(), np.zeros((478, 3))
    own[105] = (-0.3, -0.4, 0)
    offsets[105, 1] = 0.04
    offsets[list(MOUTH_CORNERS), 0] = 0.02, -0.02
    pursed = apply_expression(own, own, still(offsets=offsets)) - own
    assert pursed[105, 1] > 0.045
    assert pursed[MOUTH_CORNERS[0], 0] > 0.025
    offsets[[UPPER_LIP, LOWER_LIP], 1] = -0.05, 0.05
    offsets[list(MOUTH_CORNERS), 0] = -0.02, 0.02
    opened = apply_expression(own, own, still(offsets=offsets, mouth=np.array([0.5, MOUTH_LIFT_REST, 0.0]))) - own
    assert abs(opened[MOUTH_CORNERS[0], 0] + 0.02) < 0.002


def test_rounded_lips_are_rounder_than_their_landmarks():
    """A mouth that becomes a tenth narrower by its landmarks becomes a fifth narrower, and its lips fuller."""
    own, offsets = face(gap=0.02), np.zeros((478, 3))
    own[0], own[17] = (0, 0.85, 0), (0, 0.95, 0)  # the lips' outer edges
    offsets[list(MOUTH_CORNERS), 0] = 0.019, -0.019

    def shown(share: float) -> np.ndarray:
        mouth = np.array([0.38 - 0.038 * share, MOUTH_LIFT_REST, 0.0])
        return apply_expression(own, own, still(offsets=offsets * share, mouth=mouth))

    rounded = shown(1.0)
    assert 0.7 < mouth_shape(rounded)[0] / 0.38 < 0.85
    assert rounded[17, 1] - rounded[0, 1] > 1.1 * (own[17, 1] - own[0, 1])
    # A little of it moves the lips a little: nothing sets in at once.
    assert np.abs(shown(0.1) - own)[:468].max() < 0.02


def test_somebody_who_shows_teeth_in_all_frames_has_a_closed_neutral_mouth():
    """The neutral face's lips meet all but a little, so that a smile which never ends is followed."""
    faces = np.stack([face(gap) for gap in (0.2, 0.17, 0.21, 0.18)])
    neutral = neutral_of(faces)
    assert mouth_gap(neutral) < 0.035
    assert np.allclose(neutral[10], face()[10])


def test_lips_keep_their_thickness_as_a_wide_open_mouth_closes():
    """The rim of the lower lip comes up with the lip: it is not drawn out to twice its height."""
    thickness, rim = 0.07, 17
    wide = face(gap=0.25)
    wide[rim] = wide[14] + [0, thickness, 0]
    closed = resting_face(wide)
    assert closed[rim, 1] - closed[14, 1] < 1.3 * thickness


def test_the_rim_of_the_upper_lip_comes_down_with_it():
    """Pressed together, an open mouth's upper lip is no band between an edge that went down and a rim that went up."""
    rim = 12
    wide = face(gap=0.13)
    wide[rim] = wide[13] + [0, -0.01, 0]
    closed = resting_face(wide)
    assert abs(closed[13, 1] - closed[rim, 1] - 0.01) < 0.005


def test_lips_that_meet_lie_in_one_line():
    """Lips that pass each other, or lie at different depths, would show the fold between them."""
    own = face()
    pressed = np.zeros((478, 3))
    for upper, lower in LIP_PAIRS:
        pressed[upper], pressed[lower] = (0.0, 0.02, 0.03), (0.01, -0.02, -0.03)
    shown = apply_expression(own, own, still(offsets=pressed))
    for upper, lower in LIP_PAIRS:
        assert np.allclose(shown[upper], shown[lower])


def test_no_expression_leaves_the_resting_face():
    """With nothing to add the face is the one at rest."""
    own = face(gap=0.1)
    assert np.allclose(apply_expression(resting_face(own), own, still()), resting_face(own))


def smile(gap: float) -> np.ndarray:
    points = face(gap=gap, mouth_width=0.5)
    points[list(MOUTH_CORNERS), 1] -= 0.06
    return points


def test_a_smile_that_opens_takes_the_actors_shape():
    """As narrow as the actor's round mouth, its corners as low; one that stays shut keeps its width."""
    rounded = still(mouth=np.array([0.3, 0.0, 0.0]))
    open_, shut = smile(0.2), smile(0.0)
    width, lift = mouth_shape(apply_expression(open_, open_, rounded))
    assert 0.3 <= width < 0.36
    assert -0.01 < lift < 0.02
    assert np.isclose(mouth_shape(apply_expression(shut, shut, rounded))[0], mouth_shape(shut)[0])


def test_a_small_mouth_is_not_drawn_out():
    """A character's narrow mouth stays so, however wide the actor's opens."""
    own = face(gap=0.2, mouth_width=0.3)
    shown = apply_expression(own, own, still(mouth=np.array([0.5, MOUTH_LIFT_REST, 0.0])))
    assert mouth_shape(shown)[0] <= mouth_shape(own)[0] + 1e-9


def test_brows_stay_where_they_are_when_eyes_close():
    """A blink moves lids and not brows, two thirds of an eye's width above them."""
    own = face(lids=0.08)
    for brow, x in ((105, -0.3), (334, 0.3)):
        own[brow] = (x, -0.1 - 0.16, 0)
    moved = apply_expression(own, own, still(lids=0.0)) - own
    assert np.abs(moved[[105, 334], 1]).max() < 1e-6


def test_lids_close_fully_whatever_the_eyes_size():
    """Opening 0 brings the lids together on small and on large eyes."""
    for size in (0.08, 0.3):
        own = face(lids=size)
        shut = apply_expression(own, own, still(lids=0.0))
        for top, bottom, *_ in EYES:
            assert abs(shut[top, 1] - shut[bottom, 1]) < 0.1 * size


def test_gaze_leaves_the_mesh_as_it_is():
    """The irises' texture follows a gaze: their vertices would fold over the lids."""
    own = face()
    looking = apply_expression(own, own, still(gaze=np.array([0.4, 0.1])))
    assert np.array_equal(looking, apply_expression(own, own, still()))


def test_somebody_who_smiles_all_the_time_makes_the_mouth_wider():
    """A smile is wider than a resting mouth, whether or not the actor ever rests."""
    own = face(mouth_width=0.34)
    shown = apply_expression(own, own, still(mouth=np.array([0.45, 0.05, 0.0])))
    assert 0.38 < mouth_shape(shown)[0] < 0.45


def test_slipped_landmarks_do_not_tear_the_face():
    """Offsets past any face are clipped."""
    assert (apply_expression(face(), face(), still(offsets=np.full((478, 3), 9.0))) - face()).max() < 1


def test_eye_opening_is_height_over_width():
    """A contour 20 wide and 5 high opens by a quarter, however it is turned."""
    angle = np.linspace(np.pi, 3 * np.pi, 16, endpoint=False)
    contour = np.stack([10 * np.cos(angle), 2.5 * np.sin(angle)], 1)
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    assert np.allclose(eye_openings(np.stack([contour, contour @ turn.T])), 0.25, atol=0.01)


def test_a_mouth_opens_as_far_as_the_actors_looks_open():
    """The lips' gap is the actor's, larger than by the offsets alone, and skin below follows; shut lips stay shut."""
    own = face(gap=0.0)
    own[FacePoint.UNDER_NOSE], own[18] = (0, 0.7, 0), own[17] + [0, 0.05, 0]
    offsets = np.zeros((478, 3))
    offsets[[pair[1] for pair in LIP_PAIRS], 1] = 0.1
    mouth, lips = np.array([0.38, MOUTH_LIFT_REST, 0.15]), lips_of(face(gap=0.15))
    shown = apply_expression(own, own, still(offsets=offsets, mouth=mouth, lips=lips))
    shut = apply_expression(own, own, still(mouth=mouth, lips=lips))
    assert np.isclose(mouth_gap(shown), 0.15)
    assert shown[18, 1] > own[18, 1] + 0.03
    assert mouth_gap(shut) < 0.01


def test_lips_that_have_passed_each_other_move_nothing_else():
    """Offsets of an actor who rests with an open mouth can cross shut lips: these stay shut, and the brow in place."""
    own = face(gap=0.0)
    own[9] = (0, -0.5, 0)
    offsets = np.zeros((478, 3))
    offsets[[pair[1] for pair in LIP_PAIRS], 1] = -0.06
    shown = apply_expression(own, own, still(offsets=offsets, mouth=np.array([0.38, MOUTH_LIFT_REST, 0.1])))
    assert mouth_gap(shown) < 0.01
    assert np.isclose(shown[9, 1], own[9, 1])


def test_a_shut_smile_stays_shut():
    """Landmarks of smiling lips lie apart although these are shut; a serious gap, and teeth, are seen."""
    own, smiling = face(), 0.05
    lower = [pair[1] for pair in LIP_PAIRS]

    def gap(lift: float, apart: float) -> float:
        offsets = np.zeros((478, 3))
        offsets[lower, 1] = apart
        seen = still(offsets=offsets, mouth=np.array([0.38, lift, apart]), lips=lips_of(face(apart)))
        return mouth_gap(apply_expression(own, own, seen))

    assert gap(smiling, 0.045) < 0.005
    assert gap(MOUTH_LIFT_REST, 0.045) > 0.03
    assert gap(smiling, 0.15) > 0.13


def test_rounded_lips_leave_the_nose_alone():
    """The upper lip grows by less than the lower one, and what is at the nose stays."""
    own, offsets = face(gap=0.02), np.zeros((478, 3))
    own[0], own[17], own[164] = (0, 0.85, 0), (0, 0.95, 0), (0, 0.75, 0)
    offsets[list(MOUTH_CORNERS), 0] = 0.03, -0.03
    mouth = np.array([0.38 - 0.06, MOUTH_LIFT_REST, 0.0])
    seen = still(offsets=offsets, mouth=mouth, lips=lips_of(own + offsets), lips_rest=lips_of(own))
    moved = apply_expression(own, own, seen) - own
    assert abs(moved[164, 1]) < 0.004
    assert 0 < -moved[0, 1] < moved[17, 1]


def test_cheeks_and_lower_lids_rise_with_a_smile():
    """So they do for an actor who smiles in every frame; a picture that smiles has them already, and lowers them."""
    own = face()
    for cheek, x in ((50, -0.3), (205, -0.25), (280, 0.3), (425, 0.25)):
        own[cheek] = (x, 0.4, 0)
    smiling = still(smile=1.0, mouth=np.array([0.46, 0.06, 0.2]))
    moved = apply_expression(own, own, smiling) - apply_expression(own, own, still())
    assert (moved[[50, 205, 280, 425], 1] < -0.03).all()
    assert moved[205, 0] < 0 < moved[425, 0]
    for top, bottom, *_ in EYES:
        assert moved[bottom, 1] < -0.1 * 0.2
        assert abs(moved[top, 1]) < 0.005
    already = own.copy()
    already[list(MOUTH_CORNERS), :2] += [[-0.05, -0.06], [0.05, -0.06]]
    stay, lowered = (apply_expression(already, already, seen) - already for seen in (smiling, still()))
    assert (np.abs(stay[[50, 205, 280, 425], 1]) < 0.01).all()
    assert (lowered[[50, 205, 280, 425], 1] > 0.03).all()
