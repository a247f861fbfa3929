"""What the mask of the removed person misses."""

import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.key_plates import PLAIN_ALPHA
from bodydouble.renderers.puppet.compositing.left_over import with_left_over
from mannequin import joints

WALL, SHOE, SKIN = (150, 146, 140), (240, 240, 235), (200, 90, 60)
BOX, SHAPE = (0, 0, 240, 200), (480, 640)
"""The crop, and the height and width of the whole picture."""
BODY = joints(20.0, 2000.0, 20.0)[:, :2]
"""Landmarks far outside the picture."""


def _scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A person in white before a grey wall: the mask, the frame and the plate, which some frame showed everywhere."""
    gone = np.zeros((200, 240), np.uint8)
    gone[40:160, 80:140] = 255
    frame = np.full((200, 240, 3), WALL, np.uint8)
    plate = np.dstack([frame, np.full((200, 240), 255, np.uint8)])
    frame[50:150, 90:130] = SHOE
    return gone, frame, plate


def test_a_shoe_that_the_mask_cuts_is_removed_whole() -> None:
    """It touches the mask, differs from the plate and has colours of what is removed. All else stays."""
    gone, frame, plate = _scene()
    frame[130:150, 130:156] = SHOE
    found = with_left_over(gone, frame, plate, BODY, BOX, SHAPE)
    assert (found[128:152, 130:160] == 255).all()
    assert (found[:, 168:] == 0).all()
    assert (found[:120] == gone[:120]).all()


@pytest.mark.parametrize(
    ("stop", "colour"),
    [(156, (40, 60, 200)), (240, SHOE), (156, (110, 107, 103))],
    ids=["another colour", "goes on", "shade"],
)
def test_what_is_not_the_persons_stays(stop: int, colour: tuple[int, int, int]) -> None:
    """A thing of another colour, one that goes on far from the mask, and a shadow touch it and are left."""
    gone, frame, plate = _scene()
    frame[120:150, 130:stop] = colour
    assert (with_left_over(gone, frame, plate, BODY, BOX, SHAPE) == gone).all()


def test_what_goes_on_beyond_the_crop_stays() -> None:
    """A shadow that a side of the crop cuts is left whole: it would end there in a straight edge."""
    gone, frame, plate = _scene()
    frame[130:150, 130:] = SHOE
    crop = np.s_[:, :156]
    box = (0, 0, 156, 200)
    found = with_left_over(gone[crop], frame[crop], plate[crop], BODY, box, SHAPE)
    assert (found[:, 150:] == 0).all()
    whole = with_left_over(gone[crop], frame[crop], plate[crop], BODY, box, (480, 156))
    assert (whole[130:150, 130:156] == 255).all()


def test_beside_a_made_up_plate_nothing_is_found() -> None:
    """A difference from a background that no frame showed says nothing."""
    gone, frame, plate = _scene()
    frame[130:150, 130:156] = SHOE
    plate[..., 3] = 0
    assert (with_left_over(gone, frame, plate, BODY, BOX, SHAPE) == gone).all()


def test_a_haze_of_hair_beside_the_head_is_removed_before_a_plain_wall() -> None:
    """It looks like shade, and no frame showed what is behind it. Elsewhere the same stays."""
    gone, frame, plate = _scene()
    frame[60:100, 124:144] = (110, 107, 103)
    plate[..., 3] = PLAIN_ALPHA
    head = joints(40.0, 110.0, 60.0)[:, :2]
    assert (with_left_over(gone, frame, plate, head, BOX, SHAPE)[64:96, 124:144] == 255).all()
    assert (with_left_over(gone, frame, plate, BODY, BOX, SHAPE) == gone).all()


def test_a_single_hair_is_removed_before_an_even_plate() -> None:
    """It is fainter than other things, blended with the wall, and broken. A line that goes on far away stays."""
    gone, frame, plate = _scene()
    body = BODY.copy()
    body[23:25, 1] = 200.0  # the hips: hair is above them
    frame[100:104, 130:144] = frame[100:104, 148:158] = (138, 135, 130)
    frame[60:64, 130:] = (138, 135, 130)
    found = with_left_over(gone, frame, plate, body, BOX, SHAPE)
    assert (found[100:104, 130:158] == 255).all()
    assert (found[:88] == gone[:88]).all()


def _hand(frame: np.ndarray) -> np.ndarray:
    """The landmarks of a person whose hand, in ``frame`` (H, W, 3), ends at the mask."""
    frame[130:142, 118:140] = SKIN
    body = BODY.copy()
    body[15], body[19] = (112.0, 136.0), (140.0, 136.0)
    return body


def test_what_a_hand_holds_stays() -> None:
    """A thing in the colours of the person's clothes, beside the mask where the hand is."""
    gone, frame, plate = _scene()
    body = _hand(frame)
    frame[130:142, 140:150] = SHOE
    assert (with_left_over(gone, frame, plate, body, BOX, SHAPE) == gone).all()


def test_a_blurred_hand_is_removed() -> None:
    """Beside the mask where the hand is, its skin is blended with the wall."""
    gone, frame, plate = _scene()
    body = _hand(frame)
    frame[130:142, 140:150] = np.uint8(0.4 * np.array(SKIN) + 0.6 * np.array(WALL))
    assert (with_left_over(gone, frame, plate, body, BOX, SHAPE)[130:142, 140:150] == 255).all()
