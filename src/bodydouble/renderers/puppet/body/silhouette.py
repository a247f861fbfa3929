"""Moving the fitted limbs into the picture's outline."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.renderers.puppet.body.fit import Girth
from bodydouble.renderers.puppet.body.least_squares import minimise
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS, Joints, moved

Array = NDArray[np.float64]

FITTED = (
    *range(BodyPoint.LEFT_SHOULDER, BodyPoint.LEFT_PINKY),
    *range(BodyPoint.LEFT_HIP, BodyPoint.LEFT_HEEL),
)
"""Landmarks that may move: shoulders, elbows, wrists, hips, knees, ankles."""
BONES_2D = tuple(
    (chain.joints[k], chain.joints[k + 1], name)
    for chains, names in ((ARMS, ("upperarm", "lowerarm")), (LEGS, ("thigh", "calf")))
    for chain in chains.values()
    for k, name in enumerate(names)
)
"""Limbs' bones: first and last landmark, and name in ``RADII``."""
RADII = {"upperarm": 0.42, "lowerarm": 0.33, "thigh": 0.78, "calf": 0.50}
"""Mean radius of the template's limbs, dm; measured on the template."""
SAMPLES = np.linspace(0.15, 0.9, 6)
"""Where along a bone both rims are compared with the outline."""
TOLERANCE = 0.12
"""Distance from the outline, dm, that counts as one unit of error; outliers weigh linearly beyond it."""
INSIDE_WEIGHT = 0.35
"""Weight of a rim that lies inside the outline, as that of an arm in front of the trunk."""
SHIFT_PRIOR, GIRTH_PRIOR = 0.22, 0.12
"""Expected shift of a landmark, dm, and expected logarithm of a limb's thickness."""
ERROR_MAX = 6.0
"""Tolerances beyond which a rim pulls no harder."""
EVALUATIONS_MAX = 30
"""Limit of the solver's evaluations, which bounds its time."""
STEP = 0.03
"""Step of the finite differences, dm: smaller ones are lost in the bilinear lookup's rounding."""


def fit_silhouette(joints: Joints, alpha: Floats, scale: float) -> tuple[Joints, Girth]:
    """Joints moved so that the limbs' rims lie on the outline of ``alpha`` (h, w) 0-1, and the limbs' thickness.

    ``scale`` is px for a decimetre. Arms that are made up stay where they are. Of legs that the lower edge cuts off the
    part above it counts, and what is below goes with their knees. Nonlinear least squares with a soft L1 loss and
    priors, so that wide clothes do not pull the body apart.
    """
    inside = (alpha > 0.5).astype(np.uint8)
    distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_3) - cv2.distanceTransform(
        inside, cv2.DIST_L2, cv2.DIST_MASK_3
    )
    start = joints.points[:, :2].copy()
    cut_off = [chain for side, chain in LEGS.items() if f"leg_{side}" in joints.made_up]
    seen = [bone for bone in BONES_2D if "arm" not in bone[2] or not _made_up(joints, bone[0])]
    weight = np.array(
        [_above(start[[a, b]], len(alpha)) if _made_up(joints, a) else np.ones(len(SAMPLES)) for a, b, _ in seen]
    )
    if not weight.any():
        return joints, Girth()
    count = 2 * len(FITTED)
    is_arm = np.array(["arm" in name for _, _, name in seen])
    radii = np.array([RADII[name] for _, _, name in seen])
    first, second = np.array([a for a, _, _ in seen]), np.array([b for _, b, _ in seen])

    def residuals(values: Array) -> Array:
        """(B, errors) of the solutions ``values`` (B, unknowns)."""
        points = np.repeat(start[None], len(values), 0)
        points[:, FITTED] += values[:, :count].reshape(len(values), -1, 2) * scale
        along = points[:, second] - points[:, first]
        normal = np.stack([-along[..., 1], along[..., 0]], -1)
        normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1.0)
        thick = radii * scale * np.exp(np.where(is_arm, values[:, count, None], values[:, count + 1, None]))
        axis = points[:, first][:, :, None] + SAMPLES[:, None] * along[:, :, None]
        rims = np.stack([axis + (side * thick[..., None] * normal)[:, :, None] for side in (1, -1)], 1)
        error = np.clip(_lookup(distance, rims.reshape(-1, 2)) / (TOLERANCE * scale), -ERROR_MAX, ERROR_MAX)
        error = np.sign(error) * np.sqrt(2 * (np.sqrt(1 + error**2) - 1))
        error = np.where(error < 0, INSIDE_WEIGHT * error, error).reshape(len(values), 2, -1) * weight.ravel()
        error = error.reshape(len(values), -1)
        return np.hstack([error, values[:, :count] / SHIFT_PRIOR, values[:, count:] / GIRTH_PRIOR])

    def slopes(values: Array) -> Array:
        steps = STEP * np.eye(len(values))
        found = residuals(np.concatenate([values + steps, values - steps]))
        return (found[: len(steps)] - found[len(steps) :]).T / (2 * STEP)

    found = minimise(lambda values: residuals(values[None])[0], slopes, np.zeros(count + 2), EVALUATIONS_MAX)
    offsets = found[:count].reshape(-1, 2) * scale
    for _, knee, ankle in (chain.joints for chain in cut_off):
        offsets[FITTED.index(ankle)] = offsets[FITTED.index(knee)]
    arm, leg = np.exp(found[count:])
    return moved(joints, offsets, FITTED), Girth(arm=float(arm), leg=float(leg))


def _above(bone: Array, edge: int) -> Array:
    """(SAMPLES,) 1 where the ``bone`` (2, 2) px is above the row ``edge``, else 0."""
    return (bone[0, 1] + SAMPLES * (bone[1, 1] - bone[0, 1]) < edge).astype(np.float64)


def _made_up(joints: Joints, start: int) -> bool:
    """Whether the bone that begins at landmark ``start`` is not the picture's."""
    side = "l" if start % 2 else "r"
    return f"{'arm' if start < BodyPoint.LEFT_HIP else 'leg'}_{side}" in joints.made_up


def _lookup(field: NDArray[Any], points: Array) -> Array:
    """(N,) ``field`` (h, w) at ``points`` (N, 2), bilinear; the border's value outside."""
    at = points.astype(np.float32)
    found = cv2.remap(field, at[:, None, 0], at[:, None, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float64)[:, 0]
