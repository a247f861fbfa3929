import numpy as np

from bodydouble.renderers.puppet.motion.contacts import HEAD, Touch, bend_arm, drawn_wrist


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


def test_touches_are_weighed():
    """Nothing draws a hand that touches nothing; of two touches at full weight it goes half way."""
    wrist = np.array([0.0, 0.0])
    near, other = (Touch(target=np.array(place), weight=1.0) for place in ([2.0, 0.0], [0.0, 2.0]))

    assert drawn_wrist(wrist, [Touch(target=np.array([9.0, 9.0]), weight=0.0)], 10.0).tolist() == [0, 0]
    assert np.allclose(drawn_wrist(wrist, [near, other], 10.0), [1, 1])
    assert HEAD.weight(0.5) == 1
    assert HEAD.weight(3.0) == 0
