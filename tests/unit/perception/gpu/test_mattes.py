import numpy as np
import pytest
import torch

import mannequin
import material
import tiny_perception
from bodydouble.perception.geometry import Roi
from bodydouble.perception.gpu import mattes as module
from bodydouble.perception.gpu.mattes import SamMatteMaker
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.person_landmarks import PersonLandmarks

MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


@pytest.fixture(scope="module")
def sam():
    """One network for all tests."""
    return tiny_perception.make_sam()


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """A man who talks, 9 frames."""
    return material.carphone(9, 120)


@pytest.fixture
def person(pictures) -> PersonLandmarks:
    """Somebody whose sure points lie in the picture."""
    height, width = pictures[0].shape[:2]
    joints = mannequin.joints(head=height / 9, centre=width / 2, top=5)
    body = BodyLandmarks(
        points=joints,
        depth=np.zeros(33),
        visibility=np.full(33, 0.9, np.float32),
        score=0.9,
        segmentation=np.zeros((1, 1), np.uint8),
        matrix=np.zeros((2, 3)),
        next_roi=Roi(x=width / 2, y=height / 2, size=height),
    )
    return PersonLandmarks(body=body)


@pytest.fixture(autouse=True)
def trusting(monkeypatch):
    """Random weights know no bodies: masks count as lying on them unless a test says otherwise."""
    monkeypatch.setattr(module, "_holds", lambda *_: True)


def maker(sam) -> SamMatteMaker:
    return SamMatteMaker(sam, MEAN, DEVIATION)


def spread(matte, picture):
    return matte.spread(picture.shape[1], picture.shape[0])


def test_streaming_tracks_as_the_network_does_over_a_whole_video(sam, pictures, person):
    """Frame by frame, with what is out of reach forgotten, the logits are those of a session that holds the video."""
    streamed = maker(sam)
    streamed._begin()
    streamed._prompt(person, (pictures[0].shape[1], pictures[0].shape[0]))
    prompt = streamed._session.point_inputs_per_obj[0][0]
    pixels = [streamed._pixels(picture) for picture in pictures]

    ours = [streamed._track(p) for p in pixels]

    whole = streamed._session_type(video=torch.cat(pixels), inference_device="cpu", dtype=sam.dtype)
    whole.obj_id_to_idx(1)
    whole.add_point_inputs(0, 0, prompt)
    whole.obj_with_new_inputs = [1]
    theirs = [o.pred_masks[0, 0] for o in sam.propagate_in_video_iterator(whole, start_frame_idx=0)]
    assert len(theirs) == len(ours)
    assert ours[0].max() > ours[0].min()
    for a, b in zip(ours, theirs, strict=True):
        assert np.allclose(a, b.numpy(), atol=1e-4)


def test_a_resumed_run_makes_the_same_mattes(sam, pictures, person):
    """What ``saved`` answers is all that the next window needs."""
    through, first, second = maker(sam), maker(sam), maker(sam)
    expected = []
    for k, picture in enumerate(pictures[:6]):
        if k == 3:
            through.saved()
        expected.append(spread(through.make(picture, person), picture))

    for picture in pictures[:3]:
        first.make(picture, person)
    second.restore(first.saved())

    for picture, matte in zip(pictures[3:6], expected[3:], strict=True):
        assert np.array_equal(spread(second.make(picture, person), picture), matte)


def test_what_is_out_of_reach_is_forgotten(sam, pictures, person):
    """After many frames the session holds no pictures and only as many memories as the network looks back to."""
    made = maker(sam)
    for picture in [*pictures, *pictures]:
        made.make(picture, person)

    session = made._session
    assert not session.processed_frames
    assert len(session.output_dict_per_obj[0]["non_cond_frame_outputs"]) <= made._memory_frames
    assert len(session.frames_tracked_per_obj[0]) <= made._memory_frames


def test_a_mask_that_left_the_body_is_prompted_anew(sam, pictures, person, monkeypatch):
    """Where the mask does not hold the body's points a fresh session begins with this frame's points."""
    monkeypatch.setattr(module, "_holds", lambda *_: False)
    made = maker(sam)

    made.make(pictures[0], person)
    first = made._session
    made.make(pictures[1], person)

    assert made._session is not first
    assert made._frame == 1


def test_a_cut_starts_from_nothing(sam, pictures, person):
    """After a reset a frame's matte is that of a first frame."""
    made = maker(sam)
    made.make(pictures[0], person)

    made.reset()

    fresh = maker(sam).make(pictures[5], person)
    assert np.array_equal(spread(made.make(pictures[5], person), pictures[5]), spread(fresh, pictures[5]))


@pytest.mark.parametrize(("inside", "holds"), [(True, True), (False, False)])
def test_masks_are_held_against_the_body(person, pictures, monkeypatch, inside, holds):
    """Logits above 0 on the trunk hold the body, logits above 0 elsewhere do not."""
    monkeypatch.undo()
    height, width = pictures[0].shape[:2]
    xs = np.linspace(0, width, 256)
    on_body = np.abs(xs - width / 2) < width / 4
    logits = np.tile(np.where(on_body == inside, 5, -5).astype(np.float32), (256, 1))

    assert module._holds(logits, person, (width, height)) == holds


def test_mattes_follow_the_pictures_edges(pictures):
    """Alpha of half a picture becomes a box about that half, opaque inside."""
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[:, :80] = 200
    alpha = np.zeros((120, 160), np.float32)
    alpha[:, :80] = 1

    matte = module._refined(picture, alpha)

    assert matte.box[2] < 90
    assert spread(matte, picture)[60, 40] == 255
    assert spread(matte, picture)[60, 100] == 0


def test_nobody_has_an_empty_matte():
    """An alpha of nothing is spread to nothing."""
    picture = np.zeros((120, 160, 3), np.uint8)

    matte = module._refined(picture, np.zeros((120, 160), np.float32))

    assert not spread(matte, picture).any()
