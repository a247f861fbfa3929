"""A ball in play: learned where it is seen alone, found again where it touches a shoe of its own colour."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

ROUND_ERROR_MAX = 0.06
"""Largest mean distance of a ball's outline from its circle, as a share of the radius."""
SIGHTINGS_MIN = 3
"""Number of sightings from which a ball is known. Chosen by eye on the development clips."""
FILLED_MIN = 0.8
"""Smallest share of a disc with the ball's colours. A disc on a smaller or longer thing, such as a shoe, has less."""
AROUND_MAX = 0.55
"""Largest share of the ring around the disc that has them too, on the side of the foot."""
RING = 1.35
"""Outer radius of that ring over the radius of the disc. Chosen by eye on the development clips."""
RADIUS_MIN = 3.0
"""Smallest radius in pixels of the reduced picture: a smaller disc is filled by anything."""
MOVES_MIN = 0.15
"""Spine lengths that a ball moves over the body (standard deviation): a print or a bun of hair keeps its place.
Measured: 0.4 for a ball that is juggled."""
RADIUS_SPREAD, COLOUR_OFTEN = 0.2, 0.3
"""Largest difference of the sightings of one ball, as a share of the median radius; share of them with its colour."""
SHARED_MIN = 0.5
"""Least median share of colours that a sighting of a ball has in common with the others. Measured: 0.69 and more of a
ball that is juggled, 0.3 of a sign among bags."""
OUTLINE_POINTS_MIN = 8
"""Number of points from which an outline can be judged: smaller ones are round by chance."""
CENTRE_LEAN = 0.5
"""Weight of a filled ring against that of a filled disc, so that the disc lies on the ball and not on the shoe."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A round thing in one picture: its radius in pixels of the frame, its place, and (N,) which colours it shows."""

    radius: float
    place: tuple[float, float]  # x, y from the middle of the person's hips, in spine lengths
    colours: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Ball:
    """A known ball: its radius in pixels of the frame, and its colours (N,)."""

    radius: float
    colours: NDArray[np.bool_]


def circle_radius(outline: NDArray[np.generic]) -> float | None:
    """The radius of a closed ``outline`` (N, 2) in pixels, or None where it is not round."""
    points = outline.astype(np.float64)
    if len(points) < OUTLINE_POINTS_MIN:
        return None
    away = np.hypot(*(points - (points.min(0) + points.max(0)) / 2).T)
    radius = float(away.mean())
    return radius if float(np.abs(away - radius).mean()) < ROUND_ERROR_MAX * radius else None


def known_ball(sightings: list[Sighting]) -> Ball | None:
    """The ball of the ``sightings`` in samples of the whole video.

    None if too few of them have the same size and colours, or if they keep their place on the body.
    """
    if len(sightings) < SIGHTINGS_MIN:
        return None
    radius = float(np.median([s.radius for s in sightings]))
    alike = _of_one_colour([s for s in sightings if abs(s.radius - radius) < RADIUS_SPREAD * radius])
    if len(alike) < SIGHTINGS_MIN or np.sqrt(np.var([s.place for s in alike], axis=0).sum()) < MOVES_MIN:
        return None
    colours = np.mean([s.colours for s in alike], axis=0) > COLOUR_OFTEN
    return Ball(radius=radius, colours=np.asarray(colours, np.bool_))


def _of_one_colour(sightings: list[Sighting]) -> list[Sighting]:
    """Those ``sightings`` that have most colours in common with most of the others."""
    if not sightings:
        return []
    shows = np.array([s.colours for s in sightings], np.float64)
    count = np.maximum(shows.sum(1), 1)
    shared = np.median(shows @ shows.T / np.minimum.outer(count, count), axis=1)
    return [s for s, share in zip(sightings, shared, strict=True) if share >= SHARED_MIN]


def find_ball(like: NDArray[np.bool_], radius: float) -> tuple[int, int] | None:
    """Centre x, y of the ball of ``radius`` pixels in a picture, or None; ``like`` (h, w): which pixels may be its."""
    if radius < RADIUS_MIN:
        return None
    reach = int(np.ceil(RING * radius)) + 1
    yy, xx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    away = np.hypot(xx, yy)
    disc, ring = away <= radius, (away > radius + 0.5) & (away <= RING * radius)
    part = like.astype(np.float32)
    filled, around = (
        cv2.filter2D(part, cv2.CV_32F, kernel / np.float32(kernel.sum()), borderType=cv2.BORDER_CONSTANT)
        for kernel in (disc.astype(np.float32), ring.astype(np.float32))
    )
    score = filled - CENTRE_LEAN * around
    row, column = np.unravel_index(int(score.argmax()), score.shape)
    if filled[row, column] < FILLED_MIN or around[row, column] > AROUND_MAX:
        return None
    return int(column), int(row)
