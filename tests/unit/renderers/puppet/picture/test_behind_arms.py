"""What the layers show of what an arm covers, and of the arm itself."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bodydouble.perception.arrays import Bytes, Image
from bodydouble.renderers.puppet.picture import cloth, layered_body, layers
from bodydouble.renderers.puppet.picture.anatomy import Anatomy, anatomy_of, skin_of
from bodydouble.renderers.puppet.picture.behind_arms import behind_arms
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.layered_body import layer_picture
from bodydouble.renderers.puppet.picture.segmentation import Segmentation
from mannequin import COLOURS, joints, picture, track_of
from tube_body import tube_body

LOCK = (150, 40, 150)
"""Colour of hair beside an arm."""
STRING = (250, 240, 60)
"""Colour of a drawstring beside an arm."""


def _before_the_trunk() -> np.ndarray:
    """(33, 2) a large mannequin whose left forearm lies before its trunk."""
    pose = joints(head=90, centre=350)
    pose[13] = pose[11] + [25, 85]
    pose[15] = pose[11] + [-50, 130]
    pose[[17, 19, 21]] = pose[15] + [-16, 8]
    return pose


def _layers(image: Image, mask: np.ndarray, anatomy: Anatomy) -> dict[str, Bytes]:
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))
    figure = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body())
    return {name: layer.rgba for name, layer in figure.layers.layers.items()}


def _under_the_forearm(rgba: Bytes, pose: np.ndarray) -> np.ndarray:
    """(N, 3) colours of the trunk along the covered bone."""
    shares = np.linspace(0.6, 0.9, 20)[:, None]
    x, y = np.round((1 - shares) * pose[13] + shares * pose[15]).astype(int).T
    assert rgba[y, x, 3].min() > 200
    return rgba[y, x, :3].astype(float)


def test_a_hand_that_is_seen_has_no_second_one_beside_it() -> None:
    """Under a shown hand the body model's own is not continued: its fingers would stand out when the arm moves."""
    pose = joints()
    pose[13], pose[15] = pose[11] + [12, 62], pose[11] + [-30, 90]
    pose[[17, 19, 21]] = pose[15] + [-6, 2]
    image, mask = picture(pose)
    long = pose.copy()
    long[[17, 19, 21]] = pose[15] + [-30, 10]
    track = track_of([long])
    track.hands[0, 0, :, :2] = np.linspace(pose[15], pose[19], 21)

    arm = _layers(image, mask, anatomy_of(track))["arm_l"]

    x, y = np.round(pose[15] + [-18, 6]).astype(int)
    assert arm[y, x, 3] == 0
    x, y = np.round(pose[15]).astype(int)
    assert arm[y, x, 3] > 200


def test_what_the_trunk_hides_of_an_arm_shows_where_the_arm_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shoulder stays behind what hides it."""
    pose = joints(head=90, centre=350)
    image, mask = picture(pose, (700, 760))
    inner = np.zeros(mask.shape, np.uint8)
    line = np.round(pose[[11, 13, 15]] - [13, 0]).astype(np.int32)
    cv2.polylines(inner, [line], False, 1, 14)
    segment = layered_body.segment

    def half_hidden(*args: object) -> Segmentation:
        found = segment(*args)
        parts = {name: part & (inner == 0) if name == "arm_l" else part for name, part in found.parts.items()}
        return replace(found, parts=parts | {"rest": found.parts["rest"] | (inner > 0)})

    monkeypatch.setattr(layered_body, "segment", half_hidden)
    anatomy = anatomy_of(track_of([pose]))
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))

    arm = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body()).layers.layers["arm_l"]

    assert arm.front is not None
    assert arm.moved is not None
    gained = arm.moved[..., 3].astype(int) - arm.front[..., 3]
    assert gained.min() >= -1
    assert gained[int(pose[13, 1]) : int(pose[15, 1])].max() > 200
    assert gained[: int(pose[11, 1] + 0.1 * (pose[13, 1] - pose[11, 1]))].max() <= 1


def test_an_arms_outline_does_not_spread_over_what_it_covers() -> None:
    """A light rim beside a sleeve, as drawings have, leaves the shirt behind the arm as it is."""
    pose = _before_the_trunk()
    image, mask = picture(pose, (700, 760))
    sleeve = np.all(image == COLOURS["sleeve"], axis=-1).astype(np.uint8)
    rim = (cv2.dilate(sleeve, np.ones((9, 9), np.uint8)) > sleeve) & np.all(image == COLOURS["shirt"], axis=-1)
    image[rim] = 255

    trunk = _layers(image, mask, anatomy_of(track_of([pose])))["trunk"]

    assert np.abs(_under_the_forearm(trunk, pose) - COLOURS["shirt"]).max() < 60


def test_the_soft_rim_of_an_arms_drawn_outline_has_the_lines_colour() -> None:
    """With the sleeve's colour, light dots would stand beside the line."""
    pose = joints(head=90, centre=350)
    image, mask = picture(pose, (700, 760))
    person = (mask > 0.5).astype(np.uint8)
    line = cv2.dilate(person, np.ones((5, 5), np.uint8)) > person
    image[line] = 10
    soft = np.where(cv2.dilate(person, np.ones((3, 3), np.uint8)) > 0, 1, np.where(line, 0.5, 0)).astype(np.float32)

    arm = _layers(image, soft, anatomy_of(track_of([pose])))["arm_l"]
    x, y = np.round(pose[[13, 15]].mean(0)).astype(int)
    row = arm[y, x:]
    rim = (row[:, 3] > 60) & (row[:, 3] < 200)
    assert rim.any()
    assert (row[rim, :3].max(1) / row[rim, 3]).max() < 0.25


def test_a_drawstring_beside_an_arm_stays() -> None:
    """A narrow band of another colour than arm and shirt, close to the arm, is still there when that has gone."""
    pose = _before_the_trunk()
    image, mask = picture(pose, (700, 760))
    sleeve = np.all(image == COLOURS["sleeve"], axis=-1).astype(np.uint8)
    near, wide = (cv2.dilate(sleeve, np.ones((size, size), np.uint8)) > 0 for size in (9, 17))
    string = wide & np.all(image == COLOURS["shirt"], axis=-1)
    x, y = np.round(0.25 * pose[13] + 0.75 * pose[15]).astype(int)
    string[:, : x - 20] = string[:, x + 20 :] = string[y:] = False
    image[string] = STRING

    trunk = _layers(image, mask, anatomy_of(track_of([pose])))["trunk"]

    beside = near & string & ~(cv2.dilate(sleeve, np.ones((7, 7), np.uint8)) > 0)
    beside[:, : x - 15] = beside[:, x + 15 :] = False
    assert np.count_nonzero(beside) > 20
    assert np.abs(np.median(trunk[beside], axis=0)[:3] - STRING).max() < 10


def test_hair_beside_an_arm_does_not_spread_over_what_it_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind an arm is cloth, also where hair from above the shoulders hangs about it; the hair stays as it is."""
    pose = _before_the_trunk()
    image, mask = picture(pose, (700, 760))
    lock = np.zeros(mask.shape, np.uint8)
    x, y = np.round(pose[15] + [10, -70]).astype(int)
    cv2.rectangle(lock, (int(x) - 30, int(y) - 170), (int(x) + 110, int(y) + 120), 1, -1)
    hair = (lock > 0) & np.all(image == COLOURS["shirt"], axis=-1)
    image[hair] = LOCK
    segment = layered_body.segment

    def with_hair(*args: object) -> Segmentation:
        return replace(segment(*args), hair=hair)

    monkeypatch.setattr(layered_body, "segment", with_hair)
    trunk = _layers(image, mask, anatomy_of(track_of([pose])))["trunk"]

    assert np.abs(_under_the_forearm(trunk, pose) - COLOURS["shirt"]).max() < 10
    seen = np.median(trunk[cv2.erode(hair.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0], axis=0)
    assert np.abs(seen[:3] - LOCK).max() < 10


def test_the_side_of_a_trunk_that_goes_on_behind_an_arm_is_cloth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hair that hangs beside it goes on up to that side, not up to the body model's."""
    pose = _before_the_trunk()
    image, mask = picture(pose, (700, 760))
    sides, hair = np.zeros(mask.shape, np.bool_), np.zeros(mask.shape, np.bool_)
    hair[round(float(pose[11, 1])) + 40 :, round(float(pose[11, 0])) - 12 :] = True
    hair &= np.all(image == COLOURS["shirt"], axis=-1)
    sides[300:340, 10:30] = True
    segment, bodies = layered_body.segment, list[np.ndarray]()

    def recorded(*args: np.ndarray) -> object:
        bodies.append(args[-1])
        return behind_arms(*args)

    monkeypatch.setattr(layered_body, "segment", lambda *args: replace(segment(*args), hair=hair))
    monkeypatch.setattr(layers, "behind_the_arms", lambda *_: sides)
    monkeypatch.setattr(layers, "behind_arms", recorded)
    _layers(image, mask, anatomy_of(track_of([pose])))
    assert bodies[0][300:340, 10:30].all()


def test_hair_outside_an_arm_goes_on_behind_it_up_to_the_body() -> None:
    """Cloth covers the body without the colour of its trim; a skirt's rim beside the body stays cloth."""
    shirt, trim = (230, 235, 240), (20, 30, 120)
    image = np.full((90, 100, 3), shirt, np.float32)
    image[:, 38:41] = trim
    image[:50, :20] = LOCK
    body, hair, known = (np.zeros(image.shape[:2], np.bool_) for _ in range(3))
    body[:, 34:80] = True
    hair[:40, :20] = True
    known[:50, :20] = known[:, 38:] = known[60:, 20:] = True
    made_up = ~known
    made_up[50:, :19] = False  # what is left below is a skirt's rim
    cloth = body & known

    colour, locks = behind_arms(image, np.zeros_like(image), cloth, hair, known, made_up, body)

    assert np.abs(colour[5:45, 21:30] - LOCK).max() < 3
    assert np.abs(colour[5:45, 35:37] - shirt).max() < 3
    assert locks[5:45, :28].all()
    assert not locks[:, 34:].any()
    assert not locks[65:].any()


def test_what_the_trunk_hides_of_a_sleeve_has_its_texture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A woven sleeve is woven under the trunk too: plain cloth would show where the arm is raised."""
    pose = joints(head=90, centre=350)
    image, mask = picture(pose, (700, 760))
    woven = np.random.default_rng(0).integers(-25, 26, (*image.shape[:2], 1))
    image = np.clip(image.astype(int) + woven, 0, 255).astype(np.uint8)
    inner = np.zeros(mask.shape, np.uint8)
    for arm, inwards in (([11, 13, 15], -18), ([12, 14, 16], 18)):
        cv2.polylines(inner, [np.round(pose[arm] + [inwards, 0]).astype(np.int32)], False, 1, 26)
    segment = layered_body.segment

    def half_hidden(*args: object) -> Segmentation:
        found = segment(*args)
        parts = {name: part & (inner == 0) for name, part in found.parts.items()}
        return replace(found, parts=parts | {"rest": found.parts["rest"] | (inner > 0)})

    monkeypatch.setattr(layered_body, "segment", half_hidden)
    monkeypatch.setattr(cloth, "DEEP", 0.1)  # the mannequin's arms are thin
    left = _layers(image, mask, anatomy_of(track_of([pose])))["arm_l"]
    hidden = cv2.erode(((left[..., 3] > 250) & (inner > 0)).astype(np.uint8), np.ones((9, 9))) > 0
    assert hidden.sum() > 100
    steps = np.abs(np.diff(left[..., 0].astype(int), axis=1))[hidden[:, 1:]]
    assert steps.mean() > 4
