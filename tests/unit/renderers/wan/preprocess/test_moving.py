"""Placing the driver's skeleton at the character's position."""

import numpy as np

import mannequin
from bodydouble.perception.whole_body import WholeBody, whole_body
from bodydouble.renderers.wan.preprocess import MovePreprocessor
from bodydouble.renderers.wan.preprocess.moving import fit, place
from stored_frames import Stored


def body(shoulders: float, hips: float, width: float, centre: float = 100.0, hips_seen: bool = True) -> WholeBody:
    """A body with only shoulders and hips, at the given heights and ``width`` apart."""
    points, confidence = np.zeros((133, 2)), np.zeros(133, np.float32)
    for k, (side, height) in {5: (1, shoulders), 6: (-1, shoulders), 11: (1, hips), 12: (-1, hips)}.items():
        points[k] = centre + side * width / 2, height
        confidence[k] = 1.0 if k < 7 or hips_seen else 0.1
    return WholeBody(points=points, confidence=confidence)


def test_the_trunk_measures_the_size() -> None:
    """A trunk of 100 pixels mapped onto one of 50 gives scale 0.5 and aligned shoulders, whatever their width."""
    placement = place(body(200, 300, 80), body(60, 110, 10, centre=40))
    assert placement is not None
    assert placement.scale == 0.5
    np.testing.assert_allclose(placement.scale * np.array([100, 200]) + placement.shift, [40, 60])


def test_without_hips_the_shoulders_measure_the_size() -> None:
    """In a chest portrait, shoulders 20 pixels apart mapped onto shoulders 60 apart give scale 3."""
    placement = place(body(200, 300, 20), body(60, 110, 60, hips_seen=False))
    assert placement is not None
    assert placement.scale == 3.0


def test_without_measurable_points_there_is_no_placement() -> None:
    """Without a placement, the whole frame is centred in the reference image."""
    nobody = WholeBody(points=np.zeros((133, 2)), confidence=np.zeros(133, np.float32))
    assert place(nobody, body(60, 110, 10)) is None
    placement = fit((100, 50), (200, 200))
    assert placement.scale == 2.0
    np.testing.assert_allclose(placement.shift, [0, 50])


def test_each_shot_of_the_video_starts_from_the_picture() -> None:
    """After a cut to a closer view, the skeleton has the same size and starts at the character's position."""
    near, far = mannequin.joints(head=20.0, centre=80.0, top=10.0), mannequin.joints(head=10.0, centre=40.0, top=30.0)
    track = mannequin.track_of([far, far, near], shots=[0, 0, 1])
    character = mannequin.joints(head=15.0, centre=60.0, top=20.0)
    still = mannequin.track_of([character])
    footage = Stored(np.zeros((3, 160, 160, 3), np.uint8))
    preprocessor = MovePreprocessor(footage, track, whole_body(still, 0, (120, 160)), (120, 160), area_min=1)
    poses = [frame.pose for frame in preprocessor.read(0, 3)]
    assert poses[0].shape == (160, 128, 3)
    assert all(frame.mask is None and frame.background is None for frame in preprocessor.read(0, 3))
    boxes = [np.argwhere(pose.any(-1)) for pose in poses]
    for low, high in ((boxes[0].min(0), boxes[2].min(0)), (boxes[0].max(0), boxes[2].max(0))):
        np.testing.assert_allclose(low, high, atol=3)


def test_the_drivers_face_and_box_are_placed_like_the_skeleton() -> None:
    """Both shots put the driver where the character is in the picture, and count as one shot."""
    near, far = mannequin.joints(head=20.0, centre=80.0, top=10.0), mannequin.joints(head=10.0, centre=40.0, top=30.0)
    track = mannequin.track_of([far, near], shots=[0, 1])
    character = mannequin.track_of([mannequin.joints(head=15.0, centre=60.0, top=20.0)])
    for whole in (track, character):
        whole.box[:] = np.concatenate([np.nanmin(whole.body[..., :2], 1), np.nanmax(whole.body[..., :2], 1)], 1)
    track.face[:], track.face_found[:] = track.body[:, :1], True
    size = (120, 160)
    footage = Stored(np.zeros((2, 160, 160, 3), np.uint8))
    placed = MovePreprocessor(footage, track, whole_body(character, 0, size), size, area_min=1).placed_track()
    for box, face in zip(placed.box, placed.face, strict=True):
        np.testing.assert_allclose(box, character.box[0], atol=3)
        np.testing.assert_allclose(face[0, :2], character.body[0, 0, :2], atol=3)
    assert (placed.shot.tolist(), placed.face_found.tolist()) == ([0, 0], [True, True])
