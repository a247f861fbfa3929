"""Somebody who sits leans to the camera."""

from dataclasses import replace

import numpy as np

from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.rest_skeleton import rest_skeleton
from bodydouble.renderers.puppet.motion.retarget import Retargeting
from bodydouble.renderers.puppet.motion.sitting import lean_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from mannequin import joints, track_of
from tube_body import tube_body

LOWER_BODY = range(23, 33)
KNEES = range(25, 33)


def _retargeting(*, sits: bool, knees_seen: float = 1.0) -> Retargeting:
    """An actor whose trunk looks a fifth shorter than the character's, seen down to the knees."""
    pose = joints(head=60)
    up = 0.2 * (pose[23] - pose[11])[1]
    pose[list(LOWER_BODY), 1] -= up
    if sits:
        pose[list(KNEES), 1] -= (pose[25] - pose[23])[1]
    track = track_of([pose] * 24)
    track.visibility[:, 23:25], track.visibility[:, 25:27] = 1.0, knees_seen
    track.visibility[:, 27:33] = 0.0
    anatomy, template = anatomy_of(track_of([joints(head=60)])), tube_body()
    rest = rest_skeleton(joints_of(anatomy, template, (500, 500)), anatomy.head)
    return Retargeting(rest, build_motion(track, 25.0), template)


def _trunk(found: Retargeting) -> np.ndarray:
    """(3,) hips to shoulders in the frame, px."""
    pose = found.poses[12]
    assert pose is not None
    return (pose.joints["shoulders"] - pose.joints["hips"]) * found.scales[12]


def test_the_hips_of_who_sits_are_where_the_actors_are():
    """The trunk leans to the camera as far as it takes, so that folded legs do not begin below the actor's."""
    found = _retargeting(sits=True)
    seen = float(np.hypot(*found.actor.vectors["spine"][12, :2]))
    trunk = _trunk(found)

    assert np.isclose(np.hypot(*trunk[:2]), seen, rtol=0.02)
    assert trunk[2] < -0.2 * seen


def test_who_stands_or_shows_no_knees_keeps_an_upright_trunk():
    """A trunk of other proportions is no lean; and knees that are not seen tell nothing."""
    for found in (_retargeting(sits=False), _retargeting(sits=True, knees_seen=0.05)):
        trunk = _trunk(found)

        assert np.isclose(np.hypot(*trunk[:2]), found.scales[12] * found.rest.spine, rtol=0.01)


def test_who_sits_down_leans_little_by_little():
    """The lean grows with the knees that rise: a trunk that tilts at once would jump."""
    found = _retargeting(sits=True)
    lean = lean_of(found.motion, found.actor, found.rest, found.scale)
    half = replace(lean, sits=np.full(24, 0.5))
    up, across = np.array([0.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0])
    whole, partly = lean.tilted(up, across, 12), half.tilted(up, across, 12)

    assert whole[0][2] < partly[0][2] < 0
    assert np.isclose(np.linalg.norm(partly[0]), 1)
    assert whole[1] == partly[1] == 1


def test_a_turned_trunk_is_shorter_instead():
    """It keeps its shoulders level and looks as short as one that leans; in between it does a part of both."""
    found = _retargeting(sits=True)
    lean = lean_of(found.motion, found.actor, found.rest, found.scale)
    up = np.array([0.0, -1.0, 0.0])
    seen: list[float] = []
    for sine in (0.0, 0.35, 0.8):
        direction, length = lean.tilted(up, np.array([np.sqrt(1 - sine**2), 0.0, sine]), 12)
        seen.append(-float(direction[1]) * length)

    assert direction[2] == 0
    assert length < 0.95
    assert np.allclose(seen, seen[0])


def test_knees_of_who_sits_are_at_the_actors():
    """Longer thighs point more at the camera; of who sits half, knees are half way there."""
    pose = joints(head=60)
    pose[list(KNEES), 1] -= (pose[25] - pose[23])[1]
    pose[list(KNEES), 0] += 30
    track = track_of([pose] * 24)
    track.visibility[:, 23:27], track.visibility[:, 27:33] = 1.0, 0.0
    anatomy, template = anatomy_of(track_of([joints(head=60)])), tube_body()
    rest = rest_skeleton(joints_of(anatomy, template, (500, 500)), anatomy.head)
    found = Retargeting(rest, build_motion(track, 25.0), template)
    drawn, lean = found.poses[12], lean_of(found.motion, found.actor, rest, found.scale)
    assert drawn is not None

    for side, knee in (("l", 25), ("r", 26)):
        own = drawn.joints[f"knee_{side}"][:2] * found.scales[12]
        assert np.hypot(*(own - found.actor.points[12, knee, :2] + found.actor.hips[12, :2])) < 2
    straight = np.array([0.6, 0.8, 0.0]), np.array([0.0, 1.0, 0.0])
    legs = [
        replace(lean, sits=np.full(24, share)).leg(found.actor, rest, 12, "l", drawn.joints["hip_l"], straight)
        for share in (0, 0.5, 1)
    ]
    assert np.allclose(legs[0], straight)
    assert np.allclose(legs[1][0][:2], (legs[0][0] + legs[2][0])[:2] / 2)
    assert legs[2][0][2] < 0
    assert np.allclose(np.linalg.norm(legs, axis=2), 1)
