from dataclasses import replace

import cv2
import numpy as np
import pytest

import material
from bodydouble.perception import ModelPack, matte
from bodydouble.perception.landmarks import BodyLandmarks, FaceLandmarks
from bodydouble.perception.matte import (
    LOST_FRAMES_MAX,
    BoxedMatte,
    MatteMaker,
    _grown_where_cut,
    _widened,
    draw_capsules,
)
from bodydouble.perception.people import PeopleFinder
from bodydouble.perception.person_landmarks import PersonLandmarks
from bodydouble.perception.selfie import SelfieNet


def test_the_matte_leaves_out_bystanders(model_pack: ModelPack, street):
    """The matte of the largest of four people has nothing of the others in it."""
    largest, *others = PeopleFinder(model_pack).find(street)

    made = MatteMaker(model_pack).make(street, PersonLandmarks(body=largest.body))
    matte = made.spread(street.shape[1], street.shape[0])

    x, y = (int(v) for v in largest.face.mean(0))
    assert matte[y, x] > 200
    for person in others:
        x0, y0, x1, y1 = (int(v) for v in person.box)
        assert not matte[y0:y1, x0:x1].any()


def test_nothing_of_the_frame_before_shows_after_a_reset(model_pack: ModelPack):
    """A matte after a reset is the same as one without any history."""
    image = material.astronaut()
    (person,) = PeopleFinder(model_pack).find(image)
    landmarks = PersonLandmarks(body=person.body)
    maker, fresh = MatteMaker(model_pack), MatteMaker(model_pack)
    maker.make(np.ascontiguousarray(image[:, ::-1]), landmarks)

    maker.reset()

    assert np.array_equal(maker.make(image, landmarks).pixels, fresh.make(image, landmarks).pixels)


def test_the_matte_before_stands_in_for_two_lost_ones(model_pack: ModelPack):
    """A body network that misses most of a person for a moment leaves no hole; a person who is really hidden goes."""
    image = material.astronaut()
    (person,) = PeopleFinder(model_pack).find(image)
    missed = replace(person.body, segmentation=np.zeros_like(person.body.segmentation))
    maker = MatteMaker(model_pack)

    def pixels(body: BodyLandmarks) -> int:
        matte = maker.make(image, PersonLandmarks(body=body)).spread(image.shape[1], image.shape[0])
        return int((matte > 127).sum())

    seen = pixels(person.body)
    first, second, third = (pixels(missed) for _ in range(LOST_FRAMES_MAX + 1))
    assert min(first, second) > 0.9 * seen
    assert third < 0.5 * seen


@pytest.mark.parametrize(("cut", "whole"), [(0, False), (80, True)])
def test_a_cut_off_head_is_seen_mirrored_too(
    model_pack: ModelPack, cut: int, whole: bool, monkeypatch: pytest.MonkeyPatch
):
    """What the network finds of a cut-off head in one of two views belongs to it. Whole heads cost one view."""
    image = np.ascontiguousarray(material.astronaut()[cut:])
    (person,) = PeopleFinder(model_pack).find(image)
    none = np.zeros((2, 16, 2))
    face = FaceLandmarks(points=person.face, depth=np.zeros(468), score=1.0, irises=none, eyes=none)
    found = SelfieNet.levels

    def left_half(net: SelfieNet, part: np.ndarray) -> np.ndarray:
        levels = found(net, part)
        levels[:, levels.shape[1] // 2 :] = 0
        return levels

    monkeypatch.setattr(SelfieNet, "levels", left_half)
    made = MatteMaker(model_pack).make(image, PersonLandmarks(body=person.body, face=face))

    middle = (made.box[0] + made.box[2]) // 2
    matte = made.spread(image.shape[1], image.shape[0])
    outline = np.count_nonzero(matte[:100, middle:] > 127) / np.count_nonzero(matte[:100, :middle] > 127)
    assert (outline > 0.5) == whole


@pytest.mark.parametrize(("half", "runs"), [(True, 40), (False, 26)])
def test_a_mirrored_view_that_adds_nothing_becomes_rare(
    model_pack: ModelPack, half: bool, runs: int, monkeypatch: pytest.MonkeyPatch
):
    """The second view is looked at in each of 20 frames if it completes the head, else in six of them."""
    image = np.ascontiguousarray(material.astronaut()[80:])
    (person,) = PeopleFinder(model_pack).find(image)
    none = np.zeros((2, 16, 2))
    face = FaceLandmarks(points=person.face, depth=np.zeros(468), score=1.0, irises=none, eyes=none)
    asked = []

    def seen(net: SelfieNet, part: np.ndarray) -> np.ndarray:
        asked.append(part)
        levels = np.full(part.shape[:2], 255, np.uint8)
        if half:
            levels[:, levels.shape[1] // 2 :] = 0
        return levels

    monkeypatch.setattr(SelfieNet, "levels", seen)
    monkeypatch.setattr(matte, "GROWTH_ROUNDS", 0)
    maker = MatteMaker(model_pack)
    for _ in range(20):
        maker.make(image, PersonLandmarks(body=person.body, face=face))

    assert len(asked) == runs


def test_capsules_scale_with_the_window(model_pack: ModelPack):
    """Drawn at half size the body's lines cover a quarter of the pixels; without trunk and legs less."""
    image = material.astronaut()
    (person,) = PeopleFinder(model_pack).find(image)
    landmarks = PersonLandmarks(body=person.body)

    whole = draw_capsules(landmarks, 512, 512, 1.0, (0.0, 0.0), 1.0)
    half = draw_capsules(landmarks, 256, 256, 1.0, (0.0, 0.0), 0.5)
    ends = draw_capsules(landmarks, 512, 512, 1.0, (0.0, 0.0), 1.0, ends_only=True)

    assert 0.2 < half.astype(bool).sum() / whole.astype(bool).sum() < 0.3
    assert ends.astype(bool).sum() < whole.astype(bool).sum()
    assert not (ends.astype(bool) & ~whole.astype(bool)).any()


def test_the_box_grows_where_it_cuts_the_person(model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch):
    """With a box that ends at the astronaut's chest the matte reaches the picture's lower edge all the same."""
    image = material.astronaut()
    (person,) = PeopleFinder(model_pack).find(image)
    landmarks = PersonLandmarks(body=person.body)
    monkeypatch.setattr("bodydouble.perception.matte.person_box", lambda *_: (60, 0, 400, 300))

    matte = MatteMaker(model_pack).make(image, landmarks).spread(512, 512)

    assert matte[400, 200] > 200


def test_a_box_that_cuts_nobody_stays():
    """Values at the frame's own border, or a few pixels, do not grow the box."""
    alpha = np.zeros((40, 60), np.float32)
    alpha[:, 0] = 1
    alpha[-1, :2] = 1

    assert _grown_where_cut((0, 10, 60, 50), alpha, 100, 100) == (0, 10, 60, 50)
    alpha[-1, 20:30] = 1
    assert _grown_where_cut((0, 10, 60, 50), alpha, 100, 100) == (0, 10, 60, 65)


@pytest.mark.parametrize("diameter", [6.4, 7.0, 10.0, 14.0])
def test_a_mask_grows_by_half_the_diameter(diameter: float):
    """Of a small person too: loose hair is in the matte only as far as the mask of the pose network reaches."""
    y, x = np.mgrid[:120, :120]
    disc = (np.hypot(x - 60, y - 60) < 30).astype(np.uint8) * np.uint8(255)

    before, after = (np.sqrt(mask.sum(dtype=np.float64) / 255 / np.pi) for mask in (disc, _widened(disc, diameter)))

    assert abs(after - before - diameter / 2) < 0.6


@pytest.mark.parametrize("box", [(40, 20, 160, 110), (61, 33, 140, 99), (0, 0, 200, 120), (150, 100, 200, 120)])
def test_the_mean_of_a_box_is_that_of_the_whole_picture(box: tuple[int, int, int, int]):
    """It is computed without enlarging the matte."""
    pixels = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (45, 60)).astype(np.uint8), (0, 0), 4)
    matte = BoxedMatte(box=(40, 20, 160, 110), pixels=np.asarray(pixels, np.uint8))
    x0, y0, x1, y1 = box
    assert matte.mean_within(box) == pytest.approx(matte.spread(200, 120)[y0:y1, x0:x1].mean(), abs=2)
