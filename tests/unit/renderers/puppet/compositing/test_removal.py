"""What is taken out of the picture."""

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing import removal
from bodydouble.renderers.puppet.compositing.removal import (
    DOUBTFUL,
    UNKNOWN,
    forearm_mask,
    forearms_seen,
    matte_mask,
    person_zone,
    removal_mask,
    unknown_mask,
)
from bodydouble.renderers.puppet.discs import disc
from mannequin import joints


def test_wisps_of_a_faint_matte_are_background_and_blurred_hands_are_not() -> None:
    """Thin and far from the person: foliage that the matte let pass. In one thick piece, or near: the person."""
    matte = np.zeros((480, 640), np.uint8)
    matte[100:400, 200:300] = 255
    matte[200:260, 300:306] = 40  # a fringe of hair
    matte[300:303, 300:400] = 60  # a twig that touches the person
    matte[150:190, 330:370] = 60  # a blurred hand
    gone = matte_mask(matte)
    assert gone[200:260, 305].all()
    assert not gone[301, 330:400].any()
    assert gone[155:185, 335:365].all()


def test_legs_and_shoes_that_the_matte_misses_are_removed_and_never_learned() -> None:
    """Both masks cover the visible limbs' landmarks, the one for learning more widely; hidden limbs stay."""
    pose = joints(50.0, 250.0, 40.0)
    image, nothing = np.zeros((480, 500, 3), np.uint8), np.zeros((480, 500), np.uint8)
    seen = np.full(33, 0.9)
    gone, unknown = removal_mask(nothing, pose, seen), unknown_mask(image, nothing, pose, seen)
    for joint in (25, 26, 27, 28, 31, 32, 15, 16):
        x, y = np.round(pose[joint]).astype(int)
        assert gone[y, x] == 255
    assert np.count_nonzero(unknown == UNKNOWN) > 1.2 * np.count_nonzero(gone)
    assert (unknown[gone > 0] == UNKNOWN).all()
    assert not removal_mask(nothing, pose, np.zeros(33)).any()
    assert not (unknown_mask(image, nothing, pose, np.zeros(33)) == UNKNOWN).any()
    assert not unknown_mask(image, nothing, np.full((33, 3), np.nan), seen).any()


def test_a_sole_below_the_landmarks_of_a_foot_is_never_learned() -> None:
    """A shoe seen from the side: its sole lies as far below heel and toe as the ankle is above them, whole or not."""
    pose, seen = joints(50.0, 250.0, 40.0), np.full(33, 0.9)
    ankle, heel, toe = 27, 29, 31
    pose[heel, :2], pose[toe, :2] = pose[ankle, :2] + [-12, 26], pose[ankle, :2] + [48, 26]
    image, matte = np.zeros((480, 500, 3), np.uint8), np.zeros((480, 500), np.uint8)
    cv2.fillConvexPoly(matte, np.round(pose[[ankle, heel, toe], :2]).astype(np.int32), 255)  # the matte ends above it
    unknown = unknown_mask(image, matte, pose, seen)
    for x, y in np.round((pose[heel, :2], pose[toe, :2]) + np.array([0, 26])).astype(int):
        assert unknown[y, x] == UNKNOWN
    seen[[heel, toe]] = 0
    assert not unknown_mask(image, np.zeros_like(matte), pose, seen)[y + 4, x]


def test_a_forearm_is_removed_though_its_elbow_is_hidden() -> None:
    """A raised arm has its elbow behind the own head; with the wrist hidden too, something else is before it."""
    pose, seen = joints(50.0, 250.0, 40.0), np.zeros(33)
    nothing = np.zeros((480, 500), np.uint8)
    x, y = np.round((pose[13] + pose[15])[:2] / 2).astype(int)
    seen[15] = 0.5
    assert removal_mask(nothing, pose, seen)[y, x] == 255
    assert forearm_mask(nothing.shape, pose, seen)[y, x] == 255
    assert not forearms_seen(seen)
    seen[16] = 0.5
    assert forearms_seen(seen)
    seen[13], seen[15], seen[16] = 0.5, 0, 0
    assert not removal_mask(nothing, pose, seen).any()


def test_about_a_leg_that_the_matte_misses_the_background_is_doubtful_farther_out() -> None:
    """The landmarks err most where the matte errs: a part of a shoe is beside them. A leg in the matte is known."""
    pose = joints(50.0, 250.0, 40.0)
    image, nothing = np.zeros((480, 500, 3), np.uint8), np.zeros((480, 500), np.uint8)
    knee, ankle = pose[25], pose[27]
    x, y = np.round((knee + ankle) / 2 + [0.26 * removal.shoulder_width(pose), 0]).astype(int)
    assert unknown_mask(image, nothing, pose, np.full(33, 0.9))[y, x] == DOUBTFUL
    leg = nothing.copy()
    cv2.line(leg, np.round(knee).astype(int).tolist(), np.round(ankle).astype(int).tolist(), 255, 5)
    assert unknown_mask(image, leg, pose, np.full(33, 0.9))[y, x] == 0


def _head_scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A dark-haired head before a wall, its matte, and its joints."""
    pose = joints(80.0, 250.0, 40.0)
    image = np.full((480, 500, 3), 150, np.uint8)
    matte = np.zeros((480, 500), np.uint8)
    matte[40:120, 230:270] = 255
    image[matte > 0] = 30
    return image, matte, pose


def test_beside_a_head_that_the_matte_holds_the_background_is_only_doubtful() -> None:
    """The wall beside the head is learned where nothing better is seen; a pigtail of the hair's colour never is."""
    image, matte, pose = _head_scene()
    image[60:110, 270:290] = 30  # a pigtail that the matte misses
    unknown = unknown_mask(image, matte, pose, np.zeros(33))
    assert (unknown[70:110, 185:198] == DOUBTFUL).all()
    assert (unknown[:, :198] != UNKNOWN).all()
    assert (unknown[50:110, 220:228] == UNKNOWN).all()  # the rim: blurred hair and shade
    assert (unknown[65:105, 272:288] == UNKNOWN).all()
    assert not unknown[400:, :].any()


def test_a_haze_of_hair_before_a_plain_wall_is_never_learned() -> None:
    """It goes on beyond the rim that is never learned, in a colour that the wall has elsewhere."""
    image, matte, pose = _head_scene()
    image[:, 400:] = 90
    image[60:110, 270:308] = 90
    unknown = unknown_mask(image, matte, pose, np.zeros(33))
    assert (unknown[66:104, 272:304] == UNKNOWN).all()
    assert (unknown[:, 318:] != UNKNOWN).all()


def test_the_zone_of_a_person_holds_all_that_may_be_the_person() -> None:
    """The quick mask differs from the exact one by less than the rim of hair that the exact one adds."""
    image, matte, pose = _head_scene()
    image[60:110, 270:290] = 30  # a pigtail that the matte misses
    seen = np.full(33, 0.9)
    exact, quick = unknown_mask(image, matte, pose, seen), person_zone(matte, pose, seen)
    assert not cv2.erode((exact > 0).astype(np.uint8), np.ones((5, 5)))[quick == 0].any()
    assert (exact[quick > 0] > 0).all()


def test_a_mask_widened_by_distances_is_that_widened_by_a_disc() -> None:
    """Within the zone's box both differ in less than a fiftieth of the pixels, also at the picture's border."""
    mask, zone = np.zeros((200, 220), np.uint8), np.zeros((200, 220), np.uint8)
    cv2.ellipse(mask, (60, 90), (40, 25), 30, 0, 360, 255, -1)
    mask[:12, 150:] = 255
    zone[5:180, :200] = 255
    found = removal._widened_within(mask, zone, 20.0)
    expected = cv2.dilate(mask, disc(20.0, 2))
    expected[:5], expected[180:], expected[:, 200:] = 0, 0, 0
    assert np.count_nonzero(found != expected) < 0.02 * np.count_nonzero(expected)
    assert set(np.unique(found)) == {0, 255}
    assert not removal._widened_within(np.zeros_like(mask), zone, 20.0).any()


def test_only_pieces_beside_a_mask_come_with_it() -> None:
    """A piece that meets the mask, if only at a corner, is kept whole; one that is a pixel apart is dropped."""
    mask, pieces = np.zeros((20, 30), np.uint8), np.zeros((20, 30), np.uint8)
    mask[8:12, 8:12] = 255
    pieces[4:8, 12:16] = 255  # at a corner
    pieces[13:16, 8:12] = 255  # a row between
    found = removal._with_touching(pieces, mask)
    assert found[4:8, 12:16].all()
    assert found[8:12, 8:12].all()
    assert np.count_nonzero(found) == 32
    assert np.array_equal(removal._with_touching(np.zeros_like(mask), mask), mask)


@pytest.mark.parametrize("height", [480, 640, 720])
def test_a_matte_widened_at_half_size_hides_hardly_more(height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than a pixel on average: background that is hidden in all frames has to be made up."""
    matte = np.zeros((height, 480), np.uint8)
    cv2.ellipse(matte, (240, height // 2), (90, 180), 20, 0, 360, 255, -1)
    quick = matte_mask(matte) > 0
    monkeypatch.setattr(removal, "HALVED_HEIGHT_MIN", 10_000)
    exact = matte_mask(matte) > 0

    rim = exact & (cv2.erode(exact.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    assert -0.1 < (int(quick.sum()) - int(exact.sum())) / rim.sum() < 0.9


def test_a_matte_widened_at_half_size_is_that_widened_at_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick mask holds nearly all of the exact one, and is wider by less than two pixels."""
    matte = np.zeros((483, 641), np.uint8)
    cv2.ellipse(matte, (300, 250), (90, 180), 20, 0, 360, 255, -1)
    matte = cv2.GaussianBlur(matte, (0, 0), 3)
    matte[100:103, 400:600] = 60  # thin and faint: no person
    matte[200:240, 520:560] = 60  # thick and faint: a blurred hand
    quick = matte_mask(matte)
    monkeypatch.setattr(removal, "HALVED_HEIGHT_MIN", 10_000)
    exact = matte_mask(matte)
    assert not cv2.erode(exact, np.ones((5, 5)))[quick == 0].any()
    assert not (quick[cv2.dilate(exact, np.ones((5, 5))) == 0]).any()
    assert quick[220, 540]
    assert not quick[101, 450:490].any()
