"""Which frame shows an actor's hand best, for every frame that needs its picture.

Landmarks of a hand that its network loses for a moment are guesses. What they cut out of the frame is a scrap.
"""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import HandPoint
from bodydouble.renderers.puppet.motion.lost_hands import LOST_SECONDS

Array = NDArray[np.float64]
Points = NDArray[np.floating]
Flags = NDArray[np.bool_]

UNSURE_SECONDS = 0.12
"""Time by which a frame counts as farther away for each sign that its landmarks err: the network loses the hand in a
frame beside it, or it is shrunken. Chosen by eye on the development clips."""
SHRUNKEN = 0.75
"""Share of a hand's usual size in the frames around below which it is shrunken, as fast and blurred hands are."""
SIZES_SECONDS = 1.0
"""Time over which the usual size is taken."""
PALM_TO_HAND = 1.25
"""A hand's length over its palm's width: fingers that point at the camera show no length. Chosen by eye on the
development clips."""
GRID, SOURCES_MAX = 2, 300
"""Only every ``GRID``-th frame is a source for other frames: the shot's reader has kept those (``KEPT_STEP`` in
``media/keeping.py``). At most so many frames are sources, because their hands are kept in memory: where a shot needs
more, only every fourth frame is one, and so on."""
LENGTH_MIN = 1.0
"""Pixels: shorter hands have no direction."""


def hand_axis(points: Points) -> Array:
    """(..., 2) px from the wrist to the middle knuckle of hands with landmarks ``points`` (..., 21, 2).

    A hand that points at the camera is as long as its palm is wide, and points where most of it is.
    """
    wrist = points[..., HandPoint.WRIST, :]
    way = points[..., HandPoint.MIDDLE_MCP, :] - wrist
    palm = points[..., HandPoint.INDEX_MCP, :] - points[..., HandPoint.PINKY_MCP, :]
    seen = np.linalg.norm(way, axis=-1, keepdims=True)
    length = np.maximum(np.maximum(seen, PALM_TO_HAND * np.linalg.norm(palm, axis=-1, keepdims=True)), LENGTH_MIN)
    middle = points.mean(-2) - wrist
    away = np.maximum(np.linalg.norm(middle, axis=-1, keepdims=True), LENGTH_MIN)
    axis = way + middle / away * (length - seen)
    size = np.linalg.norm(axis, axis=-1, keepdims=True)
    return np.where(size > 0, axis * (length / np.maximum(size, LENGTH_MIN * 1e-6)), [0.0, 1.0] * length)


def hand_sources(
    hands: Array,
    measured: Flags,
    shown: Flags,
    shot: NDArray[np.int32],
    frame_rate: float,
    frame_size: tuple[int, int] | None,
) -> NDArray[np.intp]:
    """(F, 2) the frame whose picture of the hand belongs into each frame; -1 where there is none.

    That is the nearest one in which the hand is ``measured`` (F, 2). Frames count as farther away if their landmarks
    are unsure. A frame whose edge cuts the hand off is taken only where no other one is near.

    ``hands`` (F, 2, 21, 2) px, ``shown`` (F, 2) where a hand is due, ``shot`` (F,), ``frame_size`` width and height.
    """
    frames, count = np.arange(len(shot)), len(shot)
    reach = round(LOST_SECONDS * frame_rate)
    away = np.where(measured, 0.0, np.inf)
    for step in (1, -1):
        beside = np.clip(frames + step, 0, count - 1)
        unsure = ~measured[beside] & (shot[beside] == shot)[:, None]
        away = np.where(unsure, np.maximum(away, UNSURE_SECONDS * frame_rate), away)
    away += UNSURE_SECONDS * frame_rate * _shrunken(hands, measured, shot, frame_rate)
    away += reach * _cut_off(hands, frame_size)
    spacing = GRID
    while True:
        result = np.where(shown, _nearest(away, measured, shot, reach, frames % spacing == 0), -1).astype(np.intp)
        others = result[(result >= 0) & (result != frames[:, None])]
        if len(np.unique(others)) <= SOURCES_MAX:
            return result
        spacing *= 2


def _nearest(away: Array, measured: Flags, shot: NDArray[np.int32], reach: int, sources: Flags) -> NDArray[np.intp]:
    """(F, 2) for each frame itself or the one of the ``sources`` (F,) that is least far ``away`` (F, 2), or -1.

    ``away`` is in frames and adds to the distance, which is ``reach`` at most.
    """
    frames, count = np.arange(len(shot)), len(shot)
    best, result = away.copy(), np.where(measured, frames[:, None], -1)
    for step in range(1, reach + 1):
        for other in (frames - step, frames + step):
            there = np.clip(other, 0, count - 1)
            usable = (there == other) & (shot[there] == shot) & sources[there]
            cost = np.where(usable[:, None], away[there] + step, np.inf)
            nearer = cost < best
            best, result = np.where(nearer, cost, best), np.where(nearer, there[:, None], result)
    return result


def _cut_off(hands: Array, size: tuple[int, int] | None) -> Flags:
    """(F, 2) where the edge of a frame of ``size`` cuts the hand off."""
    if size is None:
        return np.zeros(hands.shape[:2], np.bool_)
    return np.any((hands < 0) | (hands > np.array(size) - 1), axis=(2, 3))


def _shrunken(hands: Array, measured: Flags, shot: NDArray[np.int32], frame_rate: float) -> Flags:
    """(F, 2) where the landmarks of a hand are far smaller than in most frames around."""
    sizes = np.where(measured, np.linalg.norm(hand_axis(hands), axis=-1), np.nan)
    reach = round(SIZES_SECONDS * frame_rate / 2)
    result = np.zeros(measured.shape, np.bool_)
    for i, k in zip(*np.nonzero(measured), strict=True):
        around = np.s_[max(0, i - reach) : i + reach + 1]
        near = sizes[around, k][shot[around] == shot[i]]
        result[i, k] = sizes[i, k] < SHRUNKEN * np.nanmedian(near)
    return result


def hand_transform(start: Array, stop: Array) -> Array:
    """(2, 3) takes the hand with landmarks ``start`` (21, 2) px to the wrist of ``stop`` (21, 2), turned like it."""
    ways = [complex(*hand_axis(hand)) for hand in (start, stop)]
    turn = ways[1] / ways[0]
    turn /= abs(turn)
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([matrix, stop[HandPoint.WRIST] - matrix @ start[HandPoint.WRIST]])
