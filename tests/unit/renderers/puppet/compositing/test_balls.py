"""A ball at a shoe of its own colour."""

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.balls import Sighting, circle_radius, find_ball, known_ball

COLOURS = np.arange(64) < 8


def outline_of(mask: np.ndarray) -> np.ndarray:
    return cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0][:, 0]


def sighting(radius: float, *, y: float) -> Sighting:
    return Sighting(radius=radius, place=(0.0, y), colours=COLOURS)


def drawn(*discs: tuple[int, int, int]) -> np.ndarray:
    mask = np.zeros((120, 160), np.uint8)
    for x, y, radius in discs:
        cv2.circle(mask, (x, y), radius, 1, -1)
    return mask


def test_a_circle_is_told_from_a_shoe() -> None:
    """A disc has its radius; a long or a cornered piece is not round."""
    assert circle_radius(outline_of(drawn((50, 50, 14)))) == pytest.approx(14, abs=0.6)
    shoe = cv2.ellipse(np.zeros((120, 160), np.uint8), (60, 60), (24, 12), 10, 0, 360, 1, -1)
    assert circle_radius(outline_of(shoe)) is None
    square = np.zeros((60, 60), np.uint8)
    square[10:40, 10:40] = 1
    assert circle_radius(outline_of(square)) is None


def test_a_ball_is_what_is_seen_again_at_the_same_size() -> None:
    """Three alike among others make a ball of their size; two, or three that differ, make none."""
    alike = [sighting(14.0, y=0.1), sighting(14.5, y=0.5), sighting(15.0, y=0.9)]
    odd = Sighting(radius=40.0, place=(0.0, 0.0), colours=~COLOURS)

    ball = known_ball([*alike, odd])

    assert ball is not None
    assert 14 <= ball.radius <= 15
    assert np.array_equal(ball.colours, COLOURS)
    assert known_ball(alike[:2]) is None
    assert known_ball([sighting(6.0, y=0.1), sighting(14.0, y=0.5), sighting(40.0, y=0.9)]) is None


def test_round_things_of_different_colours_are_no_ball() -> None:
    """Two bags and a sign have one size by chance."""
    sign = Sighting(radius=14.2, place=(0.6, -1.0), colours=~COLOURS)
    bags = [sighting(14.0, y=0.1), sighting(14.5, y=0.5)]
    assert known_ball([*bags, sign]) is None
    assert known_ball([*bags, sighting(14.2, y=-1.0)]) is not None


def test_what_keeps_its_place_on_the_body_is_no_ball() -> None:
    """A bun of hair and a round print are seen again and again, and move with the person."""
    assert known_ball([sighting(14.0, y=y) for y in (1.3, 1.32, 1.28, 1.31)]) is None


def test_the_ball_is_found_with_a_shoe_over_its_side() -> None:
    """Ball and shoe of one colour and in one piece: the centre is the ball's to within two pixels."""
    picture = drawn((70, 60, 14))
    cv2.ellipse(picture, (88, 50), (16, 8), 20, 0, 360, 1, -1)

    centre = find_ball(picture > 0, 14.0)

    assert centre is not None
    assert np.hypot(centre[0] - 70, centre[1] - 60) <= 2


def test_a_free_ball_wins_over_a_shoe() -> None:
    """While the ball is in the air, a shoe large enough to be taken for it is not."""
    picture = drawn((40, 30, 14), (110, 90, 15))
    cv2.ellipse(picture, (122, 92), (18, 12), 0, 0, 360, 1, -1)

    centre = find_ball(picture > 0, 14.0)

    assert centre is not None
    assert np.hypot(centre[0] - 40, centre[1] - 30) <= 2


def test_shoes_alone_are_no_ball() -> None:
    """Long or small things fill too little of the disc, a wall of the ball's colour too much around it."""
    shoes = np.zeros((120, 160), np.uint8)
    cv2.ellipse(shoes, (50, 60), (22, 8), 10, 0, 360, 1, -1)
    cv2.circle(shoes, (110, 60), 8, 1, -1)

    assert find_ball(shoes > 0, 14.0) is None
    assert find_ball(np.ones((120, 160), np.bool_), 14.0) is None
    assert find_ball(drawn((50, 50, 2)) > 0, 2.0) is None
