"""Moving points with the bones that they are weighted to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.body import quaternions

Array = NDArray[np.float64]

TINY = 1e-6
"""Lengths of a mixed quaternion below it count as zero."""


@dataclass(frozen=True, kw_only=True)
class BonePose:
    """Where one bone is: the point ``origin`` of the picture is turned by ``rotation`` and put at ``target``."""

    rotation: Array  # (4,) unit quaternion
    origin: Array  # (3,) px in the picture
    target: Array  # (3,)

    def apply(self, point: Array) -> Array:
        """(3,) where ``point`` (3,) of the picture goes with this bone."""
        return self.target + quaternions.to_matrix(self.rotation) @ (point - self.origin)


def dual_quaternions(poses: list[BonePose]) -> Array:
    """(B, 8) one dual quaternion for each bone, rotation first.

    Signs are kept: an arm that is raised by more than half a circle turns the long way, and its shoulder with it.
    """
    rotation = np.array([pose.rotation for pose in poses])
    shift = np.array([pose.target - quaternions.to_matrix(pose.rotation) @ pose.origin for pose in poses])
    moved = 0.5 * quaternions.multiply(np.concatenate([np.zeros((len(poses), 1)), shift], axis=1), rotation)
    return np.concatenate([rotation, moved], axis=1)


def skin_points(points: Array, weights: Array, duals: Array) -> Array:
    """(N, 3) ``points`` moved by bones with ``weights`` (N, B) and ``duals`` (B, 8).

    Dual quaternion skinning keeps the volume of a twisted limb where a mean of matrices collapses.
    Source: Kavan et al., "Skinning with Dual Quaternions", I3D 2007.
    """
    mixed = weights @ duals
    mixed /= np.maximum(np.linalg.norm(mixed[:, :4], axis=1, keepdims=True), TINY)
    w, v, dual_w, dual_v = mixed[:, :1], mixed[:, 1:4], mixed[:, 4:5], mixed[:, 5:]
    turned = points + 2 * _cross(v, _cross(v, points) + w * points)
    return turned + 2 * (w * dual_v - dual_w * v + _cross(v, dual_v))


def _cross(a: Array, b: Array) -> Array:
    """(N, 3) cross products; several times faster than ``numpy.cross`` for these shapes."""
    x, y, z = a.T
    i, j, k = b.T
    return np.stack([y * k - z * j, z * i - x * k, x * j - y * i]).T
