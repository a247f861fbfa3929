"""Finishes the generated frames of a segment: removes drift of colour and composites them into the source."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.renderers.wan.colour import Drift, measure_drift
from bodydouble.renderers.wan.composite import blend
from bodydouble.renderers.wan.preprocess import Canvas

DRIFT_FRAMES = 9
"""Frames in which drift is measured, spread over the segment: it changes slowly. Chosen, not measured."""


@dataclass(frozen=True, kw_only=True)
class GeneratedFrames:
    """Generated frames of a segment, in the canvas, without the carried ones."""

    made: NDArray[np.uint8]  # (F, H, W, 3); F is at least the segment's length
    mask: NDArray[np.uint8]  # (F, H, W), 255 where the model generates


class FinishedFrames:
    """Finished frames of one segment: drift of colour removed, composited into the source's frames. In any order."""

    def __init__(self, frames: list[Image], drawn: GeneratedFrames | None, canvas: Canvas) -> None:
        """``frames`` are the source's; without ``drawn`` they stay unchanged."""
        self._frames, self._drawn, self._canvas = frames, drawn, canvas
        self._drift = None if drawn is None else _drift(frames, drawn, canvas)

    def images(self, start: int = 0) -> Generator[Image]:
        """Frames from ``start`` of the segment on, computed lazily."""
        for i in range(start, len(self._frames)):
            yield self._image(i)

    def _image(self, i: int) -> Image:
        source, drawn = self._frames[i], self._drawn
        if drawn is None:
            return source
        made = drawn.made[i]
        true = made if self._drift is None else self._drift.take_back(made, i / len(self._frames))
        return blend(source, self._canvas.restore(true), self._canvas.restore_mask(drawn.mask[i]))


class MovedFrames:
    """Finished frames of one segment in mode animate: no footage is visible, so drift cannot be measured."""

    def __init__(self, made: NDArray[np.uint8], length: int, canvas: Canvas) -> None:
        """``made`` (F, H, W, 3) begins with the segment's ``length`` frames."""
        self._made, self._length, self._canvas = made, length, canvas

    def images(self, start: int = 0) -> Generator[Image]:
        """Frames from ``start`` of the segment on, computed lazily."""
        for i in range(start, self._length):
            yield self._canvas.restore(self._made[i])


def _drift(frames: list[Image], drawn: GeneratedFrames, canvas: Canvas) -> Drift | None:
    """Drift of the generated frames from the source's, measured outside the mask."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, DRIFT_FRAMES).round().astype(int))
    known = np.stack([canvas.place(frames[i]) for i in chosen])
    return measure_drift(drawn.made[chosen], known, drawn.mask[chosen] == 0, chosen / len(frames))
