"""Arms that a picture shows folded are laid out straight."""

from dataclasses import replace

import numpy as np
import pytest

from bodydouble.perception.arrays import Floats, Image
from bodydouble.renderers.puppet.body.skeleton import ARMS, joints_of
from bodydouble.renderers.puppet.picture.anatomy import Anatomy, anatomy_of, skin_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.layered_body import FittedPicture, layer_picture
from bodydouble.renderers.puppet.picture.straightening import folded_sides, straightened
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
