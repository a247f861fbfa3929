import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import material
from bodydouble.perception import ModelPack, PersonChoice, litert, load_perception, perceive
from bodydouble.perception.perceive import WINDOW_FRAMES
from bodydouble.perception.windows import window_path
from bodydouble.tasks.atomic_files import part_of
from bodydouble.tasks.errors import Cancelled, NobodyFound

MAN, CARD, MAN_AGAIN, SOMEBODY_ELSE = slice(0, 24), slice(24, 34), slice(34, 42), slice(42, 48)


def test_each_cut_starts_a_shot(cut_seen):
    """The shot's number grows at each cut and nowhere else."""
    shot = cut_seen.perception.track.shot

    assert [np.unique(shot[part]).tolist() for part in (MAN, CARD, MAN_AGAIN, SOMEBODY_ELSE)] == [[0], [1], [2], [3]]


def test_a_title_card_stays_untouched(cut_seen):
    """On a card nobody is present, nothing is tracked and the matte is empty."""
    track = cut_seen.perception.track

    assert not track.present[CARD].any()
    assert np.isnan(track.body[CARD]).all()
    assert not any(matte.any() for _, matte in cut_seen.perception.mattes.read(CARD.start, CARD.stop))


def test_the_same_person_is_found_again_after_a_cut_and_nobody_else(cut_seen):
    """Behind the card the man goes on; the other person who comes later is not taken for him."""
    track = cut_seen.perception.track

    assert track.present[MAN].all()
    assert track.present[MAN_AGAIN].all()
    assert not track.present[SOMEBODY_ELSE].any()


def test_body_face_and_matte_lie_on_the_person(cut_seen):
    """The face's middle is in the box and in the matte; the matte covers neither nothing nor everything."""
    track, mattes = cut_seen.perception.track, cut_seen.perception.mattes

    assert track.face_found[MAN].all()
    for i, matte in mattes.read(0, 24, 6):
        x, y = track.face[i, 1, :2]
        assert track.box[i, 0] < x < track.box[i, 2]
        assert track.box[i, 1] < y < track.box[i, 3]
        assert matte[int(y), int(x)] > 200
        assert 0.2 < (matte > 127).mean() < 0.7


def test_a_killed_run_goes_on_to_the_same_bytes(cut_seen, model_pack: ModelPack, tmp_path: Path, disk_operations):
    """With the last window gone and a part left over, perceiving again makes the very same files, on the disk."""
    folder = tmp_path / "resumed"
    shutil.copytree(cut_seen.folder, folder)
    last = (cut_seen.footage.frames - 1) // WINDOW_FRAMES
    before = window_path(folder, last).read_bytes()
    window_path(folder, last).unlink()
    part_of(window_path(folder, last)).write_bytes(b"half")

    perceive(model_pack, cut_seen.footage, PersonChoice(), folder)

    assert window_path(folder, last).read_bytes() == before
    name = window_path(folder, last).name
    assert disk_operations.index(("sync", f"{name}.part")) < disk_operations.index(("rename", name))


def test_a_finished_perception_is_not_made_again(cut_seen, model_pack: ModelPack):
    """Where every window is there nothing is read from the footage."""

    class Unreadable:
        width, height, frames, frame_rate = 294, 240, cut_seen.footage.frames, 25.0

        def read(self, start: int, stop: int, step: int = 1):
            raise AssertionError

    again = perceive(model_pack, Unreadable(), PersonChoice(), cut_seen.folder)

    assert np.array_equal(again.track.body, cut_seen.perception.track.body, equal_nan=True)


def test_mattes_are_read_with_any_stride(cut_seen):
    """A stride across window borders gives the same mattes as reading all of them."""
    mattes = load_perception(cut_seen.folder).mattes
    every = dict(mattes.read(0, 48))

    some = dict(mattes.read(3, 48, 7))

    assert list(some) == [3, 10, 17, 24, 31, 38, 45]
    assert all(np.array_equal(matte, every[i]) for i, matte in some.items())


def test_the_hidden_person_is_not_replaced_by_who_hides_them(crossing_seen):
    """While the chosen one disappears behind another person, the track never moves to that person."""
    track = crossing_seen.perception.track
    man_middle = 300 + 0.5 * 213

    assert track.present[:16].all()
    assert not track.present[-1]
    head = track.body[:, 0, 0]
    assert (head[:16] < man_middle - 60).all()
    assert not (np.abs(head[track.present] - man_middle) < 40).any()


def test_others_are_told_as_bystanders(crossing_seen):
    """The man in the picture has a box of his own while the astronaut is followed."""
    boxes = crossing_seen.perception.track.bystanders[2]
    boxes = boxes[~np.isnan(boxes[:, 0])]

    assert len(boxes) == 1
    assert 280 < boxes[0, 0] < 360


def test_interpolated_bodies_agree_with_measured_ones(
    cut_seen, model_pack: ModelPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """With every frame measured the track differs by less than the network trembles: 1.5 % of the body's width."""
    monkeypatch.setattr(sys.modules["bodydouble.perception.forward_pass"], "is_motion_even", lambda *_: False)
    man = type(cut_seen.footage)(images=cut_seen.footage.images[MAN])

    measured = perceive(model_pack, man, PersonChoice(), tmp_path).track

    track = cut_seen.perception.track.window(0, 24)
    width = np.hypot(*(track.body[:, 11, :2] - track.body[:, 12, :2]).T)
    apart = np.hypot(*np.moveaxis(track.body[..., :2] - measured.body[..., :2], -1, 0)) / width[:, None]
    seen = track.visibility > 0.5
    assert apart[seen].mean() < 0.015
    assert np.percentile(apart[seen], 99) < 0.1


@pytest.mark.parametrize(("few", "copies"), [(0, 2), (WINDOW_FRAMES, 1)])
def test_few_uneven_frames_need_no_second_network(
    cut_seen, model_pack: ModelPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int, copies: int
):
    """Whichever thread measures them, the track is the same; for a few of them the large network is loaded once."""
    loaded: list[Path] = []
    load = litert._Loaded

    def counted(path: Path) -> litert._Loaded:
        loaded.append(path)
        return load(path)

    litert.release_idle_networks()
    monkeypatch.setattr(litert, "_Loaded", counted)
    monkeypatch.setattr(sys.modules["bodydouble.perception.forward_pass"], "is_motion_even", lambda *_: False)
    man = type(cut_seen.footage)(images=cut_seen.footage.images[MAN][:12])
    monkeypatch.setattr(sys.modules["bodydouble.perception.perceive"], "FEW_UNEVEN", few)

    body = perceive(model_pack, man, PersonChoice(), tmp_path / "one").track.body

    assert len([path for path in loaded if path.name == "pose_landmark_heavy.tflite"]) <= copies
    monkeypatch.setattr(sys.modules["bodydouble.perception.perceive"], "FEW_UNEVEN", WINDOW_FRAMES - few)
    assert np.array_equal(perceive(model_pack, man, PersonChoice(), tmp_path / "other").track.body, body)


def test_a_single_frame_is_a_video_too(cut_seen, model_pack: ModelPack, tmp_path: Path):
    """One frame with a person in it is perceived like any other video."""
    footage = type(cut_seen.footage)(images=cut_seen.footage.images[:1])

    perception = perceive(model_pack, footage, PersonChoice(), tmp_path)

    assert perception.track.present.tolist() == [True]
    ((index, matte),) = perception.mattes.read(0, 1)
    assert index == 0
    assert matte.any()


def test_a_video_with_nobody_is_refused(cut_seen, model_pack: ModelPack, tmp_path: Path):
    """A landscape has nobody to replace, and the message says what to do."""
    footage = type(cut_seen.footage)(images=material.landscape(3, (320, 180)))

    with pytest.raises(NobodyFound, match="Use a video"):
        perceive(model_pack, footage, PersonChoice(), tmp_path)


def test_a_point_beside_everybody_lists_who_is_there(cut_seen, model_pack: ModelPack, tmp_path: Path):
    """Asking for a person at a point where nobody is fails with the positions of the people found."""
    with pytest.raises(NobodyFound, match=r"nobody at \(0.01, 0.01\).*0: centre \(0\.\d\d, 0\.\d\d\)"):
        perceive(model_pack, cut_seen.footage, PersonChoice(point=(0.01, 0.01)), tmp_path)


def test_stopping_leaves_whole_windows_only(cut_seen, model_pack: ModelPack, tmp_path: Path):
    """When the reporter raises, perceiving stops, and no half file is left."""

    def stop(fraction: float) -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        perceive(model_pack, cut_seen.footage, PersonChoice(), tmp_path, stop)

    assert not list(tmp_path.glob("*.part"))
