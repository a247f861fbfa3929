"""The background of any frame, from stored key plates."""

from pathlib import Path

import numpy as np

from bodydouble.renderers.puppet.compositing.registration import CameraPath
from bodydouble.renderers.puppet.compositing.stored_plates import Plates, ShotPlates, plate_path
from synthetic_scene import scenery


def test_pieces_of_a_background_are_those_of_the_whole(tmp_path: Path) -> None:
    """What is computed piece by piece has the pixels of the whole box, but for rounding; the rest is 0."""
    for key, shift in ((0, 0), (10, 30)):
        scene = np.roll(scenery(160, 120), shift, axis=1)
        np.save(plate_path(tmp_path, key), np.dstack([scene, np.full((120, 160), 255, np.uint8)]))
    moved = np.tile(np.eye(3), (11, 1, 1))
    moved[:, 0, 2] = 0.37 * np.arange(11)
    path = CameraPath(start=0, to_first=moved, still=False, share_followed=1.0)
    plates = Plates(tmp_path, [ShotPlates(path=path, start=0, stop=11, keys=[0, 10])], 0.0)
    box, pieces = (7, 11, 151, 107), [(0, 0, 40, 30), (50, 30, 144, 96)]
    whole, parts = plates.with_seen(4, box), plates.with_seen(4, box, pieces)
    inside = np.zeros(whole.shape[:2], np.bool_)
    for x0, y0, x1, y1 in pieces:
        inside[y0:y1, x0:x1] = True
    assert np.abs(whole[inside].astype(int) - parts[inside]).max() <= 1
    assert not parts[~inside].any()
