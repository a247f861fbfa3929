"""What is left of the actor."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from bodydouble.evaluation.regions import difference
from bodydouble.evaluation.residue import Residue, own_part
from bodydouble.perception import ModelPack
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.other_hands import OtherHandFinder
from bodydouble.perception.track import PersonTrack, empty_track
from mannequin import joints, picture, track_of
from material import astronaut


def _share(
    source: np.ndarray,
    made: np.ndarray,
    actor: np.ndarray,
    character: np.ndarray,
    track: PersonTrack | None = None,
) -> float:
    residue = Residue(ModelPack(folder=Path()), empty_track(1) if track is None else track)
    residue.add(0, source, actor, character, difference(source, made))
    result = residue.result()
    assert result is not None
    return result


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray]:
    """A picture and the matte of somebody in it."""
    matte = np.zeros((512, 512), np.uint8)
    matte[100:500, 100:400] = 255
    return astronaut(), matte


def test_an_untouched_video_is_all_residue(scene: tuple[np.ndarray, np.ndarray]) -> None:
    """An output that is the source still shows the whole actor, whatever its matte says."""
    source, actor = scene
    assert _share(source, source, actor, actor) == pytest.approx(1)
    assert _share(source, source, actor, np.zeros_like(actor)) == pytest.approx(1)


def test_a_covered_or_painted_over_actor_leaves_nothing(scene: tuple[np.ndarray, np.ndarray]) -> None:
    """Neither under another figure nor under a plate is anything left."""
    source, actor = scene
    made = 255 - source
    made[np.abs(made.astype(int) - source).mean(-1) < 10] = 255
    assert _share(source, made, actor, actor) < 0.01
    assert _share(source, made, actor, np.zeros_like(actor)) < 0.06


def test_an_arm_that_stayed_counts_though_the_matte_takes_it_in(scene: tuple[np.ndarray, np.ndarray]) -> None:
    """A part of the actor beside the character is residue even where it looks like the character's."""
    source, actor = scene
    made = source.copy()
    made[:, :300] = 255 - made[:, :300]
    assert 0.2 < _share(source, made, actor, actor) < 0.36


def test_who_stands_before_hidden_legs_is_no_residue(scene: tuple[np.ndarray, np.ndarray]) -> None:
    """The matte takes in somebody who hides the actor's legs, and stays; what is left of the actor's head counts."""
    source, actor = scene
    made = source.copy()
    made[:240] = 255 - made[:240]
    track = empty_track(1)
    track.body[0, [11, 12], 1], track.body[0, [23, 24], 1] = 220, 350

    assert _share(source, made, actor, actor, track) < 0.06
    assert _share(source, source, actor, actor, track) == pytest.approx(1)

    track.visibility[0, 25] = 0.9  # nobody hides the legs: they stayed
    assert _share(source, made, actor, actor, track) > 0.4
    track.visibility[0, 25], track.body[0, [23, 24], 1] = 0, 480  # the frame's edge hides them
    assert _share(source, made, actor, actor, track) > 0.4


def test_legs_stay_hidden_in_a_few_frames_in_which_they_seem_seen() -> None:
    """While somebody passes, the network takes the passer's legs for the actor's; after the pass legs are seen."""
    track = empty_track(40)
    track.body[:, [11, 12], 1], track.body[:, [23, 24], 1] = 220, 350
    track.visibility[:, 25] = 0.9
    track.visibility[[4, 12], 25] = 0

    assert not own_part(track, 8, (480, 480))[300].any()
    assert own_part(track, 8, (480, 480))[200].all()
    assert own_part(track, 20, (480, 480)).all()
    track.shot[10:] = 1
    assert own_part(track, 8, (480, 480)).all()


def test_nobody_is_not_measured() -> None:
    """Frames without an actor say nothing."""
    residue, nothing = Residue(ModelPack(folder=Path()), empty_track(1)), np.zeros((40, 40), np.uint8)
    residue.add(0, np.zeros((40, 40, 3), np.uint8), nothing, nothing, np.zeros((40, 40), np.float32))
    assert residue.result() is None
    assert residue.kept() is None


FRAMES = 6
WHITE, SHIRT = (250, 250, 250), (40, 70, 160)


def _shot(draw, monkeypatch, hands=()) -> Residue:
    """The residue of an actor who sways, is gone in the result, and before whom ``draw`` (image, frame, pose) stayed.

    ``hands`` are what the search for other people's hands finds in every frame.
    """
    monkeypatch.setattr(OtherHandFinder, "find", lambda *_: list(hands))
    poses = [joints(head=45, centre=240 + 10 * i) for i in range(FRAMES)]
    residue = Residue(ModelPack(folder=Path()), track_of(poses))
    for i, pose in enumerate(poses):
        source, mask = picture(pose)
        stayed = np.zeros((500, 500), np.uint8)
        source, stayed = np.ascontiguousarray(source), np.ascontiguousarray(stayed)
        draw(source, stayed, i, pose)
        made = np.where(stayed[..., None] > 0, source, 255 - source).astype(np.uint8)
        matte = cv2.max((mask * 255).astype(np.uint8), stayed)
        residue.add(i, source, matte, np.zeros_like(matte), difference(source, made))
    return residue


def _disc(colour, places, radius=16):
    """Draws a disc at ``places`` (frame, pose) → (x, y)."""

    def draw(image, stayed, i, pose) -> None:
        centre = np.round(places(i, pose)).astype(int).tolist()
        cv2.circle(image, centre, radius, colour, -1)
        cv2.circle(stayed, centre, radius, 255, -1)

    return draw


def _juggled(i, pose):
    """From the chest to a foot and back."""
    return pose[BodyPoint.NOSE] + [0, 60 + 45 * min(i, FRAMES - i)]


def test_a_ball_that_is_juggled_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It moves over the whole body, and the body has not its colours."""
    residue = _shot(_disc(WHITE, _juggled), monkeypatch)
    assert residue.kept() > 0.01
    assert residue.result() == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize(
    ("colour", "places"),
    [
        (WHITE, lambda i, pose: pose[BodyPoint.LEFT_HIP] + [0, 10]),  # of a white skirt
        (WHITE, lambda i, pose: pose[BodyPoint.NOSE] + [12 * (-1) ** i, -20]),  # of hair in the wind
        (WHITE, lambda i, pose: pose[BodyPoint.LEFT_WRIST] + [0, 5]),  # a glove
        (SHIRT, _juggled),  # scraps of the shirt, here and there
    ],
)
def test_what_is_left_of_the_actor_is_no_kept_thing(monkeypatch: pytest.MonkeyPatch, colour, places) -> None:
    """What stays at its place on the body is the actor's, and so is what has the colours of the actor's clothes."""
    residue = _shot(_disc(colour, places), monkeypatch)
    assert residue.kept() == 0
    assert residue.result() > 0.01


def _hand(x: float, y: float, length: float) -> np.ndarray:
    """A hand (21, 2) that points to the right, with its wrist at ``x``, ``y``."""
    hand = np.tile(np.array([x, y], np.float64), (21, 1))
    for finger in range(5):
        for joint in range(4):
            hand[1 + 4 * finger + joint] += length * np.array([1 + 0.25 * joint, 0.22 * (finger - 2)])
    return hand


def test_a_hand_that_comes_from_the_edge_is_kept_and_a_skirt_beside_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another's forearm and hand are left out. Skin that no such hand is in counts, and so does what is far from it."""
    hand = _hand(70, 330, 40)

    def arm(image, stayed, i, pose) -> None:
        for canvas, value in ((image, (225, 180, 150)), (stayed, 255)):
            cv2.line(canvas, (0, 330), (120, 330), value, 24)

    def arm_and_skirt(image, stayed, i, pose) -> None:
        arm(image, stayed, i, pose)
        for canvas, value in ((image, WHITE), (stayed, 255)):
            cv2.rectangle(canvas, (110, 300), (340, 360), value, -1)

    alone = _shot(arm, monkeypatch, [hand])
    assert alone.kept() > 0.03
    assert alone.result() < 0.005
    assert _shot(arm, monkeypatch).result() > 0.03
    assert _shot(arm_and_skirt, monkeypatch, [hand]).result() > 0.15
    inside = _shot(arm, monkeypatch, [hand + [200, 0]])
    assert (inside.kept(), inside.result() > 0.03) == (0, True)
