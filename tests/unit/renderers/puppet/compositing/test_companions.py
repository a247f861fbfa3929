"""People beside the removed person whom the search for people misses."""

from pathlib import Path

import numpy as np

from bodydouble.perception.pack import ModelPack
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.compositing.companions import SIGHTINGS_MIN, find_companions
from bodydouble.renderers.puppet.compositing.plate import build_plates
from bodydouble.renderers.puppet.compositing.samples import SampleFrame, frames_between, sample_frames
from bodydouble.renderers.puppet.compositing.stored_plates import Plates
from synthetic_scene import ListFootage, walking_scene

COLOUR = (250, 20, 250)
FRAMES = 40


def somebody(image: np.ndarray) -> np.ndarray:
    """(h, w) 0 or 255: everything in ``COLOUR``."""
    return (image == COLOUR).all(-1).astype(np.uint8) * np.uint8(255)


def scene(folder: Path, seen_in: range, colour: tuple[int, int, int]) -> tuple[list[SampleFrame], Plates, PersonTrack]:
    """Samples, clean plates and track of somebody who walks; something in ``colour`` is beside them in some frames."""
    footage, mattes, track, _ = walking_scene(FRAMES, walk=0.5)
    plates = build_plates(footage, mattes, track, folder, lambda _: None)
    images = [image for _, image in footage.read(0, FRAMES)]
    for index in seen_in:
        images[index][100:210, 150:190] = colour
    return sample_frames(ListFootage(images), mattes, track), plates, track


def test_who_kneels_beside_the_person_is_expected(tmp_path: Path) -> None:
    """What differs from the plate, and the network takes for somebody, is expected in the frames about it."""
    samples, plates, track = scene(tmp_path, range(20), COLOUR)
    found = find_companions(samples, plates, track, somebody)
    assert len(found) >= SIGHTINGS_MIN
    assert max(found) < 20
    others = BystanderMasks(ModelPack(folder=Path("no-models-here")), track)
    assert not others.expected(10, 240)
    others.notice(found, frames_between(samples))
    assert others.expected(0, 240)
    assert others.expected(30, 240)
    low, high = others._sightings(10)[:, :2].min(0), others._sightings(10)[:, 2:].max(0)
    assert (low < (150, 100)).all()
    assert (high > (190, 210)).all()


def test_things_and_single_sightings_are_nobody(tmp_path: Path) -> None:
    """What the network takes for nobody is none, and nor is what it takes for somebody in a sample or two."""
    (tmp_path / "thing").mkdir()
    (tmp_path / "once").mkdir()
    assert not find_companions(*scene(tmp_path / "thing", range(FRAMES), (20, 250, 20)), somebody)
    assert not find_companions(*scene(tmp_path / "once", range(2), COLOUR), somebody)
