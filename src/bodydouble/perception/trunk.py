"""The trunk's corners, and what is measured between them."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Points
from bodydouble.perception.landmark_indices import KNEES, BodyPoint

SHOULDERS = [BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER]
HIPS = [BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP]
LEGS_HIDDEN_MAX = 0.15
"""Visibility of both knees up to which something hides them. Measured: 0.00 to 0.08 behind somebody, 0.3 in sight."""
THIGH_MIN = 0.5
"""Trunk lengths from the hips to the knees at least, on screen and from high above: where the frame ends before, its
edge hides the legs and nobody else."""


def shoulder_vector(body: Points) -> Points:
    """(..., k) vector from the right to the left shoulder of ``body`` (..., 33, k)."""
    return body[..., BodyPoint.LEFT_SHOULDER, :] - body[..., BodyPoint.RIGHT_SHOULDER, :]


def hip_vector(body: Points) -> Points:
    """(..., k) vector from the right to the left hip of ``body`` (..., 33, k)."""
    return body[..., BodyPoint.LEFT_HIP, :] - body[..., BodyPoint.RIGHT_HIP, :]


def shoulder_centre(body: Points) -> Points:
    """(..., k) point midway between the shoulders of ``body`` (..., 33, k)."""
    return (body[..., BodyPoint.LEFT_SHOULDER, :] + body[..., BodyPoint.RIGHT_SHOULDER, :]) / 2


def hip_centre(body: Points) -> Points:
    """(..., k) point midway between the hips of ``body`` (..., 33, k)."""
    return (body[..., BodyPoint.LEFT_HIP, :] + body[..., BodyPoint.RIGHT_HIP, :]) / 2


def spine_vector(body: Points) -> Points:
    """(..., k) vector from the middle of the hips to the middle of the shoulders of ``body`` (..., 33, k)."""
    shoulders = body[..., BodyPoint.LEFT_SHOULDER, :] + body[..., BodyPoint.RIGHT_SHOULDER, :]
    return (shoulders - body[..., BodyPoint.LEFT_HIP, :] - body[..., BodyPoint.RIGHT_HIP, :]) / 2


def legs_hidden(
    body: NDArray[np.floating], visibility: NDArray[np.floating], height: int, seen_max: float = LEGS_HIDDEN_MAX
) -> NDArray[np.bool_]:
    """(F,) whether something hides the legs of ``body`` (F, 33, k), and not the frame's edge at ``height`` lines.

    Knees are hidden up to a ``visibility`` (F, 33) 0-1 of ``seen_max``. False where the person is absent.
    """
    rows = body[:, :, 1].astype(np.float64)
    shoulders, hips = rows[:, SHOULDERS].mean(1), rows[:, HIPS].mean(1)
    inside = hips + THIGH_MIN * (hips - shoulders) < height
    return inside & (visibility[:, KNEES].max(1) <= seen_max)
