from dataclasses import replace

import numpy as np
import pytest

import mannequin
from bodydouble.perception.track import empty_track
from bodydouble.perception.whole_body import FACE, LEFT_HAND, RIGHT_HAND, WRISTS, whole_body

SIZE = (500, 500)


@pytest.fixture
def track():
    """One frame of somebody who stands."""
    return mannequin.track_of([mannequin.joints()])


def test_body_and_feet_come_from_blazepose(track):
    """Shoulders, hips, ankles, heels and toes are where BlazePose has them; the subject's left is at image right."""
    body = whole_body(track, 0, SIZE)
    pose = mannequin.joints()

    for index, blazepose in ((0, 0), (5, 11), (6, 12), (11, 23), (15, 27), (16, 28), (19, 29), (17, 31), (21, 32)):
        assert np.allclose(body.points[index], pose[blazepose], atol=1e-4)
        assert body.confidence[index] == pytest.approx(0.95)
    assert body.points[5, 0] > body.points[6, 0]


def test_face_and_hands_that_were_not_found_are_unknown(track):
    """Without them only body and feet have a confidence."""
    body = whole_body(track, 0, SIZE)

    assert not body.confidence[FACE.start :].any()
    assert body.confidence[: FACE.start].all()


def test_a_found_hand_brings_its_wrist(track):
    """The right hand's 21 points are taken as they are, and the right wrist is its first one."""
    track.hand_found[0, 1] = True
    track.hands[0, 1, :, :2] = np.linspace((100, 200), (120, 260), 21)

    body = whole_body(track, 0, SIZE)

    assert np.allclose(body.points[RIGHT_HAND], track.hands[0, 1, :, :2])
    assert (body.confidence[RIGHT_HAND] == 1).all()
    assert body.points[WRISTS[1]].tolist() == [100, 200]
    assert not body.confidence[LEFT_HAND].any()


def test_the_face_runs_from_jaw_to_lips(track):
    """The 68 points are those of the mesh at the jaw's ends, the chin, the nose's tip and the eye's outer corner."""
    track.face_found[0] = True
    track.face[0, :, 0], track.face[0, :, 1] = np.arange(478), 7

    face = whole_body(track, 0, SIZE).points[FACE]

    assert len(face) == 68
    assert [int(face[k, 0]) for k in (0, 8, 16, 30, 36, 48)] == [127, 152, 356, 4, 33, 61]


def test_what_is_guessed_beyond_the_frame_is_not_drawn_but_still_carries_the_neck(track):
    """A shoulder outside has less than half the confidence it was given, and the mean of both stays above half."""
    shoulders = whole_body(track, 0, (270, 500)).confidence[[5, 6]]

    assert shoulders[0] < 0.5 < shoulders.mean()


def test_measured_whole_bodies_are_taken_as_they_are(track):
    """Where a whole-body network looked, its points and confidences win over all others."""
    measured = np.tile(np.array([30, 40, 0.7], np.float32), (1, 133, 1))

    body = whole_body(replace(track, whole_body=measured), 0, SIZE)

    assert np.allclose(body.points, [30, 40])
    assert np.allclose(body.confidence, 0.7)


def test_nobody_is_nobody():
    """In an empty frame nothing has a confidence, and no point is NaN."""
    body = whole_body(empty_track(1), 0, SIZE)

    assert not body.confidence.any()
    assert not np.isnan(body.points).any()
