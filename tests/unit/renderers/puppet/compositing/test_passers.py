"""Somebody who passes before the removed person, told from them by colours."""

import cv2
import numpy as np
import pytest

from bodydouble.perception.track import PersonTrack, empty_track
from bodydouble.renderers.puppet.compositing import passers
from bodydouble.renderers.puppet.compositing.colours import colour_codes
from bodydouble.renderers.puppet.compositing.passers import learn_passers, place_of, split
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.compositing.stored_plates import Plates

HEIGHT, WIDTH = 200, 160
FLOOR, TEAL, BLACK, BROWN = (150, 150, 150), (50, 130, 130), (15, 15, 15), (110, 60, 30)
SIGHT = 100.0
"""Row of the lowest landmark in sight behind the passer."""


def _body() -> np.ndarray:
    """Somebody upright, 40 px wide and 50 px from shoulders to hips."""
    points = np.full((33, 2), (80.0, 35.0))
    points[[11, 12]] = (100, 50), (60, 50)
    points[[23, 24]] = (95, 100), (65, 100)
    return points


def _person() -> tuple[np.ndarray, np.ndarray]:
    """The person, teal above and black below, before the floor; and their whole outline."""
    image, outline = np.full((HEIGHT, WIDTH, 3), FLOOR, np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.rectangle(image, (62, 25), (98, 104), TEAL, -1)
    cv2.rectangle(image, (65, 105), (95, 185), BLACK, -1)
    cv2.rectangle(outline, (62, 25), (98, 185), 255, -1)
    return image, outline


def _passed() -> tuple[np.ndarray, np.ndarray]:
    """The same with somebody in brown, with black legs, before the right half of the legs; and that one's outline."""
    image, outline = _person()[0], np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.rectangle(image, (82, 80), (140, 165), BROWN, -1)
    cv2.rectangle(image, (90, 166), (135, HEIGHT), BLACK, -1)
    cv2.rectangle(outline, (82, 80), (140, 165), 255, -1)
    cv2.rectangle(outline, (90, 166), (135, HEIGHT), 255, -1)
    return image, outline


class FloorPlates(Plates):
    """The floor everywhere."""

    def __init__(self) -> None:
        """Nothing is stored."""

    def with_seen(self, index: int, box: tuple[int, int, int, int], needed: object = None) -> np.ndarray:
        return np.full((box[3] - box[1], box[2] - box[0], 4), (*FLOOR, 255), np.uint8)


@pytest.fixture
def shot() -> tuple[list[SampleFrame], PersonTrack]:
    """Eight samples: four of the person alone, four with the passer, whom the matte takes for the person."""
    track = empty_track(8)
    track.present[:], track.body[:, :, :2] = True, _body()
    track.visibility[:4], track.visibility[4:, 25:] = 1, 0
    track.box[:4], track.box[4:] = (60, 20, 100, 190), (60, 20, 100, SIGHT)
    (alone, whole), (passed, other) = _person(), _passed()
    both = np.asarray(cv2.max(whole, other), np.uint8)
    return [
        SampleFrame(index=i, image=alone if i < 4 else passed, matte=whole if i < 4 else both) for i in range(8)
    ], track


def _ratio(shot: tuple[list[SampleFrame], PersonTrack]) -> np.ndarray:
    found = learn_passers(shot[0], FloorPlates(), shot[1], np.arange(8) >= 4)
    assert found is not None
    return found


def _leaning(ratio: np.ndarray, colour: tuple[int, int, int]) -> float:
    return float(ratio[int(colour_codes(np.array([[colour]], np.uint8))[0, 0])])


def test_colours_below_the_landmarks_in_sight_are_a_passers(shot: tuple[list[SampleFrame], PersonTrack]) -> None:
    """Brown is only the passer's, teal only the person's; black, which both wear, is rather the person's."""
    ratio = _ratio(shot)

    assert _leaning(ratio, BROWN) > 1
    assert _leaning(ratio, TEAL) < -1
    assert _leaning(ratio, BLACK) < 0


def test_nobody_passes_where_the_legs_are_always_seen(
    shot: tuple[list[SampleFrame], PersonTrack], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without frames in which somebody is before the legs no colours of passers are known, and none are counted."""
    monkeypatch.delattr(passers, "colour_codes")
    assert learn_passers(shot[0], FloorPlates(), shot[1], np.zeros(8, np.bool_)) is None


def test_a_passer_is_whole_and_the_person_is_what_is_seen_beside(shot: tuple[list[SampleFrame], PersonTrack]) -> None:
    """The passer has their black legs too. The person has the leg beside them, which the matte misses."""
    image, passer = _passed()
    matte = _person()[1].copy()
    matte[105:] = 0
    matte[passer > 0] = 255  # the networks took the passer for the person

    found = split(image, np.full_like(image, FLOOR), matte, _ratio(shot), _body(), SIGHT)

    assert found.passer is not None
    assert (found.passer[passer > 0] > 0).mean() > 0.97
    assert (found.passer[passer == 0] > 0).mean() < 0.04
    assert (found.person[30:95, 65:78] > 0).mean() > 0.97
    assert (found.person[110:180, 68:78] > 0).mean() > 0.97
    assert (found.person[passer > 0] > 0).mean() < 0.02


@pytest.mark.parametrize("sight", [SIGHT, 190.0], ids=["legs hidden", "a leg in sight"])
def test_trousers_in_the_persons_colour_below_a_passers_trunk_are_the_passers(
    shot: tuple[list[SampleFrame], PersonTrack], sight: float
) -> None:
    """Nobody else is seen right below the passer. The leg beside them is the person's."""
    image, passer = _passed()
    matte, ratio, body = np.where(passer > 0, 255, _person()[1]).astype(np.uint8), _ratio(shot), _body()
    ratio[colour_codes(np.array([[BLACK]], np.uint8))] = -3.0
    body[[25, 26]], body[[27, 28]] = (72, 140), (72, 185)

    found = split(image, np.full_like(image, FLOOR), matte, ratio, body, sight)

    assert found.passer is not None
    assert (found.passer[168:, 94:130] > 0).mean() > 0.97
    assert not (found.person[168:, 94:130] > 0).any()
    assert (found.person[110:180, 68:78] > 0).mean() > 0.97
    assert not (found.passer[110:, 68:78] > 0).any()


def test_without_a_passer_an_arm_that_the_matte_misses_is_the_persons(
    shot: tuple[list[SampleFrame], PersonTrack],
) -> None:
    """A raised arm in the colour of the trunk is followed from the matte; nobody is before the person."""
    image, whole = _person()
    cv2.line(image, (90, 40), (125, 6), TEAL, 9)

    found = split(image, np.full_like(image, FLOOR), whole, _ratio(shot), _body(), 190.0)

    assert found.passer is None
    assert found.person[12, 118] == 255


def test_what_is_told_apart_corrects_matte_and_removal(shot: tuple[list[SampleFrame], PersonTrack]) -> None:
    """The passer is neither the person's nor removed; the leg beside them is both."""
    image, passer = _passed()
    matte = np.where(passer > 0, 255, _person()[1]).astype(np.uint8)
    matte[105:, :80] = 0
    gone = matte.copy()

    split(image, np.full_like(image, FLOOR), matte, _ratio(shot), _body(), SIGHT).correct(matte, gone)

    assert not matte[90:160, 100:130].any()
    assert not gone[90:160, 100:130].any()
    assert gone[150, 72] == matte[150, 72] == 255


def test_the_place_of_somebody_half_hidden_reaches_down_to_the_feet() -> None:
    """The box ends where feet would be, within the frame."""
    x0, y0, x1, y1 = place_of(_body(), (HEIGHT, WIDTH)) or (0, 0, 0, 0)

    assert (y0, y1) == (0, HEIGHT)
    assert x0 < 60 < 100 < x1
