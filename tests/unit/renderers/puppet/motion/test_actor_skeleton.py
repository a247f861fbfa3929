import numpy as np

from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.actor_skeleton import build_actor_skeleton
from mannequin import joints, track_of
from tube_body import tube_body

LEFT_WRIST, LEFT_HAND = 15, [15, 17, 19, 21]


def test_a_quick_hand_hidden_for_some_frames_goes_on_its_way():
    """A hand that rises fast, is hidden near the top and falls again is drawn where it has to be."""
    frames, hidden = 40, slice(18, 22)
    poses = [joints(30.0, 200.0, 40.0) for _ in range(frames)]
    path = np.clip(120 - 15.0 * np.abs(np.arange(frames) - 19.5), 0, 100)
    for pose, up in zip(poses, path, strict=True):
        pose[LEFT_HAND, 1] -= up
    start = poses[0][LEFT_WRIST, 1]
    for pose in poses[hidden]:
        pose[LEFT_HAND, 1] = start
    track = track_of(poses)
    track.visibility[hidden, 13::2] = 0.05
    motion = build_motion(track, 25.0)

    found = build_actor_skeleton(motion, tube_body(), np.ones(frames)).points[:, LEFT_WRIST, 1]

    assert np.abs(found - (start - path))[hidden].max() < 0.45 * path.max()


def test_an_arm_that_stays_hidden_for_long_is_where_the_network_sees_it():
    """What was seen ten frames before tells less than a steady guess."""
    frames, hidden = 40, slice(10, 30)
    poses = [joints() for _ in range(frames)]
    for pose in poses[hidden]:
        pose[LEFT_HAND] = pose[0] + [6, 0]
    track = track_of(poses)
    track.visibility[hidden, 13::2] = 0.05
    motion = build_motion(track, 25.0)

    found = build_actor_skeleton(motion, tube_body(), np.ones(frames)).points[18:22, LEFT_WRIST, :2]

    assert np.linalg.norm(found - poses[20][LEFT_WRIST], axis=1).max() < 15


def test_a_trunk_from_the_side_in_all_frames_is_turned():
    """Shoulders a few trembling pixels apart in every frame are no front: the spine tells how wide they are."""
    poses = [joints() for _ in range(20)]
    for k, pose in enumerate(poses):
        pose[[11, 12, 23, 24], 0] = 250 + np.array([3, -3, 2, -2]) * (-1 + k % 3)
    track = track_of(poses)
    track.body[:, [11, 23], 2], track.body[:, [12, 24], 2] = -60, 60
    skeleton = build_actor_skeleton(build_motion(track, 25.0), tube_body(), np.ones(20))

    across = np.stack([skeleton.cautious_direction(bone, k) for bone in ("shoulders", "pelvis") for k in range(20)])

    assert np.abs(across[:, 2]).min() > 0.9
