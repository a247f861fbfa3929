from dataclasses import replace

import numpy as np

from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.motion.actor_motion import Motion, build_motion
from bodydouble.renderers.puppet.motion.legs import limb_rotation
from bodydouble.renderers.puppet.motion.rest_skeleton import CROWN, crown_of, rest_skeleton, unit_vector
from bodydouble.renderers.puppet.motion.retarget import Retargeting
from bodydouble.renderers.puppet.motion.visibility import hips_seen, legs_needed, legs_seen
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


def _retargeting(motion: Motion, *, head: float = 1.0, crown: float = CROWN, **options) -> Retargeting:
    """``head``: factor on the size of the character's head; ``crown``: its hair's height."""
    template = tube_body()
    anatomy = anatomy_of(track_of([joints()]))
    own = replace(anatomy.head, width=anatomy.head.width * head, height=anatomy.head.height * head)
    rest = replace(rest_skeleton(joints_of(anatomy, template, (500, 500)), own), crown=crown)
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


def test_a_foot_on_the_ground_rests_and_one_that_moves_or_is_lifted_does_not():
    """The left foot stays, the right one moves by a tenth of the body a frame, or is still as of crossed legs."""
    poses = [joints(30.0, 200.0, 40.0) for _ in range(12)]
    for i, pose in enumerate(poses):
        pose[[28, 30, 32], 0] += 4.0 * i
    found = _retargeting(build_motion(track_of(poses), 25.0))
    still = joints(30.0, 200.0, 40.0)
    still[[28, 30, 32], 1] -= 1.2 * np.linalg.norm(still[[11, 12]].mean(0) - still[[23, 24]].mean(0))
    lifted = _retargeting(build_motion(track_of([still] * 12), 25.0))
    for rest in (found.feet_rest, lifted.feet_rest):
        assert (rest[:, 0] > 0.99).all()
        assert not rest[:, 1].any()


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
    track.visibility[:, 23:25], track.visibility[:, 25:29] = 0.8, 0.02
    assert not legs_needed(build_motion(track, 25.0))
    track.visibility[7:, 25:29] = 0.9
    motion = build_motion(track, 25.0)
    assert legs_needed(motion)
    assert not legs_seen(motion)


def test_an_actor_in_wide_trousers_is_seen_down_to_the_feet():
    """Where cloth or the other leg hides one knee, the leg that is seen is enough; of who sits, it is not."""
    poses = [joints() for _ in range(10)]
    track = track_of(poses)
    track.visibility[:, [26, 28]] = 0.1
    assert legs_seen(build_motion(track, 25.0))
    for pose in poses:
        pose[[25, 26], 1] = pose[[23, 24], 1] + 10
    track = track_of(poses)
    track.visibility[:, [26, 28]] = 0.1
    assert not legs_seen(build_motion(track, 25.0))


def test_legs_below_the_matte_are_guessed():
    """Of a talking head the network guesses legs far below the frame, now and then with some certainty."""
    track = track_of([joints() for _ in range(10)])
    knees = track.body[:, 25:27, 1].min(1)
    assert legs_seen(build_motion(track, 25.0, lowest=knees + 20.0))
    assert not legs_seen(build_motion(track, 25.0, lowest=knees - 20.0))


def test_the_face_of_a_close_up_is_where_the_actors_is():
    """Where the video shows no hips, the character's face is at the actor's place, however wide its shoulders are."""
    motion = build_motion(track_of([joints() for _ in range(10)]), 25.0)
    motion.visibility[:, 23:] = 0.02
    found = _retargeting(motion, head=1.4)
    pose = found.poses[5]
    assert pose is not None
    face = pose.bones["head"].apply(found.rest.face)[:2] * found.scales[5] + found.roots[5]
    assert np.abs(face - motion.head_centre[5]).max() < 0.5


def test_hips_below_the_matte_are_guessed():
    """Of a close-up the network guesses hips below the frame, and is sure of them."""
    track = track_of([joints() for _ in range(10)])
    hips = track.body[:, 23:25, 1].mean(1)
    assert hips_seen(build_motion(track, 25.0))
    assert hips_seen(build_motion(track, 25.0, lowest=hips + 20.0))
    assert not hips_seen(build_motion(track, 25.0, lowest=hips - 20.0))


def test_thighs_inside_the_frame_need_legs():
    """An actor whom the frame cuts off at the knees shows thighs: the hips are surely seen then, the knees are not."""
    track = track_of([joints() for _ in range(10)])
    track.visibility[:, 23:25], track.visibility[:, 25:29] = 1.0, 0.1
    assert legs_needed(build_motion(track, 25.0))


def _tops(found: Retargeting) -> np.ndarray:
    """y of the top of the character's hair in each frame, px."""
    head = found.rest.head
    up = np.r_[head.centre, found.rest.joints.head[2]] - head.rotation[:, 1] * found.rest.crown * head.size
    return np.array(
        [
            pose.bones["head"].apply(up)[1] * scale + root[1]
            for pose, scale, root in zip(found.poses, found.scales, found.roots, strict=True)
            if pose is not None
        ]
    )


def _actor_top(motion: Motion) -> float:
    return float(np.median(motion.head_centre[:, 1] - CROWN * motion.head_size))


def test_a_large_head_does_not_make_the_character_taller_than_the_actor():
    """On planted feet the top of the head is where the actor's is, for a head twice as large and a topknot too."""
    motion = _walk()
    height = motion.body[0, 27, 1] - _actor_top(motion)
    found = _retargeting(motion, head=2.0, crown=1.9)

    assert np.abs(_tops(found) - _actor_top(motion)).max() < 0.04 * height


def test_the_character_grows_only_as_much_as_heights_say():
    """An actor who comes a tenth nearer grows; one who only looks wider, by head and shoulders, keeps the size."""

    def sizes(*, whole: bool) -> np.ndarray:
        poses = []
        for i in range(30):
            size = 1 + 0.1 * i / 29
            pose = joints(30.0 * size if whole else 30.0, 200.0, 40.0)
            if not whole:
                pose[:13, 0] = 200 + size * (pose[:13, 0] - 200)
            poses.append(pose)
        found = _retargeting(build_motion(track_of(poses), 25.0))
        assert found.legs_seen
        return found.scales

    assert np.isclose(sizes(whole=True)[-1] / sizes(whole=True)[0], 1.1, rtol=0.02)
    assert np.ptp(sizes(whole=False)) == 0


def test_an_actor_upside_down_has_a_size_too():
    """Feet above the head tell no height: head and trunk tell the size."""
    poses = [joints(30.0, 200.0, 40.0) for _ in range(6)]
    for pose in poses:
        pose[:, 1] = 300 - pose[:, 1]
    found = _retargeting(build_motion(track_of(poses), 25.0))

    assert found.legs_seen
    assert np.isclose(found.scale, 0.5, rtol=0.1)


def test_a_head_stays_inside_a_frame_that_shows_the_actors():
    """An actor who jumps with the head drawn in: the character's longer neck does not push its head out."""
    motion = _walk()
    motion = replace(motion, body=motion.body.copy(), head_centre=motion.head_centre.copy())
    shift = _actor_top(motion) - 1.0
    motion.body[..., 1] -= shift
    motion.head_centre[:, 1] -= shift
    motion.body[8:, :, 1] -= 14
    found = _retargeting(motion, head=2.0, crown=1.9)

    assert _tops(found).min() > -0.5


def test_the_top_of_the_hair_is_found_in_the_picture():
    """Hair that rises above the skull counts, a raised prop beside the head does not."""
    head = anatomy_of(track_of([joints()])).head
    alpha = np.zeros((500, 500), np.uint8)
    x, y = np.round(head.centre).astype(int)
    top = round(y - 1.8 * head.size)
    alpha[top : y + 20, x - 5 : x + 5] = 255
    alpha[: y + 20, x + int(head.width) : x + int(head.width) + 4] = 255

    assert np.isclose(crown_of(alpha, head), 1.8, atol=1.5 / head.size)


def test_an_arm_that_looks_a_little_short_is_as_long_as_its_own():
    """Landmarks that are a seventh too near to each other tilt no arm unless the depth does; far shorter ones do."""
    lengths = {}
    for share, depth in ((0.86, 1.0), (0.86, 40.0), (0.4, 5.0)):
        poses = [joints(30.0, 200.0, 40.0) for _ in range(24)]
        for pose in poses[16:]:
            pose[[15, 17, 19, 21]] += (share - 1) * (pose[15] - pose[13])
        track = track_of(poses)
        track.body[16:, [15, 17, 19, 21], 2] = depth
        found = _retargeting(build_motion(track, 25.0))
        pose = found.poses[21]
        assert pose is not None
        seen = float(np.hypot(*(pose.joints["wrist_l"] - pose.joints["elbow_l"])[:2]))
        lengths[share, depth] = seen / found.rest.bones["lowerarm_l"].length

    assert lengths[0.86, 1.0] > 0.99
    assert lengths[0.86, 40.0] < 0.9
    assert lengths[0.4, 5.0] < 0.5


def test_a_bowed_head_has_a_neck_as_long_as_its_own():
    """Where the actor's head sinks between the shoulders, the character's neck keeps its length."""
    poses = [joints(30.0, 200.0, 40.0) for _ in range(24)]
    for pose in poses[12:]:
        pose[:11, 1] += 12
    found = _retargeting(build_motion(track_of(poses), 25.0))

    pose = found.poses[20]
    assert pose is not None
    neck = pose.joints["head"][:2] - pose.joints["shoulders"][:2]
    assert np.hypot(*neck) > 0.95 * np.hypot(*found.rest.neck[:2])


def test_a_fast_arm_reaches_as_far_as_the_actors():
    """A wrist that is elsewhere for a single frame is there in the skeleton too; one that trembles is steadied."""
    poses = [joints(30.0, 200.0, 40.0) for _ in range(15)]
    for i, pose in enumerate(poses):
        pose[16] += (-1) ** i
    poses[7][[13, 15]] += [50, -60]
    motion = build_motion(track_of(poses), 25.0)

    points = _retargeting(motion).actor.points

    assert np.abs(points[7, [13, 15], :2] - motion.body[7, [13, 15]]).max() < 2
    assert np.ptp(points[3:12, 16, 0]) < 1


def test_a_hand_is_never_folded_onto_its_forearm():
    """Landmarks of a blurred hand point back to the elbow: the character's hand bends as far as a wrist does."""
    pose = joints(30.0, 200.0, 40.0)
    back = pose[13] - pose[15]
    pose[[17, 19, 21]] = pose[15] + 0.3 * back + [1, 0]
    found = _retargeting(build_motion(track_of([pose] * 6), 25.0)).poses[3]

    assert found is not None
    forearm = (found.joints["wrist_l"] - found.joints["elbow_l"])[:2]
    hand = (found.joints["tip_l"] - found.joints["wrist_l"])[:2]
    cosine = forearm @ hand / np.linalg.norm(forearm) / np.linalg.norm(hand)
    assert np.isclose(np.arccos(cosine), 1.0, atol=0.02)


def test_folded_legs_of_somebody_who_sits_are_held_still():
    """The network guesses folded shins now one way, now the other: they move far less; those of who stands do not."""

    def ankles(knees_below: float) -> np.ndarray:
        poses = [joints(30.0, 200.0, 40.0) for _ in range(48)]
        for i, pose in enumerate(poses):
            hips = pose[[23, 24], 1].mean()
            pose[[25, 26], 1] = hips + knees_below * (hips - pose[[11, 12], 1].mean())
            pose[27:33] += [(-40, 40)[i // 24], 0]
        track = track_of(poses)
        track.visibility[:, 25:33] = 0.6
        return _retargeting(build_motion(track, 25.0)).actor.points[:, 27, 0]

    assert np.abs(np.diff(ankles(0.1))).max() < 4
    assert np.abs(np.diff(ankles(0.9))).max() > 20


def test_a_head_before_the_shoulders_does_not_hang_beside_the_collar():
    """A neck follows a leaning trunk whole, but leans away from it less than 26°."""

    def lean(trunk: float, head: float) -> float:
        pose = joints(30.0, 200.0, 40.0)
        hips = pose[[23, 24]].mean(0)
        pose[:23, 0] += np.tan(trunk) * (hips[1] - pose[:23, 1])
        shoulders = pose[[11, 12]].mean(0)
        pose[:11, 0] += np.tan(head) * (shoulders[1] - pose[:11, 1])
        found = _retargeting(build_motion(track_of([pose] * 12), 25.0))
        drawn = found.poses[6]
        assert drawn is not None
        neck = drawn.joints["head"] - drawn.joints["shoulders"]
        return float(np.arctan2(neck[0], -neck[1]))

    assert np.isclose(lean(0.3, 0.0), 0.3, atol=0.05)
    assert 0.3 < lean(0.0, 1.0) < 0.45


def test_a_foot_put_forward_in_the_picture_makes_the_character_no_smaller():
    """Feet at two heights in the picture and at one in the video: the head is where the actor's is all the same."""
    motion, template, pose = _walk(), tube_body(), joints()
    pose[[27, 29, 31], 1] += 40
    anatomy = anatomy_of(track_of([pose]))
    rest = rest_skeleton(joints_of(anatomy, template, (520, 500)), anatomy.head)
    found = Retargeting(rest, motion, template)

    assert np.abs(_tops(found) - _actor_top(motion)).max() < 3


def test_hips_outside_the_frame_do_not_shake_a_head():
    """Shoulders and head stand as still as the actor's, however the guessed hips below them tremble."""
    poses = [joints(30.0, 200.0, 40.0) for _ in range(16)]
    for i, pose in enumerate(poses):
        pose[[23, 24], :2] += [(-6, 6)[i % 2], (8, -8)[i // 2 % 2]]
    track = track_of(poses)
    track.visibility[:, 23:] = 0.05
    found = _retargeting(build_motion(track, 25.0))

    for name in ("shoulders", "head"):
        places = np.array(
            [
                pose.joints[name][:2] * scale + root
                for pose, scale, root in zip(found.poses, found.scales, found.roots, strict=True)
                if pose is not None
            ]
        )
        assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() < 0.5, name
