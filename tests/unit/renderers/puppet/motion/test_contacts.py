import numpy as np
import pytest

from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.actor_skeleton import build_actor_skeleton
from bodydouble.renderers.puppet.motion.contacts import (
    HEAD,
    Touch,
    bend_arm,
    contact_weights,
    drawn_wrist,
    touching_wrist,
)
from mannequin import joints, track_of
from tube_body import tube_body

LEFT_ELBOW, LEFT_WRIST, LEFT_HIP, LEFT_HAND = 13, 15, 23, [15, 17, 19, 21]


def _weights(elbow: tuple[float, float], wrists: list[tuple[float, float]]) -> np.ndarray:
    """(F, 5) what draws a left hand whose elbow and wrists are at these places from the hip, in pixels."""
    poses = [joints(60.0, 300.0, 40.0) for _ in wrists]
    for pose, wrist in zip(poses, wrists, strict=True):
        pose[LEFT_ELBOW] = pose[LEFT_HIP] + elbow
        pose[LEFT_HAND] = pose[LEFT_HIP] + wrist
    motion = build_motion(track_of(poses), 25.0)
    return contact_weights(motion, build_actor_skeleton(motion, tube_body(), np.ones(len(wrists))))["l"]


def test_the_arm_reaches_its_target_with_its_own_lengths():
    """Elbow and wrist are at the bones' lengths, the wrist at the target, the elbow on the side where it was."""
    shoulder, elbow, target = np.zeros(3), np.array([8.0, 6.0, 0.0]), np.array([12.0, 0.0, 0.0])

    bent, wrist = bend_arm(shoulder, elbow, target, (10.0, 8.0))

    assert np.allclose(wrist, target)
    assert np.isclose(np.linalg.norm(bent), 10)
    assert np.isclose(np.linalg.norm(wrist - bent), 8)
    assert bent[1] > 0


def test_a_target_out_of_reach_stretches_the_arm():
    """The wrist stops short of a target beyond the arm's length, in its direction."""
    bent, wrist = bend_arm(np.zeros(3), np.array([5.0, 1.0, 0.0]), np.array([100.0, 0.0, 0.0]), (10.0, 8.0))

    assert 17.9 < np.linalg.norm(wrist) < 18
    assert np.isclose(np.linalg.norm(wrist - bent), 8)


def test_a_stretched_arm_that_touches_something_near_is_tilted_and_stays_straight():
    """Depth takes up what the arm is too long for; in reach, nothing else of its bend changes."""
    shoulder, elbow, wrist = np.zeros(3), np.array([30.0, 0.0, -1.0]), np.array([60.0, 0.0, -2.0])

    target = touching_wrist(np.array([40.0, 10.0]), wrist, shoulder, 60.1)
    bent, _ = bend_arm(shoulder, elbow, target, (30.0, 30.1))

    assert np.allclose(target[:2], [40, 10])
    assert target[2] < 0
    assert np.linalg.norm(target) == pytest.approx(np.linalg.norm(wrist))
    assert np.linalg.norm(np.cross(bent, target)) / np.linalg.norm(target) < 3
    assert touching_wrist(np.array([90.0, 0.0]), wrist, shoulder, 60.1)[2] == 0


def test_a_bent_arm_that_touches_something_near_keeps_its_depth():
    """Tilted, it would turn its elbow away from the trunk. Between bent and stretched nothing jumps."""
    place, shoulder = np.array([20.0, 10.0]), np.zeros(3)
    depths = []
    for distance in np.linspace(30, 60, 61):
        wrist = distance * np.array([np.cos(0.2), 0.0, -np.sin(0.2)])
        depths.append(touching_wrist(place, wrist, shoulder, 60.0)[2] - wrist[2])

    assert np.allclose(depths[:30], 0)
    assert depths[-1] < -30
    assert np.abs(np.diff(depths)).max() < 4


def test_touches_are_weighed():
    """Nothing draws a hand that touches nothing; of two touches at full weight it goes half way."""
    wrist = np.array([0.0, 0.0])
    near, other = (Touch(target=np.array(place), weight=1.0) for place in ([2.0, 0.0], [0.0, 2.0]))

    assert drawn_wrist(wrist, [Touch(target=np.array([9.0, 9.0]), weight=0.0)], 10.0).tolist() == [0, 0]
    assert np.allclose(drawn_wrist(wrist, [near, other], 10.0), [1, 1])
    assert HEAD.weight(0.5) == 1
    assert HEAD.weight(3.0) == 0


def test_a_hand_that_hangs_beside_the_hip_is_not_on_it():
    """An arm akimbo rests on the hip; a straight one whose hand is as near to it does not."""
    hip = 2

    assert _weights((70.0, -50.0), [(10.0, 0.0)] * 6)[:, hip].min() > 0.5
    assert _weights((25.0, -66.0), [(25.0, 0.0)] * 6)[:, hip].max() < 0.05


def test_contacts_come_and_go_smoothly():
    """A hand that leaves the hip for one frame is let go of by less than half."""
    touching, apart = (10.0, 0.0), (80.0, -10.0)

    weights = _weights((70.0, -50.0), [touching] * 6 + [apart] + [touching] * 6)[:, 2]

    assert weights.min() > 0.5 * weights.max()
