import numpy as np

from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.motion.actor_motion import Motion, build_motion
from bodydouble.renderers.puppet.motion.rest_skeleton import rest_skeleton, unit_vector
from bodydouble.renderers.puppet.motion.retarget import Retargeting, legs_needed, legs_seen, limb_rotation
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from mannequin import joints, track_of
from tube_body import tube_body


def _walk(frames: int = 12, head: float = 30.0) -> Motion:
    """Somebody smaller than the character who swings the left arm up while the feet stay."""
    poses = []
    for i in range(frames):
        pose = joints(head, 200.0, 40.0)
        angle = 0.7 + 0.6 * i / frames  # away from hips and head, which would draw the hand
        c, s = np.cos(angle), -np.sin(angle)
        swing = [13, 15, 17, 19, 21]
        pose[swing] = pose[11] + (pose[swing] - pose[11]) @ np.array([[c, -s], [s, c]]).T
        poses.append(pose)
    return build_motion(track_of(poses), 25.0)


def _retargeting(motion: Motion, **options) -> Retargeting:
    template = tube_body()
    anatomy = anatomy_of(track_of([joints()]))
    rest = rest_skeleton(joints_of(anatomy, template, (500, 500)), anatomy.head)
    return Retargeting(rest, motion, template, **options)


def test_bones_point_as_the_actors_and_keep_their_own_length():
    """The raised forearm has the actor's direction in every frame, and the picture's length."""
    motion = _walk()
    found = _retargeting(motion)

    for i, pose in enumerate(found.poses):
        assert pose is not None
        own = pose.joints["wrist_l"] - pose.joints["elbow_l"]
        wanted = found.actor.points[i, 15] - found.actor.points[i, 13]
        assert np.isclose(np.linalg.norm(own), found.rest.bones["lowerarm_l"].length)
        turned = np.arctan2(own[1], own[0]) - np.arctan2(wanted[1], wanted[0])
        assert abs((turned + np.pi) % (2 * np.pi) - np.pi) < 1e-6


def test_the_carrying_feet_stay_where_the_actors_are():
    """Feet that rest in the video rest in the result, at the same place."""
    motion = _walk()
    found = _retargeting(motion)

    ankles = np.array(
        [
            [pose.joints[f"ankle_{side}"][:2] * found.scale + root for side in "lr"]
            for pose, root in zip(found.poses, found.roots, strict=True)
            if pose is not None
        ]
    )

    assert np.abs(np.diff(ankles, axis=0)).max() < 0.3
    assert np.abs(ankles - motion.body[:, [27, 28]]).max() < 3


def test_the_character_is_as_tall_as_the_actor():
    """By default the body is brought to the actor's height."""
    assert np.isclose(_retargeting(_walk(head=30.0)).scale, 0.5, rtol=0.05)


def test_the_character_keeps_its_own_size():
    """With its own size the character's head is as large as the actor's, whatever the height."""
    motion = _walk(head=30.0)

    found = _retargeting(motion, own_size=True)

    assert np.isclose(found.scale, np.median(motion.head_size) / found.rest.head.size)


def test_a_limb_turned_and_tilted_keeps_its_axis():
    """The rotation takes a bone from its own direction to the wanted one."""
    start = unit_vector(0.4, 0.3)

    turned = limb_rotation(0.4, 0.9, 0.3 - (-0.2))

    from bodydouble.renderers.puppet.body.quaternions import to_matrix

    assert np.allclose(to_matrix(turned) @ start, unit_vector(1.3, -0.2))


def test_a_hidden_arm_stays_where_it_is_seen_before_and_after():
    """Guesses of a hidden joint that jump move it far less than a seen joint."""
    poses = [joints(30.0, 200.0, 40.0) for _ in range(24)]
    for i in range(8, 16):
        poses[i][[13, 15]] += [(-30, 30)[i // 2 % 2], 20]
    track = track_of(poses)
    seen = _retargeting(build_motion(track, 25.0)).actor.points[:, 15, 0]
    track.visibility[8:16, 13:17] = 0.05
    hidden = _retargeting(build_motion(track, 25.0)).actor.points[:, 15, 0]

    assert np.ptp(hidden) < 0.3 * np.ptp(seen)


def test_a_head_from_behind_is_as_wide_as_in_the_picture():
    """Where the actor's back is seen, the head only leans: it turns about the line of sight alone."""
    poses = [joints(30.0, 200.0, 40.0) for _ in range(6)]
    for pose in poses:
        pose[:, 0] = 400 - pose[:, 0]
    found = _retargeting(build_motion(track_of(poses), 25.0))

    assert found.back.all()
    pose = found.poses[3]
    assert pose is not None
    assert np.allclose(pose.bones["head"].rotation[[1, 2]], 0, atol=1e-6)


def test_legs_that_are_seen_in_part_of_the_frames_are_needed():
    """An actor who walks into the picture has no legs at first; one behind a desk never has any."""
    track = track_of([joints() for _ in range(10)])
    track.visibility[:, 25:29] = 0.02
    assert not legs_needed(build_motion(track, 25.0))
    track.visibility[7:, 25:29] = 0.9
    motion = build_motion(track, 25.0)
    assert legs_needed(motion)
    assert not legs_seen(motion)
