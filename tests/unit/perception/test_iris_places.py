"""Irises that look up."""

import cv2
import numpy as np
import pytest

from bodydouble.perception.iris_places import iris_shift

ANGLE = np.linspace(np.pi, -np.pi, 16, endpoint=False)
CONTOUR = np.stack([32 + 14 * np.cos(ANGLE), 32 - 5.5 * np.sin(ANGLE)], 1)
RING = np.array([[32, 32], [37, 32], [32, 27], [27, 32], [32, 37]], np.float64)
"""What the network sees in every eye of these tests."""


def _eye(iris: tuple[int, int] | None, colour: int = 40) -> np.ndarray:
    """(64, 64, 3) an open eye whose iris of that ``colour`` has its middle at ``iris``; None: it is shut."""
    patch = np.full((64, 64, 3), 170, np.uint8)
    if iris is None:
        cv2.line(patch, (18, 36), (46, 36), (60, 50, 50), 1)
        return patch
    opening = np.zeros((64, 64), np.uint8)
    cv2.ellipse(opening, (32, 31), (14, 8), 0, 0, 360, 1, -1)
    patch[opening > 0] = 200
    disc = np.zeros((64, 64), np.uint8)
    cv2.circle(disc, iris, 5, 1, -1)
    patch[(disc > 0) & (opening > 0)] = colour
    return patch


def test_an_iris_above_the_networks_is_found() -> None:
    """An iris half below the upper lid is where the picture shows it, not in the white below."""
    shift = iris_shift(_eye((34, 25)), RING, CONTOUR)
    assert shift == pytest.approx([2, -6.5], abs=2)


@pytest.mark.parametrize("iris", [(32, 32), (30, 31), None])
def test_irises_in_place_and_shut_eyes_stay(iris: tuple[int, int] | None) -> None:
    """Where the network's iris is dark, and where nothing above it is, its landmarks are right."""
    assert np.abs(iris_shift(_eye(iris), RING, CONTOUR)).max() < 1


def test_light_irises_stay() -> None:
    """A light blue iris is as dark as its lashes are, all in all."""
    patch = _eye((32, 32), colour=120)
    cv2.ellipse(patch, (32, 31), (14, 8), 0, 180, 360, (70, 60, 60), 1)
    assert np.abs(iris_shift(patch, RING, CONTOUR)).max() < 1
