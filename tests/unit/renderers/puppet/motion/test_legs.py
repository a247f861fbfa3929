import numpy as np
import pytest

from bodydouble.renderers.puppet.body import quaternions
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.legs import directions_to, place_leg, planted, resting
from bodydouble.renderers.puppet.motion.rest_skeleton import RestBone, rest_skeleton, unit_vector
from bodydouble.renderers.puppet.motion.retarget import Retargeting
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from mannequin import joints, track_of
from tube_body import tube_body


def test_feet_of_other_proportions_stay_while_the_actor_sways():
    """Hips that sway over resting feet move no foot, although the character's shins are shorter than the actor's."""
    poses = []
    for i in range(32):
        pose = joints(30.0, 200.0, 40.0)
        sway = np.array([18 * np.sin(i / 5), 4 * np.cos(i / 5)])
        pose[:25] += sway
        pose[[25, 26]] += 0.6 * sway
        poses.append(pose)
    short = joints()
    short[27:33] -= [0, 45]
    anatomy, template = anatomy_of(track_of([short])), tube_body()
    rest = rest_skeleton(joints_of(anatomy, template, (500, 500)), anatomy.head)
    found = Retargeting(rest, build_motion(track_of(poses), 25.0), template)

    for side in "lr":
        ankles = np.array(
            [
                pose.joints[f"ankle_{side}"][:2] * found.scale + root
                for pose, root in zip(found.poses, found.roots, strict=True)
                if pose is not None
            ]
        )
        assert np.linalg.norm(np.diff(ankles, axis=0), axis=1).mean() < 0.05
        pose = found.poses[7]
        assert pose is not None
        shin = pose.joints[f"ankle_{side}"] - pose.joints[f"knee_{side}"]
        assert np.isclose(np.linalg.norm(shin), rest.bones[f"calf_{side}"].length)


def test_a_leg_reaches_for_a_place_with_its_own_lengths():
    """Thigh and shin turn and tilt so that the ankle is at the place; one out of reach is approached, straight."""
    leg = np.zeros(3), np.array([5.0, 40.0, -10.0]), np.array([0.0, 78.0, 0.0])
    lengths = float(np.linalg.norm(leg[1])), float(np.linalg.norm(leg[2] - leg[1]))

    thigh, shin = directions_to(np.array([6.0, 76.0]), leg, lengths)
    far = directions_to(np.array([0.0, 200.0]), leg, lengths)

    assert np.allclose((thigh * lengths[0] + shin * lengths[1])[:2], [6, 76])
    assert all(np.isclose(np.linalg.norm(way), 1) for way in (thigh, shin, *far))
    assert thigh[2] < 0
    assert np.isclose(far[1][2], 0, atol=1e-6)


def test_a_foot_fades_to_and_from_its_rest():
    """At rest it moves as the actor's; before and after, it comes and goes without a jump, and not across a cut."""
    own = np.c_[np.arange(40) * 0.5, np.zeros(40)]
    feet = np.zeros((40, 2))
    feet[24:] += np.arange(16)[:, None] * [9.0, 0]
    shot = np.zeros(40, np.int32)
    shot[:12] = -1
    rests = resting(feet, np.full(40, 50.0), 25.0, shot, np.ones(40, np.bool_))

    found = planted(own, feet, rests, np.full(40, 30.0), shot)

    assert rests == [(0, 12), (12, 25)]
    assert np.ptp(found[:12], axis=0).max() == 0
    assert np.ptp(found[12:25], axis=0).max() == 0
    assert np.abs(np.diff(found[12:, 0])).max() < 2.5
    assert np.allclose(found[31:], own[31:])


@pytest.mark.parametrize("roll", [0.0, 1.2])
def test_a_thigh_raised_before_the_trunk_keeps_its_outer_side_outside(roll: float):
    """Of somebody who sits with the knees up neither thigh, shin nor foot is turned round, upright or leaning."""
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    rest = rest_skeleton(joints_of(anatomy, template, (500, 500)), anatomy.head)
    lean = quaternions.to_matrix(quaternions.about_z(roll))
    for aside in (-0.1, 0.1):
        thigh, shin = (lean @ (way / np.linalg.norm(way)) for way in np.array([[aside, -0.3, -0.9], [0.0, 1.0, 0.1]]))
        foot = lean @ [0.0, 1.0, 0.0]
        bones, found = place_leg(rest, "l", (thigh, shin), foot, 0.2, np.zeros(3), roll)

        for bone in ("thigh_l", "calf_l"):
            assert (quaternions.to_matrix(bones[bone].rotation) @ [1.0, 0.0, 0.0]) @ lean[:, 0] > 0.8
        assert (quaternions.to_matrix(bones["foot_l"].rotation) @ [0.0, 1.0, 0.0]) @ lean[:, 1] > 0.5
        assert np.allclose(found["knee_l"], thigh * rest.bones["thigh_l"].length)


def test_a_shin_that_is_folded_aside_and_back_shows_its_front():
    """Of somebody who crouches in profile it is as wide as it is tilted, and not seen from its edge."""
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    rest = rest_skeleton(joints_of(anatomy, template, (500, 500)), anatomy.head)
    thigh, shin = (way / np.linalg.norm(way) for way in np.array([[0.92, 0.32, -0.2], [-0.77, 0.1, 0.63]]))
    bones, _ = place_leg(rest, "l", (thigh, shin), np.array([0.0, 1.0, 0.0]), 0.2, np.zeros(3))

    side = quaternions.to_matrix(bones["calf_l"].rotation) @ [1.0, 0.0, 0.0]
    assert abs(side[2]) < 0.1


@pytest.mark.parametrize("thigh", [(0.53, -0.59, -0.61), (-0.53, -0.59, -0.61)])
def test_a_thigh_raised_in_profile_shows_its_front(thigh: tuple[float, float, float]):
    """Of somebody who stands and lifts a knee above the hip the thigh's side is parallel to the picture."""
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    rest = rest_skeleton(joints_of(anatomy, template, (500, 500)), anatomy.head)
    way, shin = np.array(thigh) / np.linalg.norm(thigh), np.array([0.35, 0.83, -0.44])
    bones, _ = place_leg(rest, "l", (way, shin / np.linalg.norm(shin)), np.array([0.0, 1.0, 0.0]), 0.2, np.zeros(3))

    azimuth = rest.bones["thigh_l"].azimuth
    side = quaternions.to_matrix(bones["thigh_l"].rotation) @ [-np.sin(azimuth), np.cos(azimuth), 0.0]
    assert abs(side[2]) < 0.1
    assert way[0] * side[1] - way[1] * side[0] > 0.5


def test_a_leg_that_swings_on_screen_turns_as_far_as_its_direction():
    """Where nothing points at the camera, the shortest way is a turn on screen."""
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    rest = rest_skeleton(joints_of(anatomy, template, (500, 500)), anatomy.head)
    for turn in (-1.4, 0.6, 2.3):
        spun = quaternions.to_matrix(quaternions.about_z(turn))
        bones, _ = place_leg(
            rest,
            "l",
            (spun @ _own(rest.bones["thigh_l"]), spun @ _own(rest.bones["calf_l"])),
            spun @ [0.0, 1.0, 0.0],
            1.0,
            np.zeros(3),
        )
        for bone in ("thigh_l", "calf_l"):
            assert np.allclose(quaternions.to_matrix(bones[bone].rotation), spun, atol=0.15)


def _own(bone: RestBone) -> np.ndarray:
    return unit_vector(bone.azimuth, bone.elevation)
