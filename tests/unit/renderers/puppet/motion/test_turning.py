from dataclasses import replace

import numpy as np

from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.renderers.puppet.motion.actor_motion import Motion, build_motion
from bodydouble.renderers.puppet.motion.turning import (
    SWAPPED,
    TURN_MAX,
    as_facing,
    back_frames,
    exchanged_frames,
    limited_across,
)
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


def _from_behind(wrong: slice) -> Motion:
    """50 frames of a back, without a face; in the ``wrong`` ones the network takes it for a front."""
    front, poses = joints(), []
    for share in np.where(np.isin(np.arange(50), np.arange(50)[wrong]), 1, -1):
        pose = front.copy()
        pose[:, 0] = 250 + (front[:, 0] - 250) * share
        poses.append(pose)
    motion = build_motion(track_of(poses), 25.0)
    return replace(motion, face_found=np.zeros(50, np.bool_))


def test_a_back_that_is_taken_for_a_front_stays_a_back():
    """Ten frames in a front's order without a face are still a back, and the left shoulder stays at image right."""
    motion = _from_behind(np.s_[20:30])
    back = back_frames(motion)

    facing = as_facing(motion, back)

    assert back.all()
    assert not exchanged_frames(motion, back)[20:30].any()
    assert (facing.body[:, 11, 0] > facing.body[:, 12, 0]).all()


def test_a_short_front_with_a_face_is_a_front():
    """The same ten frames are a front if a face is found in them; without one, a second is."""
    motion = _from_behind(np.s_[20:30])
    faces = np.zeros(50, np.bool_)
    faces[20:30] = True

    assert not back_frames(replace(motion, face_found=faces))[20:30].any()
    assert not back_frames(_from_behind(np.s_[10:35]))[10:35].any()


def test_a_runner_in_profile_is_no_back():
    """A trunk that twists with every step, without a face, is a front while the nose is beside the ears."""
    front, poses = joints(), []
    for step in range(60):
        pose = front.copy()
        pose[:, 0] = 250 + (front[:, 0] - 250) * (0.05 - 0.1 * (step % 10 < 6))
        poses.append(pose)
    track = track_of(poses)
    motion = replace(build_motion(track, 25.0), face_found=np.zeros(60, np.bool_))
    assert back_frames(motion).all()

    motion.body[:, BodyPoint.NOSE, 0] += 15

    assert not back_frames(motion).any()


def test_a_short_back_between_profiles_is_a_back():
    """Somebody who spins shows a wide back for a third of a second, and is in profile before and after."""
    front, poses = joints(), []
    for share in np.r_[np.ones(20), np.linspace(1, -1, 9), -np.ones(8), np.linspace(-1, 1, 9), np.ones(20)]:
        pose = front.copy()
        pose[:, 0] = 250 + (front[:, 0] - 250) * share
        pose[BodyPoint.NOSE, 0] += 15 * (1 - abs(share))
        poses.append(pose)
    faces = np.ones(66, np.bool_)
    faces[22:44] = False
    assert back_frames(replace(build_motion(track_of(poses), 25.0), face_found=faces))[29:37].all()


def test_a_back_is_driven_as_a_front():
    """In frames from behind, left and right are exchanged: the left shoulder is at image right again."""
    motion = _turning()
    back = back_frames(motion)

    facing = as_facing(motion, back)

    assert facing.body[-1, 11, 0] > facing.body[-1, 12, 0]
    assert np.array_equal(facing.body[0], motion.body[0])
    assert len(set(facing.shot.tolist())) == 2
    assert np.array_equal(SWAPPED[SWAPPED], np.arange(33))


def _yaw(degrees: float) -> np.ndarray:
    """The unit vector from right to left shoulder of a trunk turned by ``degrees``."""
    return np.array([np.cos(np.radians(degrees)), 0.0, np.sin(np.radians(degrees))])


def _turned(wanted: float, own: float) -> float:
    """Degrees at which a trunk is drawn that the picture shows at ``own``, where the actor's is at ``wanted``."""
    limited = limited_across(_yaw(wanted), _yaw(own))
    assert np.isclose(np.linalg.norm(limited), 1)
    return float(np.degrees(np.arctan2(limited[2], limited[0])))


def test_a_turn_is_limited():
    """From a front, a trunk turns as the actor's up to 37°, hardly less at 60°, and never by ``TURN_MAX``."""
    assert np.isclose(_turned(36, 0), 36)
    assert 56 < _turned(60, 0) < 60
    assert 60 < _turned(120, 0) < np.degrees(TURN_MAX)
    assert np.isclose(_turned(-120, 0), -_turned(120, 0))


def test_a_picture_from_the_side_turns_less():
    """The farther a picture is turned itself, the less the trunk turns away from it; towards it, it turns as before."""
    away = [abs(_turned(0, own) - own) for own in (-103, -58, -40)]
    assert away == sorted(away)
    assert away[0] <= 30
    assert np.isclose(_turned(-58, -58), -58)
    assert np.isclose(_turned(10, 20), 10)
