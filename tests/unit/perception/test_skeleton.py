import numpy as np
import pytest

from bodydouble.perception.skeleton import draw_skeleton, stick_width
from bodydouble.perception.whole_body import LEFT_HAND, WholeBody

BLACK = [0, 0, 0]


def body(points: dict[int, tuple[float, float]], confidence: float = 1.0) -> WholeBody:
    """Only the given points of COCO-WholeBody are known."""
    where, known = np.zeros((133, 2)), np.zeros(133, np.float32)
    for index, point in points.items():
        where[index], known[index] = point, confidence
    return WholeBody(points=where, confidence=known)


@pytest.mark.parametrize(("side", "stick"), [(200, 1), (480, 1), (720, 2), (1080, 4)])
def test_sticks_grow_with_the_short_side(side, stick):
    """A 200th of the short side less one, at least one pixel, whichever side is the short one."""
    assert stick_width(side, 2 * side) == stick_width(2 * side, side) == stick


def test_a_forearm_is_an_ellipse_between_two_discs():
    """Limb 5 at 0.6 of its colour, one pixel above and below its axis; both joints in their own full colours."""
    picture = draw_skeleton(body({7: (20, 50), 9: (60, 50)}), 200, 200)

    assert picture[49:52, 40].tolist() == [[51, 153, 0]] * 3
    assert picture[[48, 52], 40].tolist() == [BLACK, BLACK]
    assert picture[50, 20].tolist() == [0, 255, 0]
    assert picture[50, 60].tolist() == [0, 255, 85]
    rows, columns = np.nonzero(picture.any(-1))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (49, 51, 19, 61)


def test_an_upright_leg_stands_where_its_joints_are():
    """Right knee to ankle to toe: the limbs' colours follow the model's list, not the joints'."""
    picture = draw_skeleton(body({14: (100, 40), 16: (100, 100), 20: (90, 120), 21: (110, 120)}), 200, 200)

    assert picture[70, 100].tolist() == [0, 153, 102]  # limb 8: (0, 255, 170) x 0.6
    assert picture[110, 100].tolist() == [120, 120, 0]  # limb 18: (200, 200, 0) x 0.6
    assert picture[120, 100].tolist() == [100, 100, 0]  # the toe is half way between the big and the small one
    assert picture[120, 90].tolist() == BLACK


def test_the_neck_is_half_way_between_the_shoulders():
    """Both collar bones end there, and the neck's disc lies over them."""
    picture = draw_skeleton(body({5: (140, 60), 6: (60, 60)}), 200, 200)

    assert picture[60, 80].tolist() == [153, 0, 0]
    assert picture[60, 120].tolist() == [153, 51, 0]
    assert picture[60, 100].tolist() == [255, 85, 0]


def test_unsure_points_are_not_drawn():
    """Below 0.5 a point is unknown; at 0.5 it is drawn."""
    points = {7: (20.0, 50.0), 9: (60.0, 50.0)}

    assert not draw_skeleton(body(points, 0.49), 200, 200).any()
    assert draw_skeleton(body(points, 0.5), 200, 200).any()


def test_a_hand_is_drawn_over_the_body():
    """Bones in a rainbow that starts with red at the thumb, blue discs at every knuckle, one over the wrist."""
    wrist = LEFT_HAND.start
    hand = {9: (50, 100), wrist: (50, 100), wrist + 1: (70, 100), wrist + 5: (50, 60), wrist + 6: (50, 40)}

    picture = draw_skeleton(body(hand), 200, 200)

    assert picture[100, 60].tolist() == [255, 0, 0]
    assert picture[80, 50].tolist() == [204, 255, 0]  # hue 4/20
    assert picture[50, 50].tolist() == [128, 255, 0]  # hue 5/20
    assert picture[100, 50].tolist() == [0, 0, 255]


def test_faces_are_not_drawn_and_heads_are():
    """The 68 face points leave no mark; nose, eyes and ears do."""
    assert not draw_skeleton(body(dict.fromkeys(range(23, 91), (100, 100))), 200, 200).any()
    assert draw_skeleton(body({0: (100, 100), 1: (110, 90)}), 200, 200).any()


def test_points_far_outside_do_no_harm():
    """A limb that leaves the picture is cut at its edge."""
    picture = draw_skeleton(body({7: (-1e9, 50), 9: (60, 50)}), 200, 200)

    assert picture[50, 60].tolist() == [0, 255, 85]
    assert picture[50, 0].tolist() == [51, 153, 0]
