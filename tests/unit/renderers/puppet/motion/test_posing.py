"""The character's pose in each frame."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.rest_skeleton import rest_skeleton
from bodydouble.renderers.puppet.motion.retarget import Retargeting
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from mannequin import joints, track_of
from tube_body import tube_body


def _bent(degrees: float) -> NDArray[np.float64]:
    """Somebody with the left arm spread whose forearm is turned so far on screen from the upper arm's direction."""
    pose, angle = joints(30.0, 200.0, 40.0), np.deg2rad(degrees)
    length = float(np.linalg.norm(pose[13] - pose[11]))
    pose[13, :2] = pose[11, :2] + np.array([length, 0.0])
    pose[15, :2] = pose[13, :2] + length * np.array([np.cos(angle), np.sin(angle)])
    pose[[17, 19, 21], :2] = pose[15, :2] + 0.3 * (pose[15, :2] - pose[13, :2])
    return pose


def test_an_elbow_straightens_on_its_way_to_the_other_side() -> None:
    """A forearm that the picture shows bent by 110° turns by little from frame to frame, also beyond half a circle."""
    anatomy = anatomy_of(track_of([_bent(110)]))
    template = tube_body()
    rest = rest_skeleton(joints_of(anatomy, template, (500, 500)), anatomy.head)
    turns: list[float] = []
    for degrees in range(-140, 141, 20):
        pose = Retargeting(rest, build_motion(track_of([_bent(degrees)] * 3), 25.0), template).poses[1]
        assert pose is not None
        upper, lower = pose.bones["upperarm_l"].rotation, pose.bones["lowerarm_l"].rotation
        turns.append(2 * float(np.arctan2(lower[3], lower[0]) - np.arctan2(upper[3], upper[0])))

    steps = np.diff(turns)

    assert (np.abs((steps + 2 * np.pi) % (4 * np.pi) - 2 * np.pi) < np.deg2rad(60)).all()
