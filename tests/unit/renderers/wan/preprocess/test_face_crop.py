"""Face boxes and crops."""

import numpy as np
import pytest

from bodydouble.perception.track import PersonTrack, empty_track
from bodydouble.renderers.wan.preprocess.face_crop import HOLD_FRAMES, crop_face, face_box, face_boxes

WIDTH, HEIGHT = 640, 360


def talking(frames: int, found: list[int], step: float = 0.0) -> PersonTrack:
    """A head at (200, 120) that moves right by ``step`` pixels per frame; its face is found in the frames ``found``."""
    track = empty_track(frames)
    track.present[:] = True
    track.visibility[:, [0, 2, 5, 7, 8]] = 0.9
    for i in range(frames):
        track.body[i, :, :2] = (200 + step * i, 120)
        if i in found:
            track.face_found[i] = True
            track.face[i, :, :2] = np.resize([(150, 80), (250, 160)], (478, 2)) + (step * i, 0)
    return track


def test_a_box_is_a_third_larger_and_reaches_up():
    """Each side of 100 x 80 pixels grows by the root of 1.3: 7 left and right, 8.4 above, 2.8 below; then truncated."""
    box = face_box(np.array([[100.0, 100.0], [200.0, 180.0]]), WIDTH, HEIGHT)

    assert box.tolist() == [92, 91, 207, 182]


def test_a_box_ends_at_the_frame():
    """The box is clipped to the frame."""
    box = face_box(np.array([[2.0, 3.0], [638.0, 358.0]]), WIDTH, HEIGHT)

    assert box.tolist() == [0, 0, WIDTH, HEIGHT]


def test_a_lost_face_keeps_its_box_on_the_head():
    """The box follows the head and keeps its size."""
    boxes = face_boxes(talking(4, [0], step=10), WIDTH, HEIGHT)

    assert (boxes[3] - boxes[0]).tolist() == [30, 0, 30, 0]


def test_a_face_lost_for_long_is_black():
    """After ``HOLD_FRAMES`` there is no box until the face is found again."""
    frames = HOLD_FRAMES + 6

    boxes = face_boxes(talking(frames, [0, frames - 1]), WIDTH, HEIGHT)

    shown = ~np.isnan(boxes[:, 0])
    assert shown.tolist() == [True] * (HOLD_FRAMES + 1) + [False] * 4 + [True]


def test_no_face_is_carried_over_a_cut():
    """After a cut, the box of the previous shot is not kept."""
    track = talking(6, [0])
    track.shot[3:] = 1

    assert np.isnan(face_boxes(track, WIDTH, HEIGHT)[:, 0]).tolist() == [False] * 3 + [True] * 3


def test_a_box_outside_the_frame_is_black():
    """The box follows a head out of the frame, and is dropped once nothing of it is inside."""
    boxes = face_boxes(talking(10, [0], step=80), WIDTH, HEIGHT)

    assert not np.isnan(boxes[4]).any()
    assert np.isnan(boxes[7]).all()


def test_empty_frames_have_no_box():
    """Frames without a person have no face box."""
    assert np.isnan(face_boxes(empty_track(3), WIDTH, HEIGHT)).all()


@pytest.mark.parametrize("side", [20, 300])
def test_crops_are_512_square_whatever_the_box(side):
    """Small and large boxes are stretched to 512 x 512 and contain the box's pixels."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[10 : 10 + side, 30 : 30 + 2 * side] = (10, 200, 30)

    crop = crop_face(image, np.array([30.0, 10.0, 30 + 2 * side, 10 + side]))

    assert crop.shape == (512, 512, 3)
    assert (crop == (10, 200, 30)).all()


def test_without_a_box_the_crop_is_black():
    """The crop is all zero, which is -1 in the model's range."""
    crop = crop_face(np.full((HEIGHT, WIDTH, 3), 200, np.uint8), np.full(4, np.nan))

    assert crop.shape == (512, 512, 3)
    assert not crop.any()
