"""The trunk's corners, and what is measured between them."""

from bodydouble.perception.arrays import Points
from bodydouble.perception.landmark_indices import BodyPoint

SHOULDERS = [BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER]
HIPS = [BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP]


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
