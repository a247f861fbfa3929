"""Fingers that the landmarks of a hand miss."""

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.hands import keep_hand
from bodydouble.renderers.puppet.compositing.light import Light, lab_of
from bodydouble.renderers.puppet.compositing.missed_fingers import MissedFingers, missed_fingers

SKIN = (205, 160, 140)
ELBOW = np.array([100.0, 280.0])
LENGTH = 40.0


def fist() -> np.ndarray:
    """(21, 2) px: a wrist at (100, 180) with short fingers above it, up to the row 130."""
    points = np.zeros((21, 2))
    points[0] = (100, 180)
    for finger in range(5):
        for joint in range(4):
            points[1 + 4 * finger + joint] = (84 + 8 * finger, 140 - 3 * joint)
    return points


def person(level: int = 255, width: int = 8, x: int = 92, tip: tuple[int, int] | None = None) -> np.ndarray:
    """(300, 200) matte of the fist, its arm, and a finger upwards, or to the ``tip``, of ``level`` and ``width`` px."""
    matte = np.zeros((300, 200), np.uint8)
    cv2.line(matte, (100, 180), (100, 280), 255, 24)
    cv2.line(matte, (x, 140), tip or (x, 90), level, width)
    cv2.rectangle(matte, (80, 128), (120, 180), 255, -1)
    return matte


def leg(foot: int) -> np.ndarray:
    """(300, 200) matte of the fist and a thin shin upwards from it, with a foot at the row ``foot``."""
    matte = person(tip=(92, foot))
    cv2.circle(matte, (92, foot), 14, 255, -1)
    return matte


def found(matte: np.ndarray, other: np.ndarray | None = None) -> MissedFingers | None:
    return missed_fingers(matte, fist(), ELBOW, LENGTH, other)


def test_a_finger_that_the_landmarks_take_for_a_fist_is_kept() -> None:
    """Its skin is kept with the hand, up to the tip."""
    points, matte = fist(), person()
    image = np.full((300, 200, 3), 128, np.uint8)
    image[matte > 0] = SKIN
    own = lab_of(np.array([[SKIN]], np.uint8))[0, 0].astype(np.float64)
    light = Light(gain=np.ones(3), exposure=1.0, brightness=0.0, follow=np.ones(1), actor_skin=own, character_skin=own)

    hand = keep_hand(image, matte, points, ELBOW, light, own, 1.0)

    assert hand is not None
    x0, y0, x1, _ = hand.box
    assert hand.alpha[95 - y0 : 125 - y0, 92 - x0].min() > 0.8
    assert hand.alpha[100 - y0, 110 - x0 : x1 - x0].max() < 0.05


@pytest.mark.parametrize(
    "matte",
    [person(level=70), person(width=24), person(x=30), person(tip=(40, 210)), leg(96), leg(20)],
    ids=["faint throughout", "as wide as an arm", "not at the hand", "beside the forearm", "a shin", "a long shin"],
)
def test_what_is_no_finger_is_left(matte: np.ndarray) -> None:
    """Faint background, other arms, what does not begin at the hand or point as it does, and legs."""
    assert found(person()) is not None
    assert found(matte) is None


def test_fingers_of_the_other_hand_are_that_hands() -> None:
    """They would be drawn twice, and moved with both wrists."""
    other = fist()
    other[:, 0] -= 8
    other[5:9] = np.stack([np.full(4, 92.0), np.linspace(135, 88, 4)], 1)

    assert found(person(), other) is None


def test_a_hand_whose_other_hand_is_unknown_keeps_its_fingers() -> None:
    """Landmarks that are not known are NaN."""
    assert found(person(), np.full((21, 2), np.nan)) is not None
