"""The clean plate."""

from pathlib import Path

import numpy as np
import pytest

from bodydouble.perception.pack import ModelPack
from bodydouble.perception.tracking import torso_length
from bodydouble.renderers.puppet.compositing import gathering, plate
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.compositing.plate import SAMPLES_MAX, build_plates
from bodydouble.renderers.puppet.compositing.removal import DOUBTFUL, forearm_mask, matte_mask
from bodydouble.renderers.puppet.compositing.stored_plates import plate_path
from bodydouble.tasks.errors import Cancelled
from synthetic_scene import ListFootage, ListMattes, walking_scene


def ignore(fraction: float) -> None:
    """Nobody listens."""


def error_behind(plates, mattes: ListMattes, clean: list[np.ndarray], index: int) -> float:
    """Median difference of plate and wall where the person is removed."""
    height, width = clean[0].shape[:2]
    plate = plates.at(index, (0, 0, width, height)).astype(int)
    gone = matte_mask(next(mattes.read(index, index + 1))[1]) > 0
    return float(np.median(np.abs(plate - clean[index])[gone]))


@pytest.mark.parametrize("pan", [0, 2])
def test_the_wall_behind_a_walking_person_is_the_real_one(tmp_path: Path, pan: int) -> None:
    """What other frames show is put where the person was, with a still and with a panning camera."""
    footage, mattes, track, clean = walking_scene(40, walk=6.0, pan=pan)
    plates = build_plates(footage, mattes, track, tmp_path, ignore)
    assert plates.unseen < 0.1
    for index in (0, 17, 30):  # what comes into the last frames behind the person is shown by none
        assert error_behind(plates, mattes, clean, index) <= 4


def test_legs_that_the_matte_misses_are_no_background(tmp_path: Path) -> None:
    """The plate shows the wall behind feet and knees although the mattes end above them."""
    footage, mattes, track, clean = walking_scene(40, walk=0.7)
    cut = [matte.copy() for _, matte in mattes.read(0, 40)]
    knees = round(float(track.body[0, 25, 1])) - 8
    for matte in cut:
        matte[knees:] = 0
    plates = build_plates(footage, ListMattes(cut), track, tmp_path, ignore)
    plate = plates.at(20, (0, 0, 320, 240)).astype(int)
    person = next(mattes.read(20, 21))[1] > 200
    person[:knees] = False
    assert np.percentile(np.abs(plate - clean[20]).max(-1)[person], 90) < 30


def test_a_still_arm_that_the_landmarks_lose_stays_doubtful(tmp_path: Path) -> None:
    """What was a forearm in the sample before and looks the same is hardly background; where it moved away, it is."""
    footage, mattes, track, _ = walking_scene(2)
    track.visibility[:], track.visibility[1, 13:23] = 0.9, 0
    builder = plate._SpanBuilder(footage, mattes, track, None, plate.CaptionFinder(25.0), tmp_path, 0, 2)
    wall = np.full((240, 320, 3), 120, np.uint8)
    arm = forearm_mask((240, 320), track.body[0], track.visibility[0])
    image = wall.copy()
    image[arm > 0] = 30

    builder._doubt_still_arms(0, image, np.zeros((240, 320), np.uint8))
    still = np.zeros((240, 320), np.uint8)
    builder._doubt_still_arms(1, image, still)
    builder._doubt_still_arms(0, image, np.zeros((240, 320), np.uint8))
    moved = np.zeros((240, 320), np.uint8)
    builder._doubt_still_arms(1, wall, moved)

    assert arm.any()
    assert (still[arm > 0] == DOUBTFUL).all()
    assert (moved[arm > 0] > 0).mean() < 0.7  # its rim may be either
    assert not still[arm == 0].any()


class OneBystander(BystanderMasks):
    """Knows where the bystander of each frame is without a network: everything in ``colour``."""

    colour = (250, 20, 250)

    def people(self, image: np.ndarray) -> np.ndarray:
        return (image == self.colour).all(-1).astype(np.uint8) * np.uint8(255)


def test_other_people_are_no_background(tmp_path: Path) -> None:
    """Somebody who stands where the person was before, or comes when the person has left, never gets into the plate."""
    footage, mattes, track, clean = walking_scene(60, walk=4.0, absent=tuple(range(40, 60)))
    images = [image for _, image in footage.read(0, 60)]
    for image in images[20:]:
        image[80:220, 60:110] = OneBystander.colour
    track.bystanders[20:40, 0] = (60, 80, 110, 220)
    others = OneBystander(ModelPack(folder=Path("no-models-here")), track)
    plates = build_plates(ListFootage(images), mattes, track, tmp_path, ignore, bystanders=others)
    plate = plates.at(5, (0, 0, 320, 240)).astype(int)
    assert np.percentile(np.abs(plate - clean[5]).max(-1)[90:210, 65:105], 80) < 40
    assert not (plate == OneBystander.colour).all(-1).any()


def test_each_frame_is_searched_for_bystanders_once(tmp_path: Path) -> None:
    """A shot too long for one pass has its masks from the first, and no frame between two samples is searched."""
    frames = SAMPLES_MAX * 4 + 8
    footage, mattes, track, _ = walking_scene(frames, walk=0.2)
    track.bystanders[:, 0] = (60, 80, 110, 220)
    searched: list[int] = []

    class Counting(OneBystander):
        def unknown(self, index: int, image: np.ndarray) -> np.ndarray | None:
            searched.append(index)
            return super().unknown(index, image)

    others = Counting(ModelPack(folder=Path("no-models-here")), track)
    build_plates(footage, mattes, track, tmp_path, ignore, bystanders=others)
    assert searched == list(range(0, frames, 4))


def test_a_bystander_in_front_is_found_apart_from_the_person(tmp_path: Path) -> None:
    """What is somebody's and not the person's is a bystander's, in front where it reaches down as far; rims are not."""
    _, mattes, track, clean = walking_scene(2, walk=0.0)
    matte = next(mattes.read(0, 1))[1]
    image = clean[0].copy()
    image[matte > 0] = OneBystander.colour  # the network sees the person too, and a rim around them
    image[100:238, 150:200] = OneBystander.colour
    track.bystanders[0, 0] = (150, 100, 200, 238)
    others = OneBystander(ModelPack(folder=Path("no-models-here")), track)
    found = others.around(0, image, matte, matte_mask(matte), (0, 0, 320, 240), clean[0])
    assert found is not None
    assert (found[0][110:230, 155:195] > 200).all()
    assert np.array_equal(found[0], found[1])
    assert not found[0][:, :100].any()
    track.bystanders[:] = np.nan
    assert others.around(0, image, matte, matte_mask(matte), (0, 0, 320, 240), clean[0]) is None


@pytest.mark.parametrize(("trunk", "cut", "front"), [(0.5, True, False), (1.0, True, True), (0.5, False, True)])
def test_a_shorter_trunk_is_behind_where_no_feet_are_seen(tmp_path: Path, trunk: float, cut: bool, front: bool) -> None:
    """Of two whom the frame's edge cuts off, the one with half a trunk is behind. Feet tell better where they are."""
    _, mattes, track, clean = walking_scene(1, walk=0.0)
    matte = next(mattes.read(0, 1))[1]
    image = clean[0].copy()
    image[matte > 0] = OneBystander.colour
    image[100:240, 150:200] = OneBystander.colour
    track.bystanders[0, 0] = (150, 100, 200, 240)
    track.neighbours[0, 0] = (150, 100, 200, 240, trunk * torso_length(track.body[0, :, :2].astype(float)))
    track.box[0, 3] = 240 if cut else 220
    others = OneBystander(ModelPack(folder=Path("no-models-here")), track)
    found = others.around(0, image, matte, matte_mask(matte), (0, 0, 320, 240), clean[0])
    assert found is not None
    assert (found[0][110:230, 155:195] > 200).all()
    assert bool((found[1][110:230, 155:195] > 200).all()) == front
    assert bool(found[1].any()) == front


def test_shots_never_lend_each_other_background(tmp_path: Path) -> None:
    """Each shot has its own key plates, made of its own frames; a shot without the person has none."""
    shots = [0] * 20 + [1] * 20 + [2] * 6
    footage, mattes, track, clean = walking_scene(46, walk=6.0, shots=shots, absent=tuple(range(40, 46)))
    plates = build_plates(footage, mattes, track, tmp_path, ignore)
    assert [(s.start, s.stop) for s in plates.shots] == [(0, 20), (20, 40)]
    assert plates.shot_of(43) is None
    assert error_behind(plates, mattes, clean, 5) <= 4
    assert error_behind(plates, mattes, clean, 35) <= 4


def test_plates_are_found_again_and_have_the_same_bytes(tmp_path: Path) -> None:
    """A second run in the same folder reads nothing; one in another folder writes the same files."""
    footage, mattes, track, _ = walking_scene(16, walk=1.0, pan=2)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = build_plates(footage, mattes, track, tmp_path / "a", ignore)
    build_plates(footage, mattes, track, tmp_path / "b", ignore)
    for key in first.shots[0].keys:
        assert plate_path(tmp_path / "a", key).read_bytes() == plate_path(tmp_path / "b", key).read_bytes()
    again = build_plates(
        ListFootage([np.zeros((240, 320, 3), np.uint8)]), ListMattes([]), track, tmp_path / "a", ignore
    )
    assert np.array_equal(again.at(7, (10, 20, 300, 200)), first.at(7, (10, 20, 300, 200)))


def test_a_box_of_the_plate_is_cut_from_the_whole(tmp_path: Path) -> None:
    """Asking for a part gives the same pixels as cutting it from the whole plate."""
    footage, mattes, track, _ = walking_scene(24, pan=2)
    plates = build_plates(footage, mattes, track, tmp_path, ignore)
    whole = plates.at(9, (0, 0, 320, 240)).astype(int)
    part = plates.at(9, (40, 30, 200, 180)).astype(int)
    assert np.abs(whole[30:180, 40:200] - part).max() <= 1


def test_building_can_be_cancelled_and_leaves_no_half_file(tmp_path: Path) -> None:
    """What the reporter raises comes through, and nothing in the folder is mistaken for finished."""

    def cancel(fraction: float) -> None:
        if fraction > 0.3:
            raise Cancelled("stop")

    footage, mattes, track, _ = walking_scene(24, pan=2)
    with pytest.raises(Cancelled):
        build_plates(footage, mattes, track, tmp_path, cancel)
    assert not (tmp_path / "plates.json").exists()
    assert not list(tmp_path.glob("*.part"))


def test_a_long_shot_holds_no_more_frames_than_the_ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples that a key plate is made from never exceed the ring's size."""
    most = 0

    def counting(samples: list[gathering.Sample]) -> tuple[np.ndarray, np.ndarray]:
        nonlocal most
        most = max(most, len(samples))
        return gathering.median(samples)

    monkeypatch.setattr(plate, "median", counting)
    footage, mattes, track, _ = walking_scene(400, (96, 72), walk=0.1)
    build_plates(footage, mattes, track, tmp_path, ignore)
    assert 0 < most <= SAMPLES_MAX


def test_the_removal_mask_covers_the_faint_rim() -> None:
    """A matte of a tenth still counts and is widened by about a fiftieth of the height."""
    matte = np.zeros((480, 100), np.uint8)
    matte[200:280, 40:60] = 26
    mask = matte_mask(matte)
    assert mask[195, 50] == 255
    assert mask[180, 50] == 0


def test_plates_are_on_the_disk_before_a_restart_trusts_them(
    tmp_path: Path, disk_operations: list[tuple[str, str]]
) -> None:
    """Each plate, and then the list of all, is synced before it gets the name that a resumed shot looks for."""
    footage, mattes, track, _ = walking_scene(24, pan=2)
    plates = build_plates(footage, mattes, track, tmp_path, ignore)
    names = [plate_path(tmp_path, key).name for span in plates.shots for key in span.keys]
    for name in (*names, "plates.json"):
        assert disk_operations.index(("sync", f"{name}.part")) < disk_operations.index(("rename", name))
    assert [name for what, name in disk_operations if what == "rename"][-1] == "plates.json"
