"""Things held in a hand."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.held import Held, hand_box, learn_held
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.compositing.stored_plates import Plates
from mannequin import COLOURS, joints, picture, track_of
from synthetic_scene import scenery

SIZE = (500, 500)
GOLD = (215, 185, 40)
COIN = (22, -30)
"""Middle of the coin, in pixels from the wrist: beside the fingers, which point up."""


def fingers_up(wrist: np.ndarray) -> np.ndarray:
    """(21, 3) a hand of 25 pixels from the wrist to the middle knuckle, its fingers spread a little."""
    fan = np.concatenate([[[0, 0]], *[[[x * t, -25 - 9 * t] for t in (0.0, 1.0, 1.8, 2.4)] for x in (-6, -3, 0, 3, 6)]])
    fan[1::4, 0] = [-12, -6, 0, 5, 9]
    return np.c_[fan + wrist, np.zeros(21)]


def scene(coins: tuple[bool, ...]) -> tuple[list[SampleFrame], PersonTrack, Plates]:
    """The mannequin with its right hand before the chest in every sample, and a coin in it where ``coins`` says so."""
    plate = scenery(*SIZE)
    poses, samples = [joints(centre=230.0 + 5 * i) for i in range(len(coins))], []
    track = track_of(poses)
    for i, (pose, coin) in enumerate(zip(poses, coins, strict=True)):
        wrist = pose[[11, 12]].mean(0) + [0, 80]
        hand = fingers_up(wrist)
        track.hands[i, 1], track.hand_found[i, 1] = hand, True
        person, mask = picture(pose, SIZE)
        if coin:
            cv2.circle(person, tuple(np.round(wrist + COIN).astype(int).tolist()), 12, GOLD, -1)
        hull = cv2.convexHull(np.round(hand[:, :2]).astype(np.int32))
        cv2.fillConvexPoly(person, hull, COLOURS["skin"])
        image = np.where(mask[..., None] > 0.5, person, plate).astype(np.uint8)
        samples.append(SampleFrame(index=i, image=image, matte=(mask * 255).astype(np.uint8)))
    return samples, track, cast(Plates, Wall(plate))


@dataclass(frozen=True)
class Wall:
    """A plate that is the same in every frame."""

    image: np.ndarray

    def at(self, index: int, box: tuple[int, int, int, int]) -> np.ndarray:
        return self.image[box[1] : box[3], box[0] : box[2]]


def found(held: Held, sample: SampleFrame, track: PersonTrack, plates: Plates) -> np.ndarray | None:
    """(H, W) what is held in one sample; None where nothing."""
    points = track.hands[sample.index, 1, :, :2].astype(np.float64)
    box = hand_box(points, *sample.matte.shape)
    assert box is not None
    here = np.s_[box[1] : box[3], box[0] : box[2]]
    local = points - box[:2]
    part = held.find(sample.image[here], plates.at(sample.index, box), sample.matte[here], local)
    if part is None:
        return None
    whole = np.zeros(sample.matte.shape, np.float32)
    whole[here] = part
    return whole


def test_a_coin_is_found_whole_and_the_hand_is_not_taken_with_it() -> None:
    """What is kept has the coin's colour, and almost all that shows of the coin is kept."""
    samples, track, plates = scene((True,) * 8)
    held = learn_held(samples, plates, track)
    assert held is not None
    for sample in samples:
        thing = found(held, sample, track, plates)
        assert thing is not None
        gold = (sample.image == GOLD).all(-1)
        assert (thing[gold] > 0.45).mean() > 0.95
        assert thing[~gold].sum() < 0.4 * gold.sum()


def test_a_thing_that_often_hides_the_fingers_is_still_no_clothing() -> None:
    """Where only every third hand is found, the body's wrist tells that the coin's colour is not the person's own."""
    samples, track, plates = scene((True,) * 9)
    for i in range(9):
        wrist = track.hands[i, 1, 0, :2]
        track.body[i, 16, :2] = wrist
        track.body[i, [18, 20, 22], :2] = wrist + [0, -25]
        track.hand_found[i, 1] = i % 3 == 0
    held = learn_held(samples, plates, track)
    assert held is not None
    assert found(held, samples[1], track, plates) is not None


def test_an_empty_hand_holds_nothing() -> None:
    """Skin, shirt and the shade between them are no thing."""
    samples, track, plates = scene((False,) * 8)
    assert learn_held(samples, plates, track) is None


def test_what_is_seen_once_is_not_held() -> None:
    """A chance reflection of one frame teaches nothing."""
    samples, track, plates = scene((True, *(False,) * 7))
    assert learn_held(samples, plates, track) is None


def test_frames_with_an_empty_hand_keep_nothing() -> None:
    """The thing was put down: nothing of the shirt is taken for it."""
    samples, track, plates = scene((True,) * 6 + (False,) * 2)
    held = learn_held(samples, plates, track)
    assert held is not None
    assert found(held, samples[-1], track, plates) is None


def test_a_hand_outside_or_too_small_is_not_looked_at() -> None:
    """No box: there is nothing to cut."""
    points = fingers_up(np.array([100.0, 100.0]))[:, :2]
    assert hand_box(points, 200, 200) is not None
    assert hand_box(points + [5000, 0], 200, 200) is None
    assert hand_box(points * 0.1, 200, 200) is None
    assert hand_box(np.full((21, 2), np.nan), 200, 200) is None
