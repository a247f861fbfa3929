"""The depths of a picture's joints."""

import numpy as np
import pytest

from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.renderers.puppet.body.skeleton import TWIN_LENGTH, TWIN_MIN, joints_of, lifted
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from mannequin import joints, picture, track_of
from tube_body import tube_body

ARM = (BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_ELBOW)


def _with_arm(share: float, depth: float = 0.0) -> tuple[np.ndarray, float]:
    """A body (33, 3) whose right upper arm has ``share`` of the left one's length on screen, and that length.

    ``depth`` is the network's, of the elbow from the shoulder, over the left one's length.
    """
    body = np.c_[joints(), np.zeros(33)]
    whole = float(np.hypot(*(body[BodyPoint.LEFT_ELBOW, :2] - body[BodyPoint.LEFT_SHOULDER, :2])))
    body[ARM[1]] = body[ARM[0]] + share * (body[ARM[1]] - body[ARM[0]]) + [0, 0, depth * whole]
    return body, whole


def _length(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[ARM[1]] - points[ARM[0]]))


@pytest.mark.parametrize("depth", [0.01, -0.01])
def test_an_arm_whose_tilt_the_network_hardly_sees_is_as_long_as_its_twin(depth: float) -> None:
    """It goes back, or comes forwards if the network says so."""
    body, whole = _with_arm(0.67, depth)
    points = lifted(body)
    assert _length(points) == pytest.approx(TWIN_MIN * whole)
    assert np.sign(points[ARM[1], 2] - points[ARM[0], 2]) == np.sign(depth)


def test_a_tilt_that_the_network_sees_lengthens_no_arm_beyond_its_twin() -> None:
    """The network's depth counts up to the twin's length."""
    body, whole = _with_arm(0.3, 5.0)
    assert _length(lifted(body)) == pytest.approx(TWIN_LENGTH * whole)


def test_arms_without_a_twin_and_far_too_short_ones_stay_flat() -> None:
    """A made-up arm says nothing of the other one's length, and a tilt by more than 60 degrees would be seen."""
    body, whole = _with_arm(0.67)
    assert _length(lifted(body, frozenset({"arm_l"}))) == pytest.approx(0.67 * whole)
    body, whole = _with_arm(0.4)
    assert _length(lifted(body)) == pytest.approx(0.4 * whole)


def test_twins_that_are_nearly_alike_keep_the_networks_depth() -> None:
    """Only what is shorter than a twin can be is changed."""
    body, whole = _with_arm(0.97)
    assert _length(lifted(body)) == pytest.approx(0.97 * whole)


def test_an_arm_on_the_person_whose_hand_is_found_is_believed() -> None:
    """The network is unsure of an elbow before a trunk of its colour; without the hand it is a guess."""
    pose = joints()
    pose[BodyPoint.LEFT_ELBOW, 0] = pose[BodyPoint.LEFT_SHOULDER, 0]
    _, mask = picture(pose)
    track = track_of([pose])
    track.visibility[0, [BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST]] = 0.15
    guessed = joints_of(anatomy_of(track), tube_body(), mask.shape, mask > 0.5)
    track.hands[0, 0, :, :2] = np.linspace(pose[BodyPoint.LEFT_WRIST], pose[BodyPoint.LEFT_INDEX], 21)
    track.hand_found[0, 0] = True
    believed = joints_of(anatomy_of(track), tube_body(), mask.shape, mask > 0.5)
    assert "arm_l" in guessed.made_up
    assert "arm_l" not in believed.made_up


def test_an_arm_beside_the_trunk_is_believed_where_the_person_is() -> None:
    """The network is unsure of arms whose hands are in pockets; an elbow beside the trunk is no guess."""
    pose = joints()
    _, mask = picture(pose)
    track = track_of([pose])
    track.visibility[0, [BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST]] = 0.15
    shown = joints_of(anatomy_of(track), tube_body(), mask.shape, mask > 0.5)
    nobody = joints_of(anatomy_of(track), tube_body(), mask.shape, np.zeros(mask.shape, np.bool_))
    assert "arm_l" not in shown.made_up
    assert "arm_l" in nobody.made_up


def test_an_unsure_arm_that_is_raised_into_the_hair_stays_a_guess() -> None:
    """Wide hair lies beside the trunk, too, and is the person's."""
    pose = joints()
    _, mask = picture(pose)
    pose[BodyPoint.LEFT_ELBOW], pose[BodyPoint.LEFT_WRIST] = pose[BodyPoint.LEFT_SHOULDER] + [[40, -30], [10, -60]]
    track = track_of([pose])
    track.visibility[0, [BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST]] = 0.2
    everywhere = np.ones(mask.shape, np.bool_)
    assert "arm_l" in joints_of(anatomy_of(track), tube_body(), mask.shape, everywhere).made_up


def test_hips_below_the_edge_do_not_come_nearer_to_shoulders_seen_edgewise() -> None:
    """The head tells how tall somebody is whom a half body shows from the side."""
    spines: list[float] = []
    for width in (1.0, 0.1):
        pose = joints()
        middle = pose[[11, 12], 0].mean()
        pose[[11, 12], 0] = middle + width * (pose[[11, 12], 0] - middle)
        found = joints_of(anatomy_of(track_of([pose])), tube_body(), (200, 500))
        spines.append(float(found.hips[1] - found.shoulders[1]))
    assert spines[1] == pytest.approx(spines[0], rel=0.3)
