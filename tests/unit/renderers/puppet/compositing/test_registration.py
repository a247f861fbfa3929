"""How the camera moves."""

import numpy as np

from bodydouble.renderers.puppet.compositing.registration import CameraPath, CameraTracker
from bodydouble.renderers.puppet.compositing.removal import matte_mask
from synthetic_scene import walking_scene


def followed(pan: int) -> CameraPath:
    """The path of a synthetic scene, followed in every other frame."""
    footage, mattes, _, _ = walking_scene(24, pan=pan)
    tracker = CameraTracker(footage.width, footage.height)
    for (index, image), (_, matte) in zip(footage.read(0, 24, 2), mattes.read(0, 24, 2), strict=True):
        tracker.add(index, image, matte_mask(matte))
    return tracker.path(0, 24)


def test_a_panning_camera_is_followed_although_somebody_walks_the_other_way() -> None:
    """The path maps a wall point from frame to frame to a fraction of a pixel."""
    path = followed(pan=3)
    assert not path.still
    for a, b in ((0, 20), (20, 4), (7, 13)):
        x, y, w = path.between(a, b) @ [160.0, 100.0, 1.0]
        assert np.allclose([x / w, y / w], [160 - 3 * (b - a), 100], atol=0.8)


def test_a_camera_that_stands_still_is_recognised() -> None:
    """A walking person alone does not count as camera motion."""
    path = followed(pan=0)
    assert path.still
    assert np.allclose(path.between(0, 23), np.eye(3))
    assert path.share_followed == 1.0


def test_a_striped_floor_does_not_pull_the_camera_along_its_stripes() -> None:
    """Noise slides along the stripes; the path has the movement across them, and a few marks say the rest."""
    noise, rows, columns = np.random.default_rng(0), np.arange(240)[:, None], np.arange(320)[None]
    tracker = CameraTracker(320, 240)
    for index in range(20):
        phase = (rows - 1.5 * index - 0.1 * columns) * (2 * np.pi / 24)
        grey = 120 + 50 * np.tanh(3 * np.sin(phase)) + noise.normal(0, 4, (240, 320))
        for x, y in ((40, 60), (250, 90), (130, 150), (280, 190), (60, 200)):
            top = y + round(1.5 * index)
            grey[top : top + 6, x : x + 6] = 250
        image = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
        tracker.add(index, image, np.zeros((240, 320), np.uint8))
    matrix = tracker.path(0, 20).between(0, 18)
    for point in ((60, 60), (260, 60), (160, 160)):
        x, y, w = matrix @ [*point, 1.0]
        assert np.allclose([x / w, y / w], [point[0], point[1] + 27], atol=1.5)


def test_the_path_is_the_same_every_time() -> None:
    """Two runs over the same frames give the same numbers."""
    assert np.array_equal(followed(pan=3).to_first, followed(pan=3).to_first)


def test_a_featureless_background_is_reported_as_not_followed() -> None:
    """Where nothing can be followed the share is 0 and the camera is taken to stand still."""
    tracker = CameraTracker(320, 240)
    for index in range(4):
        tracker.add(index, np.full((240, 320, 3), 90, np.uint8), np.zeros((240, 320), np.uint8))
    path = tracker.path(0, 4)
    assert path.still
    assert path.share_followed == 0.0
