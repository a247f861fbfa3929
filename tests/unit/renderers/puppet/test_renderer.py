"""The puppet renderer as a whole, on a mannequin in a synthetic scene."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bodydouble.renderers.puppet.renderer as module
from bodydouble.perception import ModelPack
from bodydouble.perception.arrays import Image
from bodydouble.perception.other_hands import OtherHandFinder
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.protocol import Scene
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.compositing.removal import matte_mask
from bodydouble.renderers.puppet.drawing.layered_puppet import LayeredPuppet
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.visibility import legs_needed
from bodydouble.renderers.puppet.options import PuppetOptions
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.character import Character, character_of, texture_zoom
from bodydouble.renderers.puppet.renderer import PreparedPuppet, PuppetRenderer, cut_segments
from bodydouble.tasks.errors import Cancelled
from mannequin import joints, picture, portrait_of, track_of
from synthetic_scene import walking_scene
from tube_body import tube_body

PACK = ModelPack(folder=Path("no-models-here"))


@pytest.fixture(scope="module")
def made() -> dict[tuple[bytes, float, bool], Character]:
    """Characters by picture, size on screen, and whether legs are needed."""
    return {}


@pytest.fixture(autouse=True)
def without_networks(monkeypatch: pytest.MonkeyPatch, made: dict[tuple[bytes, float, bool], Character]) -> None:
    """The reference's analysis is given: a mannequin with a red shirt. Nobody else is seen, nor another's hand."""

    def build(pack: ModelPack, reference: Image, motion: Motion, folder: Path) -> Character:
        portrait = portrait_of(track_of([joints()]), picture(joints())[1])
        # A character depends on no more of the motion: equal ones are made once for all tests.
        key = reference.tobytes(), texture_zoom(anatomy_of(portrait.track), motion), legs_needed(motion)
        if key not in made:
            made[key] = character_of(reference, portrait, motion, folder, tube_body())
        return made[key]

    monkeypatch.setattr(module, "build_character", build)
    monkeypatch.setattr(BystanderMasks, "people", lambda self, image: np.zeros(image.shape[:2], np.uint8))
    monkeypatch.setattr(OtherHandFinder, "find", lambda self, index, image: [])


def red_mannequin() -> Image:
    """The reference: the mannequin with red and blue exchanged."""
    return np.ascontiguousarray(picture(joints())[0][..., ::-1])


def prepared(
    folder: Path, report: Callable[[float], None] = lambda f: None, **staging
) -> tuple[PreparedPuppet, list[Image], list[np.ndarray], PersonTrack, list[Image]]:
    """A prepared shot, its source frames, mattes, track and clean walls."""
    footage, mattes, track, clean = walking_scene(**staging)
    folder.mkdir(exist_ok=True)
    scene = Scene(reference=red_mannequin(), footage=footage, mattes=mattes, track=track)
    shot = PuppetRenderer(PACK, PuppetOptions()).prepare(scene, folder, report)
    frames = [image for _, image in footage.read(0, footage.frames)]
    return shot, frames, [m for _, m in mattes.read(0, footage.frames)], track, clean


def rendered(shot: PreparedPuppet) -> list[Image]:
    """All frames."""
    return [image for segment in shot.segments for image in shot.render(segment, None, lambda fraction: None)]


def test_the_person_is_replaced_and_the_rest_is_the_sources_own(tmp_path: Path) -> None:
    """The character's red is where the actor's blue was; far from both every pixel is untouched."""
    shot, frames, mattes, _, _ = prepared(tmp_path, frames=24)
    result = rendered(shot)
    assert len(result) == 24
    for index in (0, 11, 23):
        out, source = result[index].astype(int), frames[index].astype(int)
        core = mattes[index] > 250
        trunk = core & (source[..., 2] > source[..., 0] + 60)
        assert (out[trunk][:, 0] > out[trunk][:, 2] + 40).mean() > 0.85
        changed = np.abs(out - source).max(-1) > 0
        columns = np.flatnonzero((matte_mask(mattes[index]) > 0).any(0))
        assert not changed[:, : max(0, columns.min() - 60)].any()
        assert not changed[:, columns.max() + 60 :].any()


def test_nothing_of_the_actor_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no puppet is drawn the removed person's place shows the wall."""
    monkeypatch.setattr(LayeredPuppet, "draw", lambda *place: None)
    shot, _, mattes, _, clean = prepared(tmp_path, frames=40)
    out = rendered(shot)
    for index in (0, 20, 39):
        gone = matte_mask(mattes[index]) > 0
        off = np.abs(out[index].astype(int) - clean[index]).max(-1)
        assert (off[gone] > 30).mean() < 0.02


def test_a_soft_video_shows_a_soft_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the video blurs is blurred in the puppet's colours and in its edge."""
    steepest = []
    for sigma in (0.0, 2.0):
        monkeypatch.setattr(module, "measure_softness", lambda samples, draw, sigma=sigma: sigma)
        shot, _, mattes, _, _ = prepared(tmp_path / str(sigma), frames=8)
        red = rendered(shot)[4][..., 0].astype(np.float32)
        inside = matte_mask(mattes[4]) > 0
        steepest.append(float(np.abs(np.diff(red, axis=1))[inside[:, 1:]].max()))
    assert steepest[1] < 0.7 * steepest[0]


def test_frames_without_the_person_pass_untouched(tmp_path: Path) -> None:
    """Where nobody is there the source's bytes are answered."""
    shot, frames, _, _, _ = prepared(tmp_path, frames=24, absent=(0, 1, 12, 13))
    result = rendered(shot)
    for index in (0, 1, 12, 13):
        assert np.array_equal(result[index], frames[index])
    assert not np.array_equal(result[5], frames[5])


def test_killed_and_resumed_in_any_thread_timing_the_bytes_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed among the plates, then inside a segment, by one thread or two: the frames of an undisturbed run."""

    class KilledError(Exception):
        """Stands for the end of the process."""

    def kill(fraction: float) -> None:
        if fraction > 0.5:
            raise KilledError

    whole = rendered(prepared(tmp_path / "whole", frames=20, pan=2)[0])
    monkeypatch.setattr(module, "THREADS", 1)
    with pytest.raises(KilledError):
        prepared(tmp_path / "killed", kill, frames=20, pan=2)
    begun, _, _, _, _ = prepared(tmp_path / "killed", frames=20, pan=2)
    part = begun.render(begun.segments[0], None, lambda fraction: None)
    assert all(np.array_equal(next(part), whole[index]) for index in range(3))
    resumed = rendered(prepared(tmp_path / "killed", frames=20, pan=2)[0])

    assert all(np.array_equal(one, two) for one, two in zip(whole, resumed, strict=True))


def test_a_segment_left_early_stops_its_threads(tmp_path: Path) -> None:
    """Closing the iterator is a clean end, and the segment can be rendered again."""
    shot, _, _, _, _ = prepared(tmp_path, frames=20)
    frames = shot.render(shot.segments[0], None, lambda fraction: None)
    first = next(iter(frames))
    frames.close()  # type: ignore[attr-defined]
    assert np.array_equal(next(iter(shot.render(shot.segments[0], None, lambda fraction: None))), first)
    assert shot.carry_after(shot.segments[0]) is None


def test_segments_in_order_decode_the_video_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each segment goes on where the one before ended; out of order the frames are the same."""
    shot, _, _, _, _ = prepared(tmp_path, frames=30)
    shot.segments = cut_segments(np.zeros(30), 10)
    starts: list[int] = []
    read = type(shot._scene.footage).read
    monkeypatch.setattr(
        type(shot._scene.footage), "read", lambda self, start, *more: starts.append(start) or read(self, start, *more)
    )
    in_order = rendered(shot)
    assert starts == [0]
    backwards = [list(shot.render(segment, None, lambda fraction: None)) for segment in reversed(shot.segments)]
    assert np.array_equal(in_order, [image for segment in reversed(backwards) for image in segment])


def test_preparing_reports_growing_fractions_and_can_be_cancelled(tmp_path: Path) -> None:
    """The fraction never falls; raising from the reporter ends the work."""
    told: list[float] = []
    prepared(tmp_path / "a", told.append, frames=16)
    assert told == sorted(told)
    assert len(told) > 6
    assert told[-1] <= 1

    def cancel(fraction: float) -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        prepared(tmp_path / "b", cancel, frames=16)


def test_segments_never_span_a_cut_and_none_is_tiny() -> None:
    """About 48 frames each; a short rest is shared among its neighbours; every frame once."""
    shots = np.array([0] * 100 + [1] * 5 + [2] * 49)
    segments = cut_segments(shots)
    assert [s.index for s in segments] == list(range(len(segments)))
    assert [f for s in segments for f in range(s.start, s.stop)] == list(range(len(shots)))
    assert all(len(set(shots[s.start : s.stop])) == 1 for s in segments)
    assert [s.stop - s.start for s in segments] == [50, 50, 5, 49]
