from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bodydouble.perception import ModelPack, Portrait, analyse_portrait
from bodydouble.perception.body_template import load_body_template
from bodydouble.perception.pack import BODY_FILE
from bodydouble.perception.track import concatenate, empty_track
from bodydouble.renderers.puppet.drawing import layered_puppet
from bodydouble.renderers.puppet.drawing.drawing import Drawing
from bodydouble.renderers.puppet.drawing.layered_puppet import LayeredPuppet
from bodydouble.renderers.puppet.motion.actor_motion import Motion, build_motion
from bodydouble.renderers.puppet.motion.expression import INNER_LIPS
from bodydouble.renderers.puppet.motion.head import head_of_face
from bodydouble.renderers.puppet.motion.rest_skeleton import rest_skeleton
from bodydouble.renderers.puppet.motion.retarget import Retargeting
from bodydouble.renderers.puppet.picture.character import Character, character_of
from bodydouble.tasks.errors import NobodyFound
from mannequin import joints, picture, portrait_of, track_of
from material import astronaut
from tube_body import tube_body


@pytest.fixture(scope="module")
def puppet(tmp_path_factory: pytest.TempPathFactory) -> LayeredPuppet:
    """The mannequin, driven by itself: first as in its picture, then with the left arm raised."""
    raised = joints()
    raised[13], raised[15] = raised[11] + [70, -20], raised[11] + [110, -60]
    raised[[17, 19, 21]] = raised[15] + [12, -14]
    motion = build_motion(track_of([joints()] * 8 + [raised] * 8, shots=[0] * 8 + [1] * 8), 25.0)
    image, mask = picture(joints())
    folder = tmp_path_factory.mktemp("renderer")
    character: Character = character_of(image, portrait_of(track_of([joints()]), mask), motion, folder, tube_body())
    return _puppet(character, motion)


def _puppet(character: Character, motion: Motion, hands: str = "keep") -> LayeredPuppet:
    rest = rest_skeleton(character.body.fit.joints, character.anatomy.head, face_depth=character.face_depth)
    return LayeredPuppet(character, Retargeting(rest, motion, character.body.template), motion, hands)


def _character(motion: Motion, folder: Path, rows: int = 500) -> Character:
    """The mannequin's picture, cut off after ``rows`` rows."""
    pose = joints()
    image, mask = picture(pose)
    track = track_of([pose])
    track.visibility[0, pose[:, 1] > rows] = 0.02
    return character_of(
        np.ascontiguousarray(image[:rows]), portrait_of(track, mask[:rows].copy()), motion, folder, tube_body()
    )


def _canvas(drawing: Drawing | None) -> np.ndarray:
    """(500, 500, 4) the drawing at its place."""
    assert drawing is not None
    canvas = np.zeros((500, 500, 4))
    x0, y0, x1, y1 = drawing.bounds
    canvas[y0:y1, x0:x1] = drawing.rgba
    return canvas


def _on_grey(puppet: LayeredPuppet, index: int) -> np.ndarray:
    drawing = puppet.draw(index, 500, 500)
    assert drawing is not None
    x0, y0, x1, y1 = drawing.bounds
    frame = np.full((500, 500, 3), 150.0)
    share = drawing.rgba[..., 3:] / 255
    frame[y0:y1, x0:x1] = frame[y0:y1, x0:x1] * (1 - share) + drawing.rgba[..., :3]
    return frame


def test_in_its_own_pose_the_puppet_is_its_picture(puppet: LayeredPuppet):
    """Driven by the movement of its own picture, few pixels differ from it."""
    picture_of_it = picture(joints())[0].astype(float)

    away = np.abs(_on_grey(puppet, 2) - picture_of_it).max(2)

    assert (away > 60).mean() < 0.05


def test_a_raised_arm_leaves_the_trunk_whole(puppet: LayeredPuppet):
    """The arm is at the new place, nothing of it at the old one, and the shirt has no hole."""
    frame = _on_grey(puppet, 12)
    new, old = picture(joints())[0], joints()

    x, y = np.round(puppet.motion.body[12, [13, 15]].mean(0)).astype(int)
    assert np.abs(frame[y, x] - (60, 100, 200)).max() < 60
    x, y = np.round(old[[13, 15]].mean(0)).astype(int)
    assert np.abs(frame[y, x] - 150).max() < 30
    x, y = np.round(old[[11, 12, 23, 24]].mean(0)).astype(int)
    assert np.abs(frame[y, x] - new[y, x]).max() < 40


def test_a_frame_is_drawn_the_same_each_time(puppet: LayeredPuppet):
    """Frames keep nothing from one to the next."""
    first = puppet.draw(12, 500, 500)
    puppet.draw(3, 500, 500)
    again = puppet.draw(12, 500, 500)

    assert first is not None
    assert again is not None
    assert np.array_equal(first.rgba, again.rgba)


def test_one_thread_draws_at_a_time(puppet: LayeredPuppet, monkeypatch: pytest.MonkeyPatch):
    """Two that draw would hand the interpreter to each other thousands of times a frame."""
    drawn, place = LayeredPuppet._drawn, layered_puppet.place_layer
    drawing: set[int] = set()

    def watched(own: LayeredPuppet, index: int, height: int, width: int) -> Drawing | None:
        drawing.add(index)
        result = drawn(own, index, height, width)
        drawing.discard(index)
        return result

    def alone(*arguments: Any, **named: Any) -> Any:
        assert len(drawing) == 1
        return place(*arguments, **named)

    monkeypatch.setattr(LayeredPuppet, "_drawn", watched)
    monkeypatch.setattr(layered_puppet, "place_layer", alone)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda index: puppet.draw(index, 500, 500), range(4)))

    assert all(result is not None for result in results)


def test_the_actors_hand_takes_the_puppets_place_within_a_frame(tmp_path: Path):
    """Of the frames over which a wrist goes to a hand that appears, one shows both hands."""
    track = track_of([joints()] * 12)
    track.visibility[:4, 15] = 0.3
    track.hand_found[4:, 0] = True
    track.hands[4:, 0] = 0
    track.hands[4:, 0, :, :2] = joints()[15] + np.linspace([0, 0], [0, 24], 21)
    motion = build_motion(track, 25.0)
    puppet = _puppet(_character(motion, tmp_path), motion)

    kept = [next(h.kept for h in puppet.draw(i, 500, 500).hands if h.side == 0) for i in range(12)]

    assert kept[:4] == [0] * 4
    assert kept[8:] == [1] * 4
    assert sum(0 < share < 1 for share in kept) == 1


def test_a_hand_that_appears_beside_a_guessed_wrist_is_at_the_end_of_its_arm(tmp_path: Path):
    """While the drawn wrist is still on its way from the guess to the hand, the hand is on the wrist."""
    track = track_of([joints()] * 12)
    track.body[:, [15, 17, 19, 21], 0] += 30
    track.visibility[:, 15] = 0.3
    track.hand_found[4:, 0] = True
    track.hands[4:, 0] = 0
    track.hands[4:, 0, :, :2] = joints()[15] + np.linspace([0, 0], [0, 24], 21)
    motion = build_motion(track, 25.0)
    puppet = _puppet(_character(motion, tmp_path), motion)

    hands = [next(h for h in puppet.draw(i, 500, 500).hands if h.side == 0) for i in range(4, 12)]

    assert any(0 < hand.kept < 1 for hand in hands)
    for hand in hands:
        if hand.kept:
            assert np.allclose(hand.moved[:, :2] @ joints()[15] + hand.moved[:, 2], hand.wrist)


def test_nobody_is_drawn_where_nobody_is(tmp_path: Path):
    """Absent frames and actors far outside the picture answer None."""
    away = joints()
    away[:, 0] += 3000
    track = concatenate([track_of([joints()]), empty_track(1), track_of([away])])
    track.shot[:] = [0, 0, 1]
    motion = build_motion(track, 25.0)
    puppet = _puppet(_character(motion, tmp_path), motion)

    assert puppet.draw(0, 500, 500) is not None
    assert puppet.draw(1, 500, 500) is None
    assert puppet.draw(2, 500, 500) is None


def test_a_half_body_character_gets_legs_to_stand_on(tmp_path: Path):
    """Cut off at the hips, the character says that it has no legs, and does not float on a whole-body actor."""
    pose = joints()
    motion = build_motion(track_of([pose]), 25.0)
    character = _character(motion, tmp_path, rows=int(pose[23, 1]))

    canvas = _canvas(_puppet(character, motion).draw(0, 500, 500))

    assert not character.has_legs
    for k in (25, 26, 27, 28):
        x, y = np.round(pose[k]).astype(int)
        assert canvas[y - 4 : y + 5, x - 12 : x + 13, 3].max() > 200, f"joint {k}"


def test_legs_behind_a_desk_are_not_drawn(tmp_path: Path):
    """A knee inside the picture that nobody sees hides the leg."""
    track = track_of([joints()])
    track.visibility[0, 25:33] = 0.02
    motion = build_motion(track, 25.0)

    canvas = _canvas(_puppet(_character(motion, tmp_path), motion).draw(0, 500, 500))

    x, y = np.round(joints()[25]).astype(int)
    assert canvas[y + 30, x, 3] < 10


def test_legs_that_the_matte_shows_are_drawn(tmp_path: Path):
    """Knees that the network does not see are in front of everything where the matte reaches beyond them."""
    track = track_of([joints()] * 9)
    track.visibility[:, 25:33] = 0.02
    track.visibility[4, 25:33] = 0.2  # one frame tells nothing
    rows = joints()[[25, 27], 1]
    x, y = np.round(joints()[25]).astype(int)
    for lowest, drawn in ((rows[1], True), (rows[0] - 20, False)):
        motion = build_motion(track, 25.0, lowest=np.full(9, lowest))
        puppet = _puppet(_character(motion, tmp_path), motion)
        for index in (0, 4):
            assert (_canvas(puppet.draw(index, 500, 500))[y + 30, x, 3] > 100) == drawn


def test_legs_that_the_lower_edge_cuts_off_are_drawn(tmp_path: Path):
    """Knees that the network loses at the frame's edge are not behind a desk if they are seen soon after."""
    track = track_of([joints()] * 8)
    track.visibility[:4, 25:33] = 0.02
    motion = build_motion(track, 25.0)
    puppet = _puppet(_character(motion, tmp_path), motion)
    x, y = np.round(joints()[25]).astype(int)

    assert _canvas(puppet.draw(0, y + 60, 500))[y + 30, x, 3] > 200
    assert _canvas(puppet.draw(0, 500, 500))[y + 30, x, 3] < 10


def test_the_puppets_hand_gives_way_to_a_kept_one(tmp_path: Path):
    """With the actor's hand seen, the puppet's fingers fade; with hands of its own they stay."""
    track = track_of([joints()] * 3)
    track.hand_found[:, 0] = True
    line = np.linspace(joints()[15], joints()[19] + [0, 6], 21)
    track.hands[:, 0] = np.c_[line, np.zeros(21)]
    motion = build_motion(track, 25.0)
    character = _character(motion, tmp_path)

    kept = _puppet(character, motion, "keep").draw(1, 500, 500)
    own = _puppet(character, motion, "puppet").draw(1, 500, 500)

    assert kept is not None
    assert own is not None
    place = next(h for h in kept.hands if h.side == 0)
    assert place.kept == 1
    moved = place.moved[:, :2] @ motion.body[1, 15] + place.moved[:, 2]
    assert np.allclose(moved, place.wrist)
    assert all(h.kept == 0 for h in own.hands)
    x, y = np.round(place.wrist + 0.8 * place.direction).astype(int)
    assert _canvas(kept)[y, x, 3] < 60
    assert _canvas(own)[y, x, 3] > 150


def test_an_arm_that_left_its_place_is_drawn_whole(puppet: LayeredPuppet):
    """In its picture's place an arm stays behind what hides it there; raised, it is drawn with its hidden parts."""
    layers = dict(puppet.character.body.layers.layers)
    for name in ("arm_l", "arm_r"):
        marked = layers[name].rgba.copy()
        marked[..., :3] = marked[..., 3:] * np.array([1, 0, 0], np.uint8)
        layers[name] = replace(layers[name], moved=marked)
    body = replace(puppet.character.body, layers=replace(puppet.character.body.layers, layers=layers))
    marked_puppet = _puppet(replace(puppet.character, body=body), puppet.motion)

    def is_marked(index: int, joint: int) -> bool:
        x, y = np.round(puppet.motion.body[index, [joint, joint + 2]].mean(0)).astype(int)
        return bool(np.abs(_on_grey(marked_puppet, index)[y, x] - (255, 0, 0)).max() < 30)

    assert not is_marked(2, 13)
    assert not is_marked(2, 14)
    assert is_marked(12, 13)
    assert not is_marked(12, 14)


@pytest.mark.parametrize("seen", [True, False])
def test_a_forearm_at_the_head_is_before_it_only_if_it_is_seen(tmp_path: Path, seen: bool):
    """A hidden one is behind the head. Beside the head it is drawn all the same."""
    pose = joints()
    pose[13], pose[[15, 17, 19, 21]] = pose[0] + [80, 10], pose[0]
    track = track_of([pose] * 12)
    track.visibility[:, 15] = 0.9 if seen else 0.1
    motion = build_motion(track, 25.0)
    puppet = _puppet(_character(motion, tmp_path), motion)

    frame = _on_grey(puppet, 6)

    def is_arm(place: np.ndarray) -> bool:
        x, y = np.round(place).astype(int)
        return bool(np.abs(frame[y, x] - (60, 100, 200)).max() < 60)

    way = pose[13] - pose[0]
    assert is_arm(pose[0] + 0.8 * way)
    assert is_arm(pose[0] + 0.15 * way) == seen


def test_nobody_in_the_reference_is_an_error(tmp_path: Path):
    """The message names the field and says what to give."""
    motion = build_motion(track_of([joints()]), 25.0)
    nothing = np.zeros((50, 50, 3), np.uint8)
    with pytest.raises(NobodyFound, match="image"):
        character_of(
            nothing, portrait_of(empty_track(1), np.zeros((50, 50), np.float32)), motion, tmp_path, tube_body()
        )


@pytest.fixture(scope="module")
def portrait(model_pack: ModelPack) -> Portrait:
    """The analysis of the astronaut's picture."""
    return analyse_portrait(model_pack, astronaut())


def _astronaut(pack: ModelPack, portrait: Portrait, motion: Motion, folder: Path) -> Character:
    template = load_body_template(pack.path(BODY_FILE.name))
    return character_of(astronaut(), portrait, motion, folder, template)


def test_a_real_face_moves_with_the_actors(model_pack: ModelPack, portrait: Portrait, tmp_path: Path):
    """An astronaut on an astronaut: the head near its place, lips that open with the actor's."""
    track = portrait.track
    frames = concatenate([track] * 8)
    lower = [87, 178, 88, 95, 14, 317, 402, 318, 324]
    tall = float(np.ptp(track.face[0, :468, 1]))
    frames.face[4:, lower, 1] += 0.12 * tall
    motion = build_motion(frames, 25.0)

    character = _astronaut(model_pack, portrait, motion, tmp_path)
    puppet = _puppet(character, motion)
    quiet, talking = puppet.draw(1, 512, 512), puppet.draw(6, 512, 512)

    assert character.has_face
    assert not character.has_legs
    assert quiet is not None
    assert talking is not None
    lips = list(INNER_LIPS)
    assert np.ptp(talking.face[lips, 1]) > np.ptp(quiet.face[lips, 1]) + 0.05 * tall
    assert np.abs(quiet.face[4, :2] - track.face[0, 4, :2]).max() < 0.25 * tall


def test_a_turned_face_is_where_the_actors_is(model_pack: ModelPack, portrait: Portrait, tmp_path: Path):
    """An actor's head that turns by 30 degrees on the spot turns the character's on the spot."""
    track = portrait.track
    frames = concatenate([track] * 16)
    middle = track.face[0, :468].mean(0)
    frames.face[8:] = (frames.face[8:] - middle) @ cv2.Rodrigues(np.array([0, np.radians(30), 0]))[0].T + middle
    frames.shot[8:] = 1
    motion = build_motion(frames, 25.0)
    puppet = _puppet(_astronaut(model_pack, portrait, motion, tmp_path), motion)

    places: list[np.ndarray] = []
    for index in (3, 12):
        drawing = puppet.draw(index, 512, 512)
        assert drawing is not None
        assert drawing.face is not None
        places.append(drawing.face[:468].mean(0) - motion.head_centre[index])

    assert np.abs(places[1] - places[0]).max() < 0.08 * head_of_face(track.face[0]).width
