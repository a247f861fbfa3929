"""The actor's own hands, recoloured."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.compositing.hand_shape import BONES, PALM
from bodydouble.renderers.puppet.compositing.hands import KeptHand, keep_hand
from bodydouble.renderers.puppet.compositing.light import Light, lab_of

SKIN = (205, 160, 140)
SLEEVE = (40, 40, 120)
TARGET = np.array([45.0, -30.0, 25.0])  # a green character


def open_hand() -> np.ndarray:
    """(21, 2) px: wrist at (100, 150), fingers upwards."""
    points = np.zeros((21, 2))
    points[0] = (100, 150)
    for finger in range(5):
        x = 80 + 10 * finger
        for joint in range(4):
            points[1 + 4 * finger + joint] = (x, 120 - 12 * joint)
    return points


def kept(weight: float = 1.0, elbow: tuple[float, float] = (100, 260)) -> tuple[KeptHand, np.ndarray]:
    """A hand in a sleeve on grey, and where its skin is."""
    points = open_hand()
    image = np.full((300, 200, 3), 128, np.uint8)
    matte = np.zeros((300, 200), np.uint8)
    skin = np.zeros((300, 200), np.uint8)
    for canvas, value in ((image, SLEEVE), (matte, 255)):
        cv2.line(canvas, (100, 165), (100, 260), value, 26)
    for canvas, value in ((image, SKIN), (matte, 255), (skin, 255)):
        cv2.fillConvexPoly(canvas, cv2.convexHull(points.astype(np.int32)), value)
    own = lab_of(np.array([[SKIN]], np.uint8))[0, 0].astype(np.float64)
    light = Light(
        gain=np.ones(3), exposure=1.0, brightness=0.0, follow=np.ones(1), actor_skin=own, character_skin=TARGET
    )
    hand = keep_hand(image, matte, points, np.array(elbow), light, TARGET, weight)
    assert hand is not None
    return hand, skin > 0


def test_skin_becomes_the_characters() -> None:
    """The hand is as light as the character's skin and most of the way to its hue, its alpha 1 inside."""
    hand, skin = kept()
    x0, y0, x1, y1 = hand.box
    inside = cv2.erode(skin[y0:y1, x0:x1].astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert hand.alpha[inside].mean() > 0.95
    made, own = np.median(lab_of(hand.colour)[inside], axis=0), lab_of(np.array([[SKIN]], np.uint8))[0, 0]
    assert abs(made[0] - TARGET[0]) < 3
    assert np.hypot(*(made[1:] - TARGET[1:])) < 0.25 * np.hypot(*(own[1:] - TARGET[1:]))


def test_light_fingers_of_a_pale_character_are_no_white_shape() -> None:
    """A finger in the light is lighter than the palm, but not white, and a gap beside it can be told from it."""
    points = open_hand()
    image, matte = np.full((300, 200, 3), 128, np.uint8), np.full((300, 200), 255, np.uint8)
    cv2.fillConvexPoly(image, cv2.convexHull(points.astype(np.int32)), SKIN)
    cv2.line(image, (100, 120), (100, 84), (240, 205, 190), 9)
    light = _light()
    pale = np.array([89.0, 5.0, 13.0])
    hand = keep_hand(image, matte, points, np.array([100.0, 260.0]), light, pale, 1.0)
    assert hand is not None
    x0, y0, _, _ = hand.box
    finger, palm = (lab_of(hand.colour)[y - y0, x - x0, 0] for x, y in ((100, 100), (88, 110)))
    assert palm + 2 < finger < 97


def test_sleeve_and_background_are_left_out() -> None:
    """What is not skin or not the person is not kept."""
    hand, _ = kept()
    x0, y0, _, _ = hand.box
    assert hand.alpha[min(185 - y0, hand.alpha.shape[0] - 1), 100 - x0] < 0.1
    assert hand.alpha[5, 5] == 0


def test_dark_between_spread_fingers_and_a_white_cuff_are_left_out() -> None:
    """What is behind the hand is not closed into it, and a pale light cuff is no skin; the fingers are kept."""
    points = open_hand()
    for finger in range(5):
        points[1 + 4 * finger : 5 + 4 * finger, 0] += (finger - 2) * np.array([6, 16, 26, 36])
    image, matte = np.full((300, 260, 3), 30, np.uint8), np.full((300, 260), 255, np.uint8)
    cv2.line(image, (100, 160), (100, 260), (222, 205, 205), 34)
    palm = np.round(points[list(PALM)]).astype(np.int32)
    cv2.fillConvexPoly(image, cv2.convexHull(palm), SKIN)
    for a, b in BONES:
        start, stop = np.round(points[[a, b]]).astype(int).tolist()
        cv2.line(image, start, stop, SKIN, 9)
    own = lab_of(np.array([[SKIN]], np.uint8))[0, 0].astype(np.float64) - [14, 0, 0]
    light = Light(
        gain=np.ones(3), exposure=1.0, brightness=0.0, follow=np.ones(1), actor_skin=own, character_skin=TARGET
    )
    cv2.fillConvexPoly(image, cv2.convexHull(palm), (165, 128, 112))  # a palm in its own shade
    hand = keep_hand(image, matte, points, np.array([100.0, 260.0]), light, TARGET, 1.0)
    assert hand is not None
    alpha = np.zeros((300, 260), np.float32)
    x0, y0, x1, y1 = hand.box
    alpha[y0:y1, x0:x1] = hand.alpha
    for finger in range(4):
        first, second = points[7 + 4 * finger - 4], points[7 + 4 * finger]
        x, y = np.round((first + second) / 2).astype(int)
        assert alpha[y, x] < 0.3, f"between fingers {finger} and {finger + 1}"
        x, y = np.round(second).astype(int)
        assert alpha[y, x] > 0.8, f"finger {finger + 1}"
    assert alpha[156:162, 90:110].max() < 0.3


def test_the_weight_fades_the_hand() -> None:
    """Half a weight is half the alpha, so that a hand does not pop up."""
    full, _ = kept()
    half, _ = kept(0.5)
    assert np.allclose(half.alpha, full.alpha * 0.5, atol=1e-6)


def test_a_hand_outside_the_picture_is_none() -> None:
    """Nothing is cut where there is nothing."""
    light = Light(
        gain=np.ones(3), exposure=1.0, brightness=0.0, follow=np.ones(1), actor_skin=TARGET, character_skin=TARGET
    )
    image, matte = np.zeros((50, 50, 3), np.uint8), np.zeros((50, 50), np.uint8)
    assert keep_hand(image, matte, open_hand() + 500, np.array([600.0, 800.0]), light, TARGET, 1.0) is None


def _light(skin: tuple[int, int, int] = SKIN) -> Light:
    own = lab_of(np.array([[skin]], np.uint8))[0, 0].astype(np.float64)
    return Light(
        gain=np.ones(3), exposure=1.0, brightness=0.0, follow=np.ones(1), actor_skin=own, character_skin=TARGET
    )


def _spread_hand(behind: tuple[int, int, int]) -> tuple[KeptHand, np.ndarray]:
    """A hand with spread fingers and a golden bracelet before cloth, whole matte; and its landmarks."""
    points = open_hand()
    for finger in range(5):
        points[1 + 4 * finger : 5 + 4 * finger, 0] += (finger - 2) * np.array([6, 16, 26, 36])
    image = np.full((300, 260, 3), behind, np.uint8)
    cv2.line(image, (100, 140), (100, 260), SKIN, 34)
    cv2.fillConvexPoly(image, cv2.convexHull(np.round(points[list(PALM)]).astype(np.int32)), SKIN)
    for a, b in BONES:
        start, stop = np.round(points[[a, b]]).astype(int).tolist()
        cv2.line(image, start, stop, SKIN, 9)
    cv2.line(image, (80, 146), (120, 146), (120, 85, 40), 4)
    elbow = np.array([100.0, 260.0])
    hand = keep_hand(image, np.full((300, 260), 255, np.uint8), points, elbow, _light(), TARGET, 1.0)
    assert hand is not None
    return hand, points


def test_cloth_of_nearly_the_skins_hue_is_not_kept_between_fingers() -> None:
    """What is frequent about a hand and rare in it is cloth, however near to skin; the fingers stay."""
    hand, points = _spread_hand((175, 165, 130))
    x0, y0, _, _ = hand.box
    for finger in range(4):
        first, second = points[7 + 4 * finger - 4], points[7 + 4 * finger]
        x, y = np.round((first + second) / 2).astype(int)
        assert hand.alpha[y - y0, x - x0] < 0.1, f"between fingers {finger} and {finger + 1}"
        x, y = np.round(second).astype(int)
        assert hand.alpha[y - y0, x - x0] > 0.8, f"finger {finger + 1}"


def test_no_bracelet_stays() -> None:
    """The wrist has one colour where the actor wore something."""
    hand, _ = _spread_hand((30, 30, 30))
    x0, y0, _, _ = hand.box
    wrist = hand.colour[140 - y0 : 150 - y0, 95 - x0 : 105 - x0].astype(int)
    assert np.abs(wrist - np.median(hand.colour[132 - y0, 90 - x0 : 110 - x0], axis=0)).max() < 12


def test_a_light_background_leaves_no_halo() -> None:
    """The rim, where skin and a white wall are blended, is no lighter than the hand."""
    points = open_hand()
    image, matte = np.full((300, 200, 3), 250, np.uint8), np.zeros((300, 200), np.uint8)
    for canvas, value in ((image, SKIN), (matte, 255)):
        cv2.fillConvexPoly(canvas, cv2.convexHull(points.astype(np.int32)), value)
    image, matte = cv2.GaussianBlur(image, (0, 0), 1.5), cv2.GaussianBlur(matte, (0, 0), 1.5)
    hand = keep_hand(image, matte, points, np.array([100.0, 260.0]), _light(), TARGET, 1.0)
    assert hand is not None
    lightness = lab_of(hand.colour)[..., 0]
    assert lightness[(hand.alpha > 0.2) & (hand.alpha < 0.8)].mean() < TARGET[0] + 7


def test_the_fingers_of_an_overexposed_hand_are_told_apart() -> None:
    """A hand with faint shades between its fingers is shaded more; one with usual shades is not."""
    points, elbow = open_hand(), np.array([100.0, 260.0])
    ranges: list[float] = []
    for darker in (5, 60):
        image, matte = np.full((300, 200, 3), 128, np.uint8), np.full((300, 200), 255, np.uint8)
        cv2.fillConvexPoly(image, cv2.convexHull(points.astype(np.int32)), SKIN)
        for finger in points[1:].reshape(5, 4, 2):
            start, stop = (finger[[0, 3]] + [4.0, 0.0]).astype(int).tolist()
            cv2.line(image, start, stop, [value - darker for value in SKIN], 3)
        hand = keep_hand(image, matte, points, elbow, _light(), TARGET, 1.0)
        assert hand is not None
        x0, y0, _, _ = hand.box
        shades = lab_of(hand.colour)[90 - y0 : 110 - y0, 85 - x0 : 115 - x0, 0]
        drawn = lab_of(image)[90:110, 85:115, 0]
        ranges.append(float(np.ptp(shades) / np.ptp(drawn)))
    assert ranges[0] > 1.3 * ranges[1]


def test_a_hand_that_points_at_the_camera_keeps_the_fingers_below_its_wrist() -> None:
    """Its way from wrist to knuckles is short and points anywhere: nothing on its bones fades as an arm does."""
    roots = np.array([[94.0, 126 + 12 * finger] for finger in range(5)])
    points = np.array([[100.0, 150.0], *(root + [13.0 * joint, 0] for root in roots for joint in range(4))])
    image, matte = np.full((300, 260, 3), 128, np.uint8), np.full((300, 260), 255, np.uint8)
    cv2.fillConvexPoly(image, cv2.convexHull(points.astype(np.int32)), SKIN)
    hand = keep_hand(image, matte, points, np.array([20.0, 150.0]), _light(), TARGET, 1.0)
    assert hand is not None
    x0, y0, _, _ = hand.box
    x, y = np.round(points[18]).astype(int)
    assert hand.alpha[y - y0, x - x0] > 0.8


def test_an_arm_between_thumb_and_fingers_is_left_out() -> None:
    """Skin within the hand's outline that lies on none of its fingers is another limb's."""
    points = open_hand()
    points[1:5] = [(85, 135), (65, 130), (45, 128), (25, 126)]
    image, matte = np.full((300, 200, 3), 128, np.uint8), np.full((300, 200), 255, np.uint8)
    for a, b in BONES:
        cv2.line(image, points[a].astype(int).tolist(), points[b].astype(int).tolist(), SKIN, 9)
    cv2.rectangle(image, (48, 96), (74, 112), SKIN, -1)
    hand = keep_hand(image, matte, points, np.array([100.0, 260.0]), _light(), TARGET, 1.0)
    assert hand is not None
    x0, y0, _, _ = hand.box
    assert hand.alpha[102 - y0, 62 - x0] < 0.1
    assert hand.alpha[128 - y0, 45 - x0] > 0.8


def test_the_hollow_of_a_fist_is_the_hands() -> None:
    """Skin in shade that thumb and index enclose lies on neither, and is kept."""
    points = open_hand()
    points[1:5] = [(80, 128), (58, 112), (58, 90), (82, 84)]
    image, matte = np.full((300, 200, 3), 128, np.uint8), np.full((300, 200), 255, np.uint8)
    cv2.fillConvexPoly(image, cv2.convexHull(points.astype(np.int32)), SKIN)
    hand = keep_hand(image, matte, points, np.array([100.0, 260.0]), _light(), TARGET, 1.0)
    assert hand is not None
    x0, y0, _, _ = hand.box
    assert hand.alpha[100 - y0, 72 - x0] > 0.8


def test_a_hand_in_the_shade_keeps_its_darkest_part() -> None:
    """What is too dark for skin in the face's light is not in a hand's own, where most of that is in shade."""
    points = open_hand()
    image, matte = np.full((300, 200, 3), 128, np.uint8), np.full((300, 200), 255, np.uint8)
    cv2.fillConvexPoly(image, cv2.convexHull(points.astype(np.int32)), (110, 78, 66))
    cv2.circle(image, (95, 132), 8, (64, 43, 37), -1)
    hand = keep_hand(image, matte, points, np.array([100.0, 260.0]), _light(), TARGET, 1.0)
    assert hand is not None
    x0, y0, _, _ = hand.box
    assert hand.alpha[132 - y0, 95 - x0] > 0.8


def test_fingers_beside_the_wrist_are_not_evened_as_a_bracelet_is() -> None:
    """A hand that points at the camera has its fingers where others have their wrists: their shades stay."""
    roots = np.array([[94.0, 126 + 12 * finger] for finger in range(5)])
    points = np.array([[100.0, 150.0], *(root + [13.0 * joint, 0] for root in roots for joint in range(4))])
    image, matte = np.full((300, 260, 3), 128, np.uint8), np.full((300, 260), 255, np.uint8)
    cv2.fillConvexPoly(image, cv2.convexHull(points.astype(np.int32)), SKIN)
    cv2.line(image, (96, 162), (130, 162), (165, 120, 100), 2)
    hand = keep_hand(image, matte, points, np.array([20.0, 150.0]), _light(), TARGET, 1.0)
    assert hand is not None
    x0, y0, _, _ = hand.box
    line, beside = (lab_of(hand.colour)[y - y0, 99 - x0, 0] for y in (162, 156))
    assert line < beside - 8
