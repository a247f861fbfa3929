import numpy as np

from bodydouble.renderers.puppet.motion.actor_motion import Motion, build_motion
from bodydouble.renderers.puppet.motion.turning import SWAPPED, TURN_MAX, as_facing, back_frames, limited_across
from mannequin import joints, track_of


def _turning(frames: int = 40) -> Motion:
    """Somebody who turns their back: every body point moves to its mirror image about the middle."""
    front = joints()
    poses = []
    for share in np.clip(np.linspace(1.6, -1.6, frames), -1, 1):
        pose = front.copy()
        pose[:, 0] = 250 + (front[:, 0] - 250) * share
        poses.append(pose)
    return build_motion(track_of(poses), 25.0)


def test_the_back_is_told_from_the_front():
    """Facing frames are no backs, those after the turn are, and it changes once."""
    back = back_frames(_turning())

    assert not back[:15].any()
    assert back[-10:].all()
    assert np.count_nonzero(np.diff(back.astype(int))) == 1


def test_an_actor_first_seen_from_the_side_shows_what_comes_next():
    """Nearly edge-on at the start, an actor who turns to show the back shows it at once, not the front in between."""
    front, poses = joints(), []
    for share in np.r_[np.full(10, -0.05), np.linspace(-0.05, -1, 20)]:
        pose = front.copy()
        pose[:, 0] = 250 + (front[:, 0] - 250) * share
        poses.append(pose)

    assert back_frames(build_motion(track_of(poses), 25.0)).all()


def test_a_back_is_driven_as_a_front():
    """In frames from behind, left and right are exchanged: the left shoulder is at image right again."""
    motion = _turning()
    back = back_frames(motion)

    facing = as_facing(motion, back)

    assert facing.body[-1, 11, 0] > facing.body[-1, 12, 0]
    assert np.array_equal(facing.body[0], motion.body[0])
    assert len(set(facing.shot.tolist())) == 2
    assert np.array_equal(SWAPPED[SWAPPED], np.arange(33))


def test_a_turn_is_limited():
    """A trunk seen edge-on or turned away keeps ``TURN_MAX``; less turned ones are as they are."""
    facing = np.array([0.8, 0.0, 0.6])

    assert np.array_equal(limited_across(facing), facing)
    limited = limited_across(np.array([-0.5, 0.0, np.sqrt(0.75)]))
    assert np.isclose(limited[0], np.cos(TURN_MAX))
    assert np.isclose(np.linalg.norm(limited), 1)
