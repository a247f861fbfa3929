"""The other people in a frame."""

import cv2
import numpy as np
import pytest

from bodydouble.perception.pack import ModelPack
from bodydouble.perception.track import PersonTrack, empty_track
from bodydouble.renderers.puppet.compositing import bystanders
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.discs import disc
from mannequin import joints, track_of

HEIGHT, WIDTH = 200, 300
BOX = (60, 20, 190, 180)


@pytest.fixture
def masks(monkeypatch: pytest.MonkeyPatch, model_pack: ModelPack) -> BystanderMasks:
    """One frame with the replaced person and a bystander; ``people`` is what the network would see in the picture."""
    track = empty_track(1)
    track.present[0] = True
    track.box[0] = 100, 30, 150, 170
    track.bystanders[0, 0] = 160, 40, 200, 190
    monkeypatch.setattr(BystanderMasks, "people", lambda self, image: np.ascontiguousarray(image[..., 0]))
    return BystanderMasks(model_pack, track)


def _cut(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[BOX[1] : BOX[3], BOX[0] : BOX[2]])


def _half_seen(frames: int = 1) -> PersonTrack:
    """The replaced person, whose landmarks are in sight down to the hips; somebody is at the other side."""
    track = empty_track(frames)
    track.present[:], track.box[:] = True, (100, 30, 150, 110)
    track.bystanders[:, 0] = 10, 40, 40, 190
    track.body[:, :, :2] = 125, 80
    track.body[:, [11, 12], :2], track.body[:, [23, 24], :2] = (125, 50), (125, 100)
    return track


def _scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the network sees of both, as a picture; the replaced person's matte; and its widened mask."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    matte = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(matte, (125, 100), (22, 70), 0, 0, 360, 255, -1)
    image[matte > 0] = 255
    cv2.ellipse(image, (125, 100), (25, 73), 0, 0, 360, (255, 255, 255), -1)  # a rim that the matte lacks
    cv2.ellipse(image, (168, 120), (25, 72), 0, 0, 360, (200, 200, 200), -1)
    cv2.circle(image, (20, 20), 9, (255, 255, 255), -1)
    return image, matte, np.asarray(cv2.dilate(matte, np.ones((9, 9), np.uint8)), np.uint8)


def test_only_the_box_is_computed_and_the_answer_is_that_of_the_whole(masks: BystanderMasks) -> None:
    """Both masks equal those that are computed over the whole square, blurred, and then cut to the box."""
    image, matte, gone = _scene()
    found = masks.around(0, image, matte, gone, BOX, _cut(np.where(image > 0, image - 33, 0).astype(np.uint8)))
    x0, y0, x1, y1 = bystanders._square_around(BOX, WIDTH, HEIGHT)
    here = np.s_[y0:y1, x0:x1]
    others = np.where((image[here][..., 0] > 110) & (matte[here] <= 110), 255, 0).astype(np.uint8)
    own = gone[here] & np.asarray(cv2.dilate(matte[here], disc(0.01 * HEIGHT, 1)), np.uint8)
    core = cv2.morphologyEx(others & ~own, cv2.MORPH_OPEN, disc(0.01 * HEIGHT, 1))
    whole = others & np.asarray(cv2.dilate(core, disc(0.02 * HEIGHT, 1)), np.uint8)
    front = bystanders._reaching_down(whole, 170 - 0.02 * HEIGHT - y0)
    inside = np.s_[BOX[1] - y0 : BOX[3] - y0, BOX[0] - x0 : BOX[2] - x0]
    assert found is not None
    for mine, expected in zip(found, (whole, front), strict=True):
        assert expected[inside].any()
        assert np.array_equal(mine, cv2.GaussianBlur(expected, (0, 0), 1.0)[inside])


def test_a_rim_of_the_replaced_person_is_no_bystander(masks: BystanderMasks) -> None:
    """Where the network sees nobody else, or only what is within the person's own mask, there is no mask."""
    image, matte, gone = _scene()
    alone = np.where((gone > 0)[..., None], image, 0).astype(np.uint8)
    assert masks.around(0, alone, matte, gone, BOX, _cut(alone)) is None
    assert masks.around(0, np.zeros_like(image), matte, gone, BOX, np.zeros_like(_cut(image))) is None


def test_what_looks_like_the_plate_is_nobody(masks: BystanderMasks) -> None:
    """The network takes the floor beside two people for a third one."""
    image, matte, gone = _scene()
    assert masks.around(0, image, matte, gone, BOX, _cut(image)) is None


def test_a_foot_that_the_matte_misses_is_no_bystander(monkeypatch: pytest.MonkeyPatch, model_pack: ModelPack) -> None:
    """It differs from the floor, and the landmarks see it."""
    track = track_of([joints(20.0, 125.0, 20.0)])
    track.bystanders[0, 0] = 160, 40, 200, 190
    image, matte = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    matte[20:160, 110:140] = 255
    image[matte > 0] = 255
    ankle, toe = track.body[0, 27, :2], track.body[0, 31, :2]
    cv2.line(image, np.round(ankle).astype(int).tolist(), np.round(toe).astype(int).tolist(), (200, 200, 200), 12)
    monkeypatch.setattr(BystanderMasks, "people", lambda self, image: np.ascontiguousarray(image[..., 0]))
    gone = np.asarray(cv2.dilate(cv2.max(matte, image[..., 0]), np.ones((9, 9), np.uint8)), np.uint8)
    bare = np.zeros_like(_cut(image))
    assert BystanderMasks(model_pack, track).around(0, image, matte, gone, BOX, bare) is None
    track.visibility[0] = 0
    assert BystanderMasks(model_pack, track).around(0, image, matte, gone, BOX, bare) is not None


def test_who_stands_before_the_legs_stays_though_the_matte_took_them_in(
    monkeypatch: pytest.MonkeyPatch, model_pack: ModelPack
) -> None:
    """Where the knees are hidden, a piece of the matte beyond the landmarks in sight is somebody in front."""
    track = _half_seen()
    image, matte = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.rectangle(matte, (105, 30), (145, 74), 255, -1)
    cv2.ellipse(matte, (135, 150), (40, 60), 0, 0, 360, 255, -1)  # who stands in front
    image[matte > 0] = 255
    monkeypatch.setattr(BystanderMasks, "people", lambda self, image: np.ascontiguousarray(image[..., 0]))
    masks = BystanderMasks(model_pack, track)

    found = masks.around(0, image, matte, matte, BOX, _cut(image))
    assert found is not None
    front = found[1]
    assert front[140 - BOX[1], 135 - BOX[0]] > 250
    pierced = matte.copy()
    cv2.rectangle(pierced, (125, 140), (145, HEIGHT), 60, -1)  # the matte doubts a part of them; the mask is wider
    found = masks.around(0, image, pierced, matte, BOX, _cut(image))
    assert found is not None
    assert found[1][150 - BOX[1], 135 - BOX[0]] > 250
    assert front[50 - BOX[1], 125 - BOX[0]] == 0

    track.visibility[0, [25, 26]] = 0.9
    assert masks.around(0, image, matte, matte, BOX, _cut(image)) is None
    track.visibility[0, [25, 26]] = 0
    track.body[0, [23, 24], 1] = 180  # the frame cuts the legs off
    assert masks.around(0, image, matte, matte, BOX, _cut(image)) is None


def test_a_body_that_is_wrong_in_one_frame_brings_nobody_before_the_legs(
    monkeypatch: pytest.MonkeyPatch, model_pack: ModelPack
) -> None:
    """Legs are taken for hidden; in one frame the landmarks end so high that the matte below seems to be another's."""
    track = _half_seen(3)
    track.box[[0, 2]] = 85, 30, 165, HEIGHT
    image, matte = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(matte, (125, 130), (40, 90), 0, 0, 360, 255, -1)
    image[matte > 0] = 255
    monkeypatch.setattr(BystanderMasks, "people", lambda self, image: np.ascontiguousarray(image[..., 0]))
    assert BystanderMasks(model_pack, track).around(1, image, matte, matte, BOX, _cut(image)) is None


def test_who_stands_before_hidden_legs_is_looked_for_there(
    monkeypatch: pytest.MonkeyPatch, model_pack: ModelPack
) -> None:
    """The network misses somebody who is cut off by the frame's edge, but for a square about the legs."""
    track = _half_seen()
    image, matte = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.rectangle(matte, (105, 30), (145, 110), 255, -1)
    cv2.rectangle(image, (110, 130), (170, HEIGHT), (255, 255, 255), -1)
    sides: list[int] = []

    def people(self: BystanderMasks, part: np.ndarray) -> np.ndarray:
        sides.append(len(part))
        return np.ascontiguousarray(part[..., 0]) if len(part) <= 120 else np.zeros(part.shape[:2], np.uint8)

    monkeypatch.setattr(BystanderMasks, "people", people)
    masks = BystanderMasks(model_pack, track)

    found = masks.around(0, image, matte, matte, BOX, _cut(image))
    unknown = masks.unknown(0, image)
    assert found is not None
    assert found[1][170 - BOX[1], 140 - BOX[0]] > 250
    assert unknown is not None
    assert unknown[170, 140] == 255

    sides.clear()
    track.visibility[0, [25, 26]] = 0.9  # nobody is before legs that are seen
    assert masks.around(0, image, matte, matte, BOX, _cut(image)) is None
    assert len(sides) == 1


def test_legs_that_are_hidden_for_a_while_have_somebody_before_them(model_pack: ModelPack) -> None:
    """Nobody else was found, but the legs are seen, then hidden: somebody passes. Furniture hides them always."""
    track = empty_track(40)
    track.present[:] = True
    track.body[:, [11, 12], 1], track.body[:, [23, 24], 1] = 50, 100
    track.visibility[:8, 25] = 0.9

    assert BystanderMasks(model_pack, track).expected(20, HEIGHT)
    assert not BystanderMasks(model_pack, track).expected(20, 120)  # the frame's edge hides them

    track.visibility[:, 25] = 0.9
    track.visibility[18:20, 25] = 0  # the network erred
    assert not BystanderMasks(model_pack, track).expected(20, HEIGHT)
    track.visibility[[16, 17, 18, 19, 21, 22, 23, 24, 26, 28], 25] = 0  # seen now and then beside who passes
    assert BystanderMasks(model_pack, track).expected(20, HEIGHT)
    track.visibility[:, 25] = 0
    assert not BystanderMasks(model_pack, track).expected(20, HEIGHT)
    track.visibility[:, 25] = 0.9
    assert not BystanderMasks(model_pack, track).expected(20, HEIGHT)


def test_only_frames_with_hidden_legs_are_passed(model_pack: ModelPack) -> None:
    """Around them somebody may pass, but nothing hides the legs there. With nobody there, landmarks lost the legs."""
    track = empty_track(40)
    track.present[:] = True
    track.body[:, [23, 24], 0] = 0
    track.body[:, [11, 12], 1], track.body[:, [23, 24], 1] = 50, 100
    track.visibility[:20, 25] = 0.9
    masks = BystanderMasks(model_pack, track)

    assert not masks.may_pass(10, HEIGHT)
    assert not masks.passed(HEIGHT).any()
    track.bystanders[[8, 22, 36], 0] = (-20, 60, 20, 200)
    assert masks.may_pass(10, HEIGHT)
    assert masks.passed(HEIGHT).tolist() == [False] * 20 + [True] * 20


def test_what_is_in_sight_is_steady(model_pack: ModelPack) -> None:
    """Legs that the network sees in a single frame are still hidden there, and another shot says nothing."""
    track = _half_seen(5)
    track.box[:, 3] = [100, 102, 200, 98, 180]
    track.shot[4] = 1

    masks = BystanderMasks(model_pack, track)

    assert masks.sight(2) == 101
    assert masks.sight(4) == 180


def test_a_known_passer_is_in_front(masks: BystanderMasks) -> None:
    """Also one whom the network does not see, and who differs little from the background."""
    image, matte, gone = _scene()
    nothing = np.zeros_like(image)
    passer = np.zeros((BOX[3] - BOX[1], BOX[2] - BOX[0]), np.uint8)
    passer[100:, 40:90] = 255

    found = masks.around(0, nothing, matte, gone, BOX, _cut(nothing), passer)

    assert found is not None
    assert all(mask[130, 60] == 255 and mask[50, 60] == 0 for mask in found)


def test_nobody_is_a_bystander_far_from_all_who_were_sighted(masks: BystanderMasks) -> None:
    """The network also takes cushions and wide trousers for people: beside the replaced person such a piece is none."""
    image, matte, gone = _scene()
    image[...] = np.where((matte > 0)[..., None], image, 0)
    cv2.rectangle(image, (60, 60), (90, 110), (255, 255, 255), -1)
    assert masks.around(0, image, matte, gone, BOX, _cut(image)) is None
    unknown = masks.unknown(0, image)
    assert unknown is not None
    assert not unknown[:, :90].any()


def test_who_differs_from_the_background_stays_though_the_network_sees_nobody(
    monkeypatch: pytest.MonkeyPatch, model_pack: ModelPack
) -> None:
    """Somebody kneels beside the replaced person: the widened mask and the matte's doubts do not take them away."""
    track = empty_track(1)
    track.present[0], track.box[0], track.bystanders[0, 0] = True, (100, 30, 150, 170), (160, 40, 200, 190)
    monkeypatch.setattr(BystanderMasks, "people", lambda self, image: np.zeros(image.shape[:2], np.uint8))
    image, matte, gone = _scene()
    plate = np.zeros_like(_cut(image))
    doubted = matte.copy()
    doubted[90:130, 155:175] = 60
    wide = np.asarray(cv2.max(gone, cv2.dilate(doubted, np.ones((9, 9), np.uint8))), np.uint8)
    found = BystanderMasks(model_pack, track).around(0, image, doubted, wide, BOX, plate)
    assert found is not None
    assert found[0][110 - BOX[1], 165 - BOX[0]] > 250
    assert found[0][100 - BOX[1], 125 - BOX[0]] == 0


def test_a_difference_from_a_made_up_plate_is_nobody(monkeypatch: pytest.MonkeyPatch, model_pack: ModelPack) -> None:
    """Where no frame shows the background, only the network tells people from things behind them."""
    track = empty_track(1)
    track.present[0], track.box[0], track.bystanders[0, 0] = True, (100, 30, 150, 170), (160, 40, 200, 190)
    monkeypatch.setattr(BystanderMasks, "people", lambda self, image: np.zeros(image.shape[:2], np.uint8))
    image, matte, gone = _scene()
    plate = np.zeros_like(_cut(image))
    seen = np.zeros(plate.shape[:2], np.uint8)
    assert BystanderMasks(model_pack, track).around(0, image, matte, gone, BOX, plate, seen=seen) is None
    seen[:] = 255
    assert BystanderMasks(model_pack, track).around(0, image, matte, gone, BOX, plate, seen=seen) is not None
