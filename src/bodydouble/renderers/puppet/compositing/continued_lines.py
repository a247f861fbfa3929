"""A picture's hole as the lines say that enter it: edges that go in on one side and come out on the other are joined.

Straight rays are cast through the hole in all directions. Where both ends of a ray lie on edges along it, of like steps
across it, the step is the same in between. From these steps the colours follow as the solution of Poisson's equation
(Pérez, Gangnet and Blake, "Poisson Image Editing", SIGGRAPH 2003). Without any line that is a membrane hung on the
hole's border: a smooth wall goes on smoothly.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.renderers.puppet.compositing.pieces import boxes_about

DIRECTIONS, DIRECTIONS_MOST = 360, 24
"""Directions over half a turn that are told apart, and in how many of them rays are cast: those with the strongest
edges beside the hole. A line through a hole of half the guide misses its other end by a pixel from half a degree on."""
SPREAD = 1
"""Directions beside an edge's own in which it counts as well: it is measured in a few pixels."""
REACH = 8
"""Pixels before the hole in which an edge has to be straight along the ray."""
SMOOTH_SIGMA = 0.8
"""Pixels: standard deviation of the blur before steps are measured."""
SOBEL_SCALE = 1 / 8
"""Factor of a Sobel filter's answer that makes it the step from one pixel to the next."""
WHOLE_MIN = 0.9
"""Share of known pixels under a turned one from which it is known."""
TURN_MARGIN = 3
"""Pixels of a turned picture beyond its corners."""
AROUND = 12
"""Pixels around the hole that are looked at."""
COARSE_SIDE_MIN, KNOWN_MIN, ROUNDS = 16, 0.5, 20
"""Shortest side from which a picture is solved at half its size first; share of known pixels under one of half the size
from which it is known; steps of conjugate gradients at each size."""
STEP_MIN = 1e-6
"""Smallest divisor: squared steps and shares below it count as zero."""
ACCURACY = 0.01
"""Mean squared residue of the solution, in levels, that is good enough."""


@dataclass(frozen=True, kw_only=True)
class _Rays:
    """A turned picture whose rows are rays, flat."""

    width: int
    across: Floats  # (H * width, C) steps across the row
    along: Floats  # (H * width, 1) squared steps along it
    known: Mask  # (H * width, 1)

    def edges(self, ends: NDArray[np.intp], way: int) -> Floats:
        """(N, C) the step across the row at each of the ``ends`` (N,), from which known pixels follow in ``way``.

        It is the less, the less it is the same in all these pixels, and the more steps there are along the row.
        """
        column, step = ends % self.width, np.arange(REACH)[:, None]
        there = np.minimum(column + step, self.width - 1) if way > 0 else np.maximum(column - step, 0)
        place = ends - column + there  # (REACH, N)
        known = self.known.take(place, axis=0).astype(np.float32)
        steps = self.across.take(place, axis=0) * known
        total, count = steps.sum(0), known.sum(0)
        energy = ((steps * steps).sum(2, keepdims=True) + self.along.take(place, axis=0) * known).sum(0)
        mean = total / np.maximum(count, 1)
        constant = (mean * mean).sum(1, keepdims=True) * count / np.maximum(energy, STEP_MIN)
        return np.asarray(mean * constant * constant, np.float32)


def continue_lines(picture: Floats, hole: Mask) -> Floats:
    """(h, w, C) ``picture`` (h, w, C), any levels, completed in the ``hole`` (h, w)."""
    result = picture.astype(np.float32)
    if hole.all():
        return result
    for x0, y0, x1, y1 in boxes_about(hole, AROUND):
        here = np.s_[y0:y1, x0:x1]
        result[here] = _integrated(result[here], hole[here], *_joined_steps(result[here], ~hole[here]))
    return result


def _joined_steps(picture: Floats, known: Mask) -> tuple[Floats, Floats]:
    """(h, w, C) the steps to the right and down between pixels that are not ``known`` (h, w), as the lines say."""
    right, down = np.zeros_like(picture), np.zeros_like(picture)
    to_right, to_down, sure = _measured_steps(picture, known)
    joined: list[tuple[float, float, Floats, Floats]] = []
    for angle in _directions(to_right, to_down, known):
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        across, along = cos * to_down - sin * to_right, cos * to_right + sin * to_down
        energy = np.asarray(np.einsum("ijk,ijk->ij", along, along), np.float32)
        steps = _cast(np.asarray(across, np.float32), energy, sure, cos, sin)
        joined.append((cos, sin, steps, np.einsum("ijk,ijk->ij", steps, steps) * ~known))
    # Stripes can be joined with one another in many directions, but all of them only in their own.
    votes = [np.float32(sizes.sum()) for *_, sizes in joined]
    largest = np.zeros(known.shape, np.float32)
    for vote, (cos, sin, steps, sizes) in zip(votes, joined, strict=True):
        better = vote * sizes > largest
        largest[better] = vote * sizes[better]
        right[better], down[better] = -sin * steps[better], cos * steps[better]
    # Measured at the pixels, wanted between them.
    right[:, :-1], down[:-1] = (right[:, :-1] + right[:, 1:]) / 2, (down[:-1] + down[1:]) / 2
    return right, down


def _directions(right: Floats, down: Floats, known: Mask) -> NDArray[np.float64]:
    """(N,) radians: directions of the strongest edges, of steps ``right`` and ``down``, near what is not ``known``."""
    side = 2 * REACH + 1
    near = known & (cv2.dilate((~known).astype(np.uint8), np.ones((side, side), np.uint8)) > 0)
    a, b = right[near], down[near]
    xx, yy, xy = (a * a).sum(1), (b * b).sum(1), (a * b).sum(1)
    # The direction across which steps are largest, of the structure tensor; an edge runs at right angles to it.
    angles = np.arctan2(2 * xy, xx - yy) / 2 + np.pi / 2
    strength = np.hypot(xx - yy, 2 * xy)
    numbers = np.round(angles * (DIRECTIONS / np.pi)).astype(int) % DIRECTIONS
    total = np.bincount(numbers, weights=strength, minlength=DIRECTIONS)
    wide = np.concatenate([total[-SPREAD:], total, total[:SPREAD]])
    total = np.convolve(wide, np.ones(2 * SPREAD + 1), "valid")
    strongest = np.sort(np.argsort(-total, kind="stable")[:DIRECTIONS_MOST])
    return np.asarray(strongest * (np.pi / DIRECTIONS), np.float64)


def _measured_steps(picture: Floats, known: Mask) -> tuple[Floats, Floats, Floats]:
    """(h, w, C) steps of ``picture`` to the right and down; (h, w) 1 where they are known, else 0."""
    share = known.astype(np.float32)
    blurred = cv2.GaussianBlur(picture * share[..., None], (0, 0), SMOOTH_SIGMA)
    blurred /= np.maximum(cv2.GaussianBlur(share, (0, 0), SMOOTH_SIGMA), STEP_MIN)[..., None]
    sure = cv2.erode(share, np.ones((3, 3), np.uint8), borderValue=1)
    right, down = (
        np.asarray(cv2.Sobel(blurred, -1, *axes, scale=SOBEL_SCALE) * sure[..., None], np.float32)
        for axes in ((1, 0), (0, 1))
    )
    return right, down, np.asarray(sure, np.float32)


def _cast(steps: Floats, along: Floats, sure: Floats, cos: float, sin: float) -> Floats:
    """(h, w, C) ``steps`` across the direction (cos, sin), carried along it where they are not ``sure`` (h, w).

    ``along`` (h, w): squared steps along the direction.
    """
    height, width = sure.shape
    wide = int(abs(cos) * width + abs(sin) * height) + TURN_MARGIN
    high = int(abs(sin) * width + abs(cos) * height) + TURN_MARGIN
    x, y = (width - 1) / 2, (height - 1) / 2
    turn = np.array([[cos, sin, wide / 2 - cos * x - sin * y], [-sin, cos, high / 2 + sin * x - cos * y]])
    # Rays are rows of the turned picture.
    across, lengthwise, known = (
        np.asarray(cv2.warpAffine(x, turn, (wide, high)), np.float32) for x in (steps, along, sure)
    )
    rays = _Rays(
        width=wide,
        across=across.reshape(high * wide, -1),
        along=lengthwise.reshape(-1, 1),
        known=known.reshape(-1, 1) > WHOLE_MIN,
    )
    places = np.flatnonzero(rays.known)
    gaps = np.flatnonzero((np.diff(places) > 1) & (np.diff(places // wide) == 0))
    first, last = places[gaps], places[gaps + 1]
    before, after = rays.edges(first, -1), rays.edges(last, 1)
    sizes = np.maximum((before * before).sum(1) + (after * after).sum(1), STEP_MIN)
    alike = np.maximum(2 * (before * after).sum(1) / sizes, 0)[:, None]
    length = last - first - 1
    which = np.repeat(np.arange(len(length)), length)
    way = np.arange(len(which)) - np.repeat(np.cumsum(length) - length, length) + 1
    share = (way / (length[which] + 1)).astype(np.float32)[:, None]
    carried = np.zeros((high * wide, steps.shape[-1]), np.float32)
    carried[first[which] + way] = (alike * before)[which] * (1 - share) + (alike * after)[which] * share
    back = carried.reshape(high, wide, -1)
    back = cv2.warpAffine(back, turn, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(back, np.float32)


def _integrated(picture: Floats, hole: Mask, right: Floats, down: Floats) -> Floats:
    """``picture`` (h, w, C) with colours in the ``hole`` (h, w) whose steps are nearest to ``right`` and ``down``.

    Least squares by conjugate gradients, from the solution at half the size.
    """
    height, width = hole.shape
    inside = hole[..., None].astype(np.float32)
    if min(height, width) >= COARSE_SIDE_MIN:
        start = cv2.resize(_at_half_size(picture, hole, right, down), (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        start = np.broadcast_to(picture[~hole].mean(0) if not hole.all() else np.float32(0), picture.shape)
    result = np.where(hole[..., None], start, picture).astype(np.float32)
    residue = (_divergence(*_steps(result)) - _divergence(right, down)) * inside
    direction, size = residue, np.einsum("ijk,ijk->k", residue, residue)
    for _ in range(ROUNDS):
        if size.max() <= ACCURACY * np.count_nonzero(hole):
            break
        image = -_divergence(*_steps(direction)) * inside
        share = size / np.maximum(np.einsum("ijk,ijk->k", direction, image), STEP_MIN)
        result, residue = result + share * direction, residue - share * image
        before, size = size, np.einsum("ijk,ijk->k", residue, residue)
        direction = residue + size / np.maximum(before, STEP_MIN) * direction
    return np.asarray(result, np.float32)


def _at_half_size(picture: Floats, hole: Mask, right: Floats, down: Floats) -> Floats:
    """The solution of ``_integrated`` for the picture at half its size."""
    height, width = hole.shape[0] // 2, hole.shape[1] // 2

    def halved(values: Floats) -> Floats:
        whole = values[: 2 * height, : 2 * width]
        return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.float32)

    known = (~hole).astype(np.float32)
    share = halved(known)
    colours = halved(picture * known[..., None]) / np.maximum(share, np.float32(STEP_MIN))[..., None]
    # A step at half the size is two of the full size.
    return _integrated(np.asarray(colours, np.float32), share < KNOWN_MIN, 2 * halved(right), 2 * halved(down))


def _steps(picture: Floats) -> tuple[Floats, Floats]:
    """(h, w, C) the differences of ``picture`` to the right and down; 0 at the last column and row."""
    right, down = np.zeros_like(picture), np.zeros_like(picture)
    np.subtract(picture[:, 1:], picture[:, :-1], out=right[:, :-1])
    np.subtract(picture[1:], picture[:-1], out=down[:-1])
    return right, down


def _divergence(right: Floats, down: Floats) -> Floats:
    """(h, w, C) what the steps ``right`` and ``down`` add up to at each pixel."""
    result = np.zeros_like(right)
    result[:, :-1] += right[:, :-1]
    result[:, 1:] -= right[:, :-1]
    result[:-1] += down[:-1]
    result[1:] -= down[:-1]
    return result
