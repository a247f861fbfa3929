"""What is left out of an arm beside its bent elbow."""

import numpy as np

from bodydouble.perception.body_template import BONES
from bodydouble.renderers.puppet.picture.corners import without_corner
from bodydouble.renderers.puppet.picture.joint_patches import JointPatch
from bodydouble.renderers.puppet.picture.layer import Layer

BENT = np.array([[30.0, 10], [30, 30], [50, 30], [30, 30]])
"""The joint of an upper arm that hangs and a forearm to the right."""


def test_what_hangs_below_a_bent_elbow_is_no_part_of_the_arm() -> None:
    """A chair's arm below the elbow is left out; forearm, upper arm and their opaque triangles stay."""
    rgba = np.zeros((80, 80, 4), np.uint8)
    rgba[10:38, 22:38] = rgba[22:38, 22:70] = 255
    rgba[38:60, 20:26] = 255
    patch = JointPatch(
        points=np.c_[BENT, np.zeros(4)],
        weights=np.zeros((4, len(BONES))),
        radius=6.0,
        reach=8.0,
        colour=rgba[20, 30],
        in_front=True,
    )
    vertices = np.array([[25.0, 12, 0], [35, 12, 0], [30, 25, 0], [21, 45, 0], [25, 45, 0], [23, 55, 0]])
    layer = Layer(
        vertices=vertices,
        weights=np.zeros((6, len(BONES))),
        triangles=np.array([[0, 1, 2], [3, 4, 5]]),
        opaque=np.array([True, True]),
        rgba=rgba,
        front=rgba.copy(),
        joint=patch,
    )

    arm = without_corner(layer)

    assert arm.front is not None
    assert not arm.rgba[42:46, 20:26].any()
    assert not arm.front[42:46, 20:26].any()
    assert arm.rgba[22:38, 40:70].min() == arm.rgba[10:28, 25:38].min() == 255
    assert arm.opaque.tolist() == [True, False]
