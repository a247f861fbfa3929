"""Actors whom the frame's upper edge cuts off."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.rest_skeleton import rest_skeleton
from bodydouble.renderers.puppet.motion.retarget import Retargeting
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from mannequin import joints, track_of
from tube_body import tube_body

FRAMES, HEAD = 60, 30.0
TRUNK = 2.2 * HEAD
SHOULDERS, HIPS = [11, 12], [23, 24]


def _retargeting(poses: list[NDArray[np.float64]], *, head: float = 1.0) -> Retargeting:
    """The character as a half body moves; ``head``: factor on the size of the character's head."""
    track = track_of(poses)
    track.visibility[:, 25:] = 0.05
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    own = replace(anatomy.head, width=anatomy.head.width * head, height=anatomy.head.height * head)
    rest = rest_skeleton(joints_of(anatomy, template, (500, 500)), own)
    return Retargeting(rest, build_motion(track, 25.0), template)


def _drawn(found: Retargeting, joint: str) -> NDArray[np.float64]:
    """(F,) row of a joint in the frame."""
    rows = zip(found.poses, found.scales, found.roots[:, 1], strict=True)
    return np.array([pose.joints[joint][1] * scale + root for pose, scale, root in rows if pose is not None])


def test_a_body_that_leaves_the_frame_upwards_keeps_size_and_place():
    """The network squeezes what it sees of a trunk under the upper edge; the character's hips stay with the actor's."""
    poses, hips = [], []
    for i in range(FRAMES):
        pose = joints(HEAD, 200.0, 40.0)
        pose[:, 1] -= 3.0 * max(i - 15, 0)
        hips.append(pose[HIPS, 1].mean())
        above = pose[:, 1] < 2
        if pose[SHOULDERS, 1].max() < 2:
            pose[above, 1] = 2  # guessed inside the frame
        poses.append(pose)
    found = _retargeting(poses)

    away = _drawn(found, "hips") - hips

    assert np.ptp(found.scales) < 0.02 * found.scales[0]
    assert np.ptp(away) < 0.1 * TRUNK


def test_a_head_at_the_frames_edge_lowers_the_body_for_a_moment():
    """A second after and before a jump to the upper edge, the body is where it is without one."""
    jump = 40.0 * np.exp(-(((np.arange(2 * FRAMES) - FRAMES) / 4.0) ** 2))
    poses = [joints(HEAD, 200.0, 40.0) - [0, up] for up in jump]
    still = [joints(HEAD, 200.0, 40.0) for _ in jump]
    lowered = _drawn(_retargeting(poses, head=2.2), "hips") - _drawn(_retargeting(still, head=2.2), "hips") + jump

    assert lowered[FRAMES] > 5
    assert np.abs(lowered[[0, -1]]).max() < 0.5
