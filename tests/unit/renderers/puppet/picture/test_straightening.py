"""Arms that a picture shows folded are laid out straight."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bodydouble.perception.arrays import Floats, Image
from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import ARMS, joints_of
from bodydouble.renderers.puppet.picture.anatomy import Anatomy, anatomy_of, skin_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.layered_body import FittedPicture, layer_picture
from bodydouble.renderers.puppet.picture.straightening import (
    FoldedArm,
    _beside_arm,
    _joined,
    _outline,
    folded_sides,
    straight_arm,
    straightened,
)
from mannequin import COLOURS, joints, picture, track_of
from tube_body import tube_body

SHOULDER, ELBOW, WRIST = ARMS["l"].joints


def _folded() -> np.ndarray:
    """(33, 2) a mannequin whose left hand lies before its own upper arm."""
    pose = joints()
    pose[ELBOW] = pose[SHOULDER] + [12, 62]
    pose[WRIST] = pose[SHOULDER] + [-14, 16]
    pose[[17, 19, 21]] = pose[WRIST] + [-4, -10]
    return pose


def _layered(pose: np.ndarray) -> tuple[FittedPicture, Image, Floats, Anatomy]:
    image, mask = picture(pose)
    anatomy = anatomy_of(track_of([pose]))
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))
    return layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body()), image, mask, anatomy


def test_a_folded_arm_is_laid_out_straight_and_a_bent_one_stays() -> None:
    """The forearm goes on where the upper arm points, as long as before; the hand turns with it."""
    pose = _folded()
    _, mask = picture(pose)
    own = joints_of(anatomy_of(track_of([pose])), tube_body(), mask.shape)

    directions = folded_sides(own, mask.shape[1], 20.0)
    points = straightened(own, directions).points

    assert set(directions) == {"l"}
    upper, lower = points[ELBOW] - points[SHOULDER], points[WRIST] - points[ELBOW]
    assert np.cos(np.radians(10)) < upper[:2] @ lower[:2] / np.hypot(*upper[:2]) / np.hypot(*lower[:2])
    length = np.linalg.norm(own.points[WRIST] - own.points[ELBOW])
    assert np.linalg.norm(lower) == pytest.approx(length)
    assert points[19, 1] > points[WRIST, 1]
    assert np.array_equal(points[list(ARMS["r"].joints)], own.points[list(ARMS["r"].joints)])


def test_a_straight_arm_stays_in_its_picture() -> None:
    """At a side of the picture the forearm is laid inwards; above a head there is no room."""
    own = joints_of(anatomy_of(track_of([_folded()])), tube_body(), (400, 400))
    edge = float(own.points[ELBOW, 0]) + 25

    at_edge = folded_sides(own, round(edge), 20.0)["l"]
    raised = own.points.copy()
    raised[[ELBOW, WRIST], 1] = 2 * raised[SHOULDER, 1] - raised[[ELBOW, WRIST], 1]

    assert at_edge[0] < folded_sides(own, 1000, 20.0)["l"][0]
    assert not folded_sides(replace(own, points=raised), 400, 20.0)


def test_what_a_forearm_hides_of_its_upper_arm_is_made_up() -> None:
    """The layer of a folded arm is whole from shoulder to wrist, in the sleeve's colour, and no hand is on it."""
    figure, *_ = _layered(_folded())

    layer, points = figure.layers.layers["arm_l"], figure.fit.joints.points
    assert layer.front is not None
    for start, end, share in ((SHOULDER, ELBOW, 0.6), (SHOULDER, ELBOW, 0.9), (ELBOW, WRIST, 0.3), (ELBOW, WRIST, 0.7)):
        x, y = np.round((1 - share) * points[start, :2] + share * points[end, :2]).astype(int)
        assert layer.front[y, x, 3] > 200
        assert np.abs(layer.front[y, x, :3].astype(float) - COLOURS["sleeve"]).max() < 50


def test_a_forearm_that_points_at_the_camera_is_stretched_and_its_hand_is_not() -> None:
    """Laid out straight, a hand is as long as in the picture, however short its forearm looks there."""
    pose = _folded()
    pose[WRIST] = pose[ELBOW] + [-10, -30]
    pose[[17, 19, 21]] = pose[WRIST] + [-4, -26]
    image, mask = picture(pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    own = joints_of(anatomy, template, (500, 500))
    posed = straightened(own, folded_sides(own, 500, 20.0))
    folded, straight = (fit_body(template, anatomy, joints) for joints in (own, posed))
    hand = np.zeros((500, 500), np.uint8)
    start, stop = (np.round(pose[k]).astype(int).tolist() for k in (WRIST, 19))
    cv2.line(hand, start, stop, 1, 14)
    limb = hand.copy()
    cv2.polylines(limb, [np.round(pose[[SHOULDER, ELBOW, WRIST]]).astype(np.int32)], False, 1, 26)
    colour = np.where(limb[..., None] > 0, COLOURS["sleeve"], image).astype(np.float32)
    colour[hand > 0] = COLOURS["skin"]
    parts = {"arm_l": limb > 0, "rest": (mask > 0.5) & (limb == 0)}
    skin = np.array(COLOURS["skin"], np.float64)
    arm = FoldedArm(colour=colour, alpha=mask, parts=parts, side="l", hand=hand > 0, forearm_seen=True, skin=skin)

    made = straight_arm(arm, folded, straight, template)

    along = posed.points[WRIST, :2] - posed.points[ELBOW, :2]
    rows, columns = np.nonzero(made.parts["arm_l"] & (np.abs(made.colour - skin).max(-1) < 30))
    places = (np.c_[columns, rows] - posed.points[WRIST, :2]) @ along / np.hypot(*along)
    shown = np.hypot(*(pose[19] - pose[WRIST]))
    assert np.hypot(*along) > 1.5 * np.hypot(*(pose[WRIST] - pose[ELBOW]))
    assert 0.8 * shown < places.max() < 1.4 * shown


def _held_out() -> np.ndarray:
    """(33, 2) a mannequin that holds its left hand out to the viewer, before its elbow."""
    pose = joints()
    pose[ELBOW] = pose[SHOULDER] + [22, 62]
    pose[WRIST] = pose[ELBOW] + [5, 4]
    pose[[17, 19, 21]] = pose[WRIST] + [4, 10]
    return pose


def test_a_forearm_before_which_its_hand_lies_is_made_up() -> None:
    """A hand held out to the viewer hides its forearm: both are made up, at the length that the upper arm tells."""
    figure, *_ = _layered(_held_out())

    layer, points = figure.layers.layers["arm_l"], figure.fit.joints.points
    upper, lower = (np.linalg.norm(points[end] - points[start]) for start, end in ((SHOULDER, ELBOW), (ELBOW, WRIST)))
    assert 0.7 < lower / upper < 1.0
    assert layer.front is not None
    for share in (0.2, 0.5, 0.8):
        x, y = np.round((1 - share) * points[ELBOW, :2] + share * points[WRIST, :2]).astype(int)
        assert layer.front[y, x, 3] > 200
        assert np.abs(layer.front[y, x, :3].astype(float) - COLOURS["sleeve"]).max() < 50


def test_a_straight_arm_meets_the_trunk_without_a_notch() -> None:
    """Its outline is rounded, but not in the corner where the trunk goes on."""
    template, anatomy = tube_body(), anatomy_of(track_of([_held_out()]))
    straight = fit_body(template, anatomy, joints_of(anatomy, template, (500, 500)))
    arm, trunk = np.zeros((500, 500), np.bool_), np.zeros((500, 500), np.bool_)
    arm[100:160, 300:340] = True
    trunk[100:160, 200:300] = True

    alone, beside = (_outline(arm, other, straight, "l") for other in (np.zeros_like(trunk), trunk))

    assert not alone[100, 300]
    assert beside[100, 300]
    assert not beside[100, 339]
    assert not (beside & trunk).any()


@pytest.mark.parametrize(("hidden", "spike"), [(10, True), (40, False)])
def test_an_upper_arm_that_the_trunk_hides_has_no_spike_along_it(hidden: int, spike: bool) -> None:
    """The trunk beside an arm that is seen goes on into a corner; before a hidden one nothing leads along it."""
    trunk, body, upper = (np.zeros((300, 500), np.bool_) for _ in range(3))
    body[100:220, 300:340], upper[:160], trunk[100:160, 200 : 300 + hidden] = True, True, True

    beside = _beside_arm(trunk, body, upper, 50.0)

    assert beside[150, 210] == spike
    assert beside[150, 299]
    assert not beside[161:].any()


def test_a_drawn_arm_keeps_its_outline_but_shows_no_line_where_its_pieces_meet() -> None:
    """Dark lines along inner borders of what is seen vanish, and so does one across the elbow; that outside stays."""
    colour = np.full((120, 60, 3), 230, np.float32)
    outline, seen = np.zeros((120, 60), np.bool_), np.zeros((120, 60), np.bool_)
    outline[5:115, 15:45] = True
    seen[5:60, 15:30], seen[60:115, 15:45] = True, True
    seen[5:115, 15], beyond = False, np.broadcast_to(np.arange(120)[:, None] >= 60, (120, 60))
    dark = 40.0
    colour[5:115, 15:18] = dark  # outside
    colour[5:60, 28:30] = dark  # where the trunk hid the rest
    colour[59:61, 15:30] = dark  # at the elbow
    joined = _joined(colour, seen, outline & ~seen, outline, beyond, 20.0)
    assert joined[10:50, 24:35].min() > 170
    assert joined[56:64, 24:40].min() > 170
    assert joined[20:45, 16:18].max() < 60
    assert np.array_equal(joined[90:110, 22:40], colour[90:110, 22:40])
