"""Things that a person carries."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.compositing.carried import Carried, CarriedPiece, learn_carried
from bodydouble.renderers.puppet.compositing.carrier_view import Carrier
from bodydouble.renderers.puppet.compositing.colours import Colours
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.compositing.stored_plates import Plates
from mannequin import COLOURS, joints, picture, track_of
from synthetic_scene import scenery

SIZE = (600, 500)
WOOD = (120, 20, 90)
FRAMES = 8


@dataclass(frozen=True)
class Wall:
    """A plate that is the same in every frame, and seen everywhere."""

    image: np.ndarray

    def with_seen(self, index: int, box: tuple[int, int, int, int]) -> np.ndarray:
        x0, y0, x1, y1 = box
        return np.asarray(cv2.cvtColor(self.image[y0:y1, x0:x1], cv2.COLOR_RGB2RGBA), np.uint8)


@dataclass(frozen=True)
class Scene:
    """Samples of the mannequin, and (H, W) where the thing is in each of them."""

    samples: list[SampleFrame]
    track: PersonTrack
    plates: Plates
    things: list[np.ndarray]

    def learned(self, ball: Colours | None = None) -> Carried | None:
        return learn_carried(self.samples, self.plates, self.track, ball=ball)

    def pieces(self, carried: Carried, index: int) -> list[CarriedPiece]:
        """What is carried in a sample."""
        sample = self.samples[index]
        who = Carrier.of(self.track.body[index], self.track.hands[index])
        plate = self.plates.with_seen(index, (0, 0, *SIZE))
        return carried.find(sample.image, plate, sample.matte, who, SIZE[1])

    def found(self, carried: Carried, index: int) -> np.ndarray:
        """(H, W) 0-1 all that is carried in a sample."""
        whole = np.zeros(SIZE[::-1], np.float32)
        for piece in self.pieces(carried, index):
            x0, y0, x1, y1 = piece.box
            whole[y0:y1, x0:x1] = np.maximum(whole[y0:y1, x0:x1], piece.alpha)
        return whole


def scene(
    *,
    carried: tuple[bool, ...] = (True,) * FRAMES,
    in_matte: bool = False,
    away: float = 0.0,
    thick: int = 12,
    length: int = 130,
) -> Scene:
    """A person who swings a club in the right hand where ``carried`` says so, ``away`` px from the hand.

    ``in_matte``: the matte counts the club as the person's. ``thick``, ``length``: the club's, in pixels.
    """
    plate = scenery(*SIZE)
    samples: list[SampleFrame] = []
    things: list[np.ndarray] = []
    poses = [joints(centre=290.0 + 4 * i) for i in range(len(carried))]
    for i, pose in enumerate(poses):
        pose[[16, 18, 20, 22]] += [-5 * i, -10 * i]
    for i, (pose, is_there) in enumerate(zip(poses, carried, strict=True)):
        hand = pose[[16, 18, 20]].mean(0)
        turn = np.radians(60 + 20 * i)
        along = np.array([np.cos(turn), np.sin(turn)])
        person, mask = picture(pose, SIZE)
        club = np.zeros(mask.shape, np.uint8)
        if is_there:
            ends = [np.round(hand + along * t).astype(int).tolist() for t in (away, away + length)]
            cv2.line(club, ends[0], ends[1], 255, thick)
            fingers = np.round(hand).astype(int).tolist()
            person[club > 0] = WOOD
            cv2.circle(person, fingers, 7, COLOURS["skin"], -1)
            cv2.circle(club, fingers, 7, 0, -1)
        front = (mask > 0.5) | (club > 0)
        image = np.where(front[..., None], person, plate).astype(np.uint8)
        shown = front if in_matte else mask > 0.5
        samples.append(SampleFrame(index=i, image=image, matte=shown.astype(np.uint8) * np.uint8(255)))
        things.append(club > 0)
    return Scene(samples, track_of(poses), cast(Plates, Wall(plate)), things)


def assert_whole(place: Scene) -> None:
    """All but the rim of the club is found, and little else."""
    carried = place.learned()
    assert carried is not None
    for i, club in enumerate(place.things):
        found = place.found(carried, i) > 0.5
        wide = cv2.dilate(club.astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
        assert (found & club).sum() > 0.85 * club.sum()
        assert (found & ~wide).sum() < 0.2 * club.sum()


def test_a_club_that_the_matte_misses_is_found_whole() -> None:
    """It is before the plate and begins at the hand."""
    assert_whole(scene())


def test_a_club_in_the_matte_is_found_whole() -> None:
    """It has colours that arm, trunk and legs lack."""
    assert_whole(scene(in_matte=True))


def test_empty_hands_carry_nothing() -> None:
    """Sleeves, skin and shirt are no thing."""
    assert scene(carried=(False,) * FRAMES).learned() is None


def test_background_that_the_cameras_path_misplaces_is_not_carried() -> None:
    """Grass beside a hand differs from the plate where the plate shows other blades of it."""
    place = scene(thick=24)
    blades = np.random.default_rng(0).choice(np.array([[60, 90, 40], [150, 180, 120]], np.uint8), (50, 60))
    grass = cv2.resize(blades, SIZE, interpolation=cv2.INTER_NEAREST)
    cast(Wall, place.plates).image[:] = grass
    for sample, club in zip(place.samples, place.things, strict=True):
        outside = sample.matte == 0
        sample.image[outside] = grass[outside]
        sample.image[outside & club] = np.roll(grass, 25, axis=1)[outside & club]
    assert place.learned() is None


def test_a_blurred_hand_is_not_carried() -> None:
    """Beside the hand its skin is blended with the wall."""
    place = scene(thick=24, length=60)
    wall = cast(Wall, place.plates).image
    for sample, club in zip(place.samples, place.things, strict=True):
        sample.image[club] = COLOURS["skin"]
        here = club & (sample.matte == 0)
        sample.image[here] = np.uint8(0.5 * wall[here] + 0.5 * np.array(COLOURS["skin"]))
    assert place.learned() is None


def test_what_is_seldom_seen_is_not_carried() -> None:
    """Somebody who passes behind a hand teaches nothing."""
    assert scene(carried=(True, True, True, *(False,) * 5)).learned() is None


def test_frames_with_empty_hands_show_nothing() -> None:
    """The thing was put down."""
    place = scene(carried=(True,) * 6 + (False,) * 2)
    carried = place.learned()
    assert carried is not None
    assert place.found(carried, 7).max() == 0


def test_a_pocket_at_which_a_hand_rests_is_not_carried() -> None:
    """It has a colour of its own at the hand, but keeps its place on the person."""
    place = scene(carried=(False,) * FRAMES)
    for i, sample in enumerate(place.samples):
        hip, hand = place.track.body[i, 24, :2], place.track.body[i, 16, :2]
        corner = np.round(0.6 * hip + 0.4 * hand).astype(int)
        here = np.s_[corner[1] - 10 : corner[1] + 20, corner[0] - 15 : corner[0] + 15]
        sample.image[here], sample.matte[here] = WOOD, 255
        place.track.body[i, [16, 18, 20], :2] = corner + [-8, 0]
    assert place.learned() is None


def test_a_skate_at_which_a_hand_is_is_not_carried() -> None:
    """Who holds a raised foot carries neither the shoe nor what is under it."""
    place = scene(length=60)
    assert place.learned() is not None
    for i, club in enumerate(place.things):
        hand, tip = place.track.body[i, 16, :2], np.stack(np.nonzero(club)[::-1], 1).max(0)
        place.track.body[i, [28, 30], :2], place.track.body[i, 32, :2] = hand, tip
    assert place.learned() is None


def test_a_blurred_rim_of_clothes_is_not_carried() -> None:
    """It is beside the matte, but is removed with the person, and hardly moves over the body."""
    place = scene(carried=(False,) * FRAMES)
    for i, sample in enumerate(place.samples):
        hip = np.round(place.track.body[i, 23, :2]).astype(int)
        place.track.body[i, [15, 17, 19], :2] = hip + [15, 0]
        about = cv2.circle(np.zeros_like(sample.matte), hip.tolist(), 60, 255, -1)
        wide = cv2.dilate(sample.matte, np.ones((9, 9), np.uint8))
        sample.image[(wide > 0) & (sample.matte == 0) & (about > 0)] = WOOD
    assert place.learned() is None


def test_a_plate_that_is_wrong_all_about_shows_nothing() -> None:
    """Where the camera's path is missed, everything differs from the plate."""
    place = scene()
    carried = place.learned()
    assert carried is not None
    wrong = Scene(place.samples, place.track, cast(Plates, Wall(scenery(*SIZE, seed=9))), place.things)
    assert wrong.found(carried, 2).max() == 0


def test_what_floats_free_is_not_carried() -> None:
    """It touches neither the hand nor the person."""
    assert scene(away=60.0).learned() is None


def test_a_companion_at_the_hand_teaches_nothing() -> None:
    """Nobody found them, and they are before the plate; but they are larger than what hands carry."""
    assert scene(thick=20).learned() is not None
    assert scene(thick=60).learned() is None


class Passed(BystanderMasks):
    """Somebody may be before the person in each of the ``frames``, and nobody is seen."""

    def __init__(self, frames: int) -> None:
        self._frames = frames

    def passed(self, height: int) -> np.ndarray:
        return np.arange(FRAMES) < self._frames

    def unknown(self, index: int, image: np.ndarray) -> None:
        return None


def test_nothing_is_learned_while_somebody_passes() -> None:
    """What is at the hands then may be theirs; few such frames leave enough to learn from."""
    clubs = scene()
    assert learn_carried(clubs.samples, clubs.plates, clubs.track, Passed(FRAMES)) is None
    assert learn_carried(clubs.samples, clubs.plates, clubs.track, Passed(2)) is not None


def test_other_people_are_not_carried() -> None:
    """A piece that is in their mask stays where it is."""
    place = scene()
    carried = place.learned()
    assert carried is not None
    others = np.full(SIZE[::-1], 255, np.uint8)
    pieces = place.pieces(carried, 2)
    assert pieces
    assert all(piece.is_somebody(others) and not piece.is_somebody(0 * others) for piece in pieces)


def test_a_known_ball_is_in_play_and_not_carried() -> None:
    """What has its colours keeps its own place."""
    place = scene()
    assert place.learned(ball=np.ones(16**3, np.bool_)) is None


def test_both_hands_out_of_sight_are_not_looked_at() -> None:
    """There is no box, and no error."""
    nowhere = np.full((2, 21, 2), np.nan)
    assert Carrier.of(np.full((33, 2), np.nan), nowhere).reach(500, 600) is None
    assert Carrier.of(joints() + [9000, 0], nowhere).reach(500, 600) is None
