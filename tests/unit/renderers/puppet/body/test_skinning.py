import numpy as np

from bodydouble.renderers.puppet.body import quaternions
from bodydouble.renderers.puppet.body.skinning import BonePose, dual_quaternions, skin_points

HALF_TURN = BonePose(rotation=quaternions.about_z(np.pi), origin=np.array([1.0, 0, 0]), target=np.array([1.0, 0, 0]))
STILL = BonePose(rotation=quaternions.about_z(0.0), origin=np.zeros(3), target=np.zeros(3))


def test_a_point_of_one_bone_moves_rigidly():
    """With all weight on one bone the point goes exactly where the bone takes it."""
    point = np.array([[3.0, 1.0, 2.0]])

    moved = skin_points(point, np.array([[0.0, 1.0]]), dual_quaternions([STILL, HALF_TURN]))

    assert np.allclose(moved, [[-1, -1, 2]])
    assert np.allclose(moved[0], HALF_TURN.apply(point[0]))


def test_a_joint_keeps_its_width():
    """Half way between a still bone and one turned by half a circle, points keep their distance from the pivot."""
    points = np.array([[1.0, 2.0, 0.0], [1.0, -2.0, 0.0]])

    moved = skin_points(points, np.full((2, 2), 0.5), dual_quaternions([STILL, HALF_TURN]))

    assert np.allclose(np.linalg.norm(moved - [1, 0, 0], axis=1), 2)


def test_matrices_and_quaternions_agree():
    """Turning by the product of two quaternions is turning by one after the other."""
    a, b = quaternions.about_z(0.7), quaternions.about_y(-1.1)

    product = quaternions.to_matrix(quaternions.multiply(a, b))

    assert np.allclose(product, quaternions.to_matrix(a) @ quaternions.to_matrix(b))
    assert np.allclose(quaternions.to_matrix(quaternions.from_matrix(product)), product)
