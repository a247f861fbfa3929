"""Where a head is and how it is turned."""

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.motion.head import (
    FACELESS_TURN_MAX,
    TURN_MAX,
    head_of_body,
    head_of_face,
    limited_turn,
)
from mannequin import joints


def plain_face() -> np.ndarray:
    """(478, 3) points of which those that matter lie like a face's, 100 px wide, the others in its middle."""
    face = np.zeros((478, 3))
    places = {
        234: (-50, 0, 40), 454: (50, 0, 40), 33: (-35, -20, 5), 263: (35, -20, 5),
        132: (-48, 25, 40), 361: (48, 25, 40),
        152: (0, 70, 10), 10: (0, -70, 10), 377: (12, 68, 10), 148: (-12, 68, 10), 151: (0, -55, 5), 9: (0, -30, 0),
        164: (0, 20, -5),
    }  # fmt: skip
    for index, place in places.items():
        face[index] = place
    return face


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.2, -0.5, 0.1), (-0.3, 0.6, -0.4)])
def test_a_turned_face_gives_its_rotation(angles):
    """Turning all points turns the axes by as much; size stays."""
    plain = head_of_face(plain_face())
    turn = cv2.Rodrigues(np.array(angles))[0]
    head = head_of_face(plain_face() @ turn.T + [300, 200, 0])
    assert np.allclose(head.rotation, turn @ plain.rotation, atol=1e-9)
    assert np.isclose(head.size, plain.size)
    assert np.allclose(np.linalg.det(head.rotation), 1)


def test_small_turns_are_followed_and_large_ones_limited():
    """28 degrees of a mesh are followed nearly whole, 57 are a profile's; nothing passes the limit."""
    limit = np.degrees(TURN_MAX) + 0.1
    for degrees, low, high in ((10, 13.8, 14.1), (28, 36, 39.3), (57, 61, 70), (170, 60, limit)):
        wanted = cv2.Rodrigues(np.array([0.0, np.radians(degrees), 0.0]))[0]
        got = np.degrees(np.linalg.norm(cv2.Rodrigues(limited_turn(np.eye(3), wanted))[0]))
        assert low <= got <= high


def test_a_nod_is_followed_as_it_is_seen():
    """The network measures pitch well: 20 degrees stay about 20."""
    wanted = cv2.Rodrigues(np.array([np.radians(20), 0.0, 0.0]))[0]
    got = np.degrees(np.linalg.norm(cv2.Rodrigues(limited_turn(np.eye(3), wanted))[0]))
    assert 18 < got < 20


def test_roll_is_followed_whole():
    """A head laid on its shoulder is not limited, and the flat parts turn with it."""
    wanted = cv2.Rodrigues(np.array([0.0, 0.0, 1.2]))[0]
    assert np.allclose(limited_turn(np.eye(3), wanted), wanted)


def test_a_body_seen_from_behind_still_has_a_facing_head():
    """With ears swapped the puppet's head looks at the camera, upright."""
    body = np.c_[joints(), np.zeros(33)]
    front = head_of_body(body)
    body[:, 0] = 500 - body[:, 0]
    back = head_of_body(body)
    for head in (front, back):
        assert head.rotation[0, 0] > 0.5
        assert head.rotation[1, 1] > 0.9
    assert np.isclose(front.width, back.width)


def test_a_head_without_a_face_turns_little():
    """The head of a picture without a face turns by less than ``FACELESS_TURN_MAX``, however far the actor's does."""
    head = head_of_body(np.random.default_rng(0).random((33, 3)) * 100)
    wanted = head.rotation @ cv2.Rodrigues(np.array([0, np.radians(80), 0]))[0]
    turn = limited_turn(head.rotation, wanted, head.turn_max)
    angle = np.linalg.norm(cv2.Rodrigues(head.rotation.T @ turn)[0])
    assert 0.5 * FACELESS_TURN_MAX < angle < FACELESS_TURN_MAX
