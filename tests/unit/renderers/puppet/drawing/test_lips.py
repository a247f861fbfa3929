"""Lips of a picture with an open mouth."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.drawing.lips import (
    LIP_COLUMNS,
    OUTER_LIPS,
    lip_colour,
    with_lips_alone,
    with_ordered_lips,
)
from bodydouble.renderers.puppet.motion.expression import INNER_LIPS
from bodydouble.renderers.puppet.motion.head import Head

SKIN, LIPS, TEETH = (220, 180, 160, 255), (180, 80, 80, 255), (240, 240, 235, 255)


def _smile(gap: int) -> tuple[np.ndarray, np.ndarray]:
    """A texture with lips whose inner edges are ``gap`` px apart, and the landmarks, which see 3 px less."""
    rgba = np.full((100, 140, 4), SKIN, np.uint8)
    face = np.zeros((478, 2))
    around = np.linspace(np.pi, -np.pi, 20, endpoint=False)
    for points, down in ((OUTER_LIPS, gap / 2 + 12), (INNER_LIPS, max(gap / 2 - 1.5, 0.0))):
        face[list(points)] = np.stack([70 + 40 * np.cos(around), 50 + down * np.sin(around)], 1)
    cv2.ellipse(rgba, (70, 50), (40, gap // 2 + 12), 0, 0, 360, LIPS, -1)
    cv2.ellipse(rgba, (70, 50), (40, gap // 2), 0, 0, 360, TEETH, -1)
    return rgba, face


def test_no_teeth_are_left_beside_the_landmarks() -> None:
    """What an open mouth shows, and a rim around it, becomes lips, dark where they meet."""
    rgba, face = _smile(16)
    closed = with_lips_alone(rgba, face)
    middle = closed[36:64, 45:95].astype(int)
    assert middle[..., 1].max() < 130
    assert middle[14, :, 0].max() < 0.7 * LIPS[0]
    assert np.array_equal(closed[:30], rgba[:30])
    assert np.array_equal(closed[..., 3], rgba[..., 3])


def test_a_row_of_teeth_that_the_landmarks_miss_becomes_lips_too() -> None:
    """The landmarks see the upper row alone; the lower one beside them does not stay on the lip."""
    rgba, face = _smile(16)
    cv2.ellipse(rgba, (70, 55), (25, 8), 0, 0, 360, TEETH, -1)
    assert with_lips_alone(rgba, face)[36:66, 45:95, 1].max() < 150


def test_the_colour_of_lips_is_neither_that_of_teeth_nor_of_skin() -> None:
    """It is looked for between the inner and the outer edge; a picture that cuts the mouth off says nothing."""
    rgba, face = _smile(16)
    colour = lip_colour(rgba, face)
    assert colour is not None
    assert np.allclose(colour, LIPS[:3])
    assert lip_colour(rgba[:20], face) is None


def test_a_shut_mouth_is_left_as_it_is() -> None:
    """Its line is the picture's own."""
    rgba, face = _smile(2)
    assert with_lips_alone(rgba, face) is rgba


def test_a_grin_is_covered() -> None:
    """Lips of a third of the mouth's height still shut it."""
    rgba, face = _smile(40)
    assert with_lips_alone(rgba, face)[50, 60:80, 1].max() < 130


def test_a_wide_smile_keeps_its_teeth() -> None:
    """Lips drawn thin cannot cover the mouth: stretched over it they would be a dark smear."""
    rgba, face = _smile(64)
    assert with_lips_alone(rgba, face) is rgba


def test_lips_whose_landmarks_cross_lie_below_each_other() -> None:
    """Landmarks of a shut mouth may have its lower lip above the upper one; others stay, and so does an open mouth."""
    head = Head(rotation=np.eye(3), centre=np.zeros(2), origin=np.zeros(3), width=100.0, height=60.0)
    face = np.zeros((478, 3))
    face[LIP_COLUMNS, 1] = [40, 43, 46.2, 46, 45.6, 48, 50, 53]
    ordered = with_ordered_lips(face, head)
    assert (np.diff(ordered[LIP_COLUMNS, 1], axis=1) > 0.3).all()
    assert np.abs(ordered - face).max() < 1.2
    assert np.array_equal(ordered[LIP_COLUMNS[:, [0, -1]]], face[LIP_COLUMNS[:, [0, -1]]])
    face[LIP_COLUMNS, 1] = [40, 43, 45, 46, 52, 54, 56, 58]
    assert np.array_equal(with_ordered_lips(face, head), face)
