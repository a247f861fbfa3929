"""The trunk's corners, and what is measured between them."""

from bodydouble.perception.arrays import Points
from bodydouble.perception.landmark_indices import BodyPoint

SHOULDERS = [BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER]
HIPS = [BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP]


def shoulder_vector(body: Points) -> Points:
    """From the right shoulder to the left one, (..., k), of ``body`` (..., 33, k)."""
    return body[..., BodyPoint.LEFT_SHOULDER, :] - body[..., BodyPoint.RIGHT_SHOULDER, :]


def hip_vector(body: Points) -> Points:
    """From the right hip to the left one, (..., k), of ``body`` (..., 33, k)."""
    return body[..., BodyPoint.LEFT_HIP, :] - body[..., BodyPoint.RIGHT_HIP, :]


def shoulder_centre(body: Points) -> Points:
    """Between the shoulders, (..., k), of ``body`` (..., 33, k)."""
    return (body[..., BodyPoint.LEFT_SHOULDER, :] + body[..., BodyPoint.RIGHT_SHOULDER, :]) / 2


def hip_centre(body: Points) -> Points:
    """Between the hips, (..., k), of ``body`` (..., 33, k)."""
    return (body[..., BodyPoint.LEFT_HIP, :] + body[..., BodyPoint.RIGHT_HIP, :]) / 2


def spine_vector(body: Points) -> Points:
    """From between the hips to between the shoulders, (..., k), of ``body`` (..., 33, k)."""
    shoulders = body[..., BodyPoint.LEFT_SHOULDER, :] + body[..., BodyPoint.RIGHT_SHOULDER, :]
    return (shoulders - body[..., BodyPoint.LEFT_HIP, :] - body[..., BodyPoint.RIGHT_HIP, :]) / 2
