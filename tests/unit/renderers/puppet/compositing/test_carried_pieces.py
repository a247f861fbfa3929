"""Pieces of a picture that may be carried."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.compositing.carried_pieces import Looks, pieces, stands_alone
from bodydouble.renderers.puppet.compositing.carrier_view import Carrier, View
from bodydouble.renderers.puppet.compositing.colours import LEVELS
from bodydouble.renderers.puppet.compositing.occlusion import PARTS
from mannequin import joints, picture

SIZE = (600, 500)
WOOD = (120, 20, 90)
BOARD = np.s_[200:280, 420:520]


def view_of(image: np.ndarray, mask: np.ndarray, plate: np.ndarray, body: np.ndarray | None = None) -> View:
    """The view of a whole frame with the mannequin in it, of one pixel for two."""
    who = Carrier.of(joints() if body is None else body, np.full((2, 21, 2), np.nan))
    with_seen = np.asarray(cv2.cvtColor(plate, cv2.COLOR_RGB2RGBA), np.uint8)
    matte = (mask * 255).astype(np.uint8)
    return View.of(np.asarray(image, np.uint8), with_seen, matte, who, (0, 0, *SIZE), SIZE[1])


def looks_of(view: View) -> Looks:
    """Every part has all colours of the person in the view."""
    own = np.zeros((PARTS, LEVELS**3), np.bool_)
    own[:, view.codes[view.person | view.rim]] = True
    return Looks(own=own, main=np.zeros_like(own))


def half_of_board(view: View) -> np.ndarray:
    """(h, w) the left half of the board's place."""
    piece = np.zeros(view.person.shape, np.bool_)
    rows, columns = (slice(s.start // view.step, s.stop // view.step) for s in BOARD)
    piece[rows, columns.start : (columns.start + columns.stop) // 2] = True
    return piece


def test_a_thing_between_two_hands_is_found() -> None:
    """It extends far from each of them, though nowhere far from both."""
    body = joints()
    body[[14, 13]] = [[190, 190], [310, 190]]
    body[[16, 18, 20]], body[[15, 17, 19]] = [225, 200], [265, 200]
    plate = np.full((SIZE[1], SIZE[0], 3), 150, np.uint8)
    image, mask = plate.copy(), np.zeros(SIZE[::-1], np.float32)
    image[188:212, 228:262] = WOOD
    nothing = np.zeros((PARTS, LEVELS**3), np.bool_)
    found = pieces(view_of(image, mask, plate, body), Looks(own=nothing, main=nothing), None)
    assert [piece.hands for piece in found] == [(0, 1)]


def test_nothing_is_found_where_the_plate_is_wrong_all_about() -> None:
    """A scene that moves behind the person is no thing, even where a part of it begins at a hand."""
    image, mask = picture(joints(), SIZE)
    plate = image.copy()
    right, wrong = image.copy(), image.copy()
    hand = np.s_[245:275, 100:165]
    right[hand] = WOOD
    wrong[:, 380:] = wrong[hand] = WOOD
    wrong[mask > 0.5] = image[mask > 0.5]
    nothing = np.zeros((PARTS, LEVELS**3), np.bool_)
    looks = Looks(own=nothing, main=nothing)
    assert any(piece.hands for piece in pieces(view_of(right, mask, plate), looks, None))
    assert not pieces(view_of(wrong, mask, plate), looks, None)


def test_a_part_of_a_solid_thing_stands_alone() -> None:
    """The other half of a board may have the colours of clothes, and differs from the plate too."""
    image, mask = picture(joints(), SIZE)
    plate = image.copy()
    image[BOARD] = WOOD
    view = view_of(image, mask, plate)
    assert stands_alone(view, half_of_board(view))


def test_a_piece_of_misplaced_texture_does_not_stand_alone() -> None:
    """About it single pixels differ from the plate everywhere."""
    image, mask = picture(joints(), SIZE)
    plate = image.copy()
    specks = np.random.default_rng(1).random((SIZE[1] // 4, SIZE[0] // 4)) < 0.5
    specks = np.kron(specks, np.ones((4, 4), np.bool_))
    image[specks & (mask < 0.5)] = WOOD
    view = view_of(image, mask, plate)
    assert not stands_alone(view, half_of_board(view))


def test_a_face_at_a_raised_hand_is_not_carried() -> None:
    """It turned into sight, so the head's known colours lack it; a microphone before it is partly beside the head."""
    body = joints()
    hand, face = body[[16, 18, 20]], np.round(body[0]).astype(int)
    body[14], body[[16, 18, 20]] = [190, 130], hand - hand.mean(0) + face + [-15, 22]
    plate = np.full((SIZE[1], SIZE[0], 3), 150, np.uint8)
    image, mask = picture(body, SIZE)
    image[mask < 0.5] = 150
    looks = looks_of(view_of(image, mask, plate, body))
    for left, is_carried in ((-8, False), (-60, True)):
        shown = image.copy()
        shown[face[1] - 8 : face[1] + 14, face[0] + left : face[0] + 14] = WOOD
        assert bool(pieces(view_of(shown, mask, plate, body), looks, None)) == is_carried
