"""Errors of the plate where the true background is known: the driving video is a composite."""

import numpy as np

from bodydouble.evaluation.regions import grown
from bodydouble.perception.arrays import Image, Matte

UNCOVERED_MAX = 4
"""Level of the output's matte (0-255) below which a pixel is not the character."""
CHARACTER_MARGIN = 0.03
"""Share of the frame's height around the character that is not judged: soft edges and shadows."""
ACTOR_LEVEL = 128
"""Level of the source's matte (0-255) from which a pixel is the actor's: half of the range."""
DISTINCT_MIN = 24.0
"""Difference (0-255) of actor and background from which a pixel shows whether something of the actor is left."""
PIXELS_MIN = 50
"""A frame that uncovers fewer is not measured."""


def composite(background: Image, actor: Image, matte: Matte) -> Image:
    """The driving frame of a synthetic shot: ``actor`` (H, W, 3) over ``background`` with ``matte``."""
    alpha = matte[..., None].astype(np.float32) / 255
    return np.asarray(np.round(background * (1 - alpha) + actor * alpha), np.uint8)


class TrueBackground:
    """Collects plate error and residue over the frames."""

    def __init__(self) -> None:
        self._errors: list[float] = []
        self._left: list[float] = []

    def add(self, source: Image, output: Image, truth: Image, source_matte: Matte, output_matte: Matte) -> None:
        """One frame: the composite, the result and the background without anybody."""
        height = output_matte.shape[0]
        character = grown((output_matte > UNCOVERED_MAX).astype(np.uint8), CHARACTER_MARGIN * height)
        bare = (source_matte >= ACTOR_LEVEL) & ~character
        if np.count_nonzero(bare) < PIXELS_MIN:
            return
        shown, true, actor = (x[bare].astype(np.float64) for x in (output, truth, source))
        error = np.abs(shown - true).mean(1)
        self._errors.append(float(error.mean()))
        distinct = np.abs(actor - true).mean(1) > DISTINCT_MIN
        left = distinct & (np.abs(shown - actor).mean(1) < error)
        self._left.append(float(np.count_nonzero(left)) / np.count_nonzero(source_matte >= ACTOR_LEVEL))

    def plate_error(self) -> float | None:
        """Mean absolute difference to the true background where the actor was and the character is not, 0-255."""
        return float(np.mean(self._errors)) if self._errors else None

    def residue(self) -> float | None:
        """Share of the actor that still shows there: nearer to the actor's colours than to the background's."""
        return float(np.mean(self._left)) if self._left else None
