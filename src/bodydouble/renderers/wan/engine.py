"""The interface to the networks, which are in this process or in another one. Imports no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.renderers.wan.footage import SegmentVideo

LoadReport = Callable[[float], None]
"""Told the fraction 0-1 of the loading."""
StepReport = Callable[[int, int], None]
"""Told the steps done and the steps in all, before the first and after each; raises to stop."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How latents are sampled."""

    steps: int
    shift: float = 5.0  # of the flow schedule: above 1, more of the steps are at high noise
    guidance: float = 1.0  # classifier-free; up to 1 the model runs once per step, above it twice
    carried_frames: int = 1  # 1 or 5
    reuse: bool = True  # false: the slow reference, which computes constants at each step


@dataclass(frozen=True, kw_only=True)
class CharacterSpec:
    """The character of a job, and how all its segments are sampled."""

    picture: Image  # (h, w, 3), of any size
    prompt: str
    negative_prompt: str
    height: int  # of the segments, multiples of 16
    width: int
    sampling: Sampling


@dataclass(frozen=True, kw_only=True)
class SegmentRequest:
    """One segment to generate."""

    video: SegmentVideo
    carried: NDArray[np.uint8] | None  # (P, H, W, 3), the frames before; None where a shot starts
    seed: int
    index: int  # of the segment: the same seed gives each segment noise of its own


class Engine(Protocol):
    """The networks and the character of the current job.

    Calls from several threads run one after the other: a cancelled generation ends only after its step, and the
    autoencoder keeps the frames before between two calls.
    """

    def load(self, report: LoadReport) -> int:
        """Load the networks that are not loaded yet. Returns the side of the face pictures in pixels.

        Raises:
            ModelPackMissing, RendererUnavailable: it cannot be loaded as the operator chose.
            RendererLost: see ``generate``.
        """
        ...

    def set_character(self, spec: CharacterSpec) -> None:
        """Encode the character for the following calls of ``generate``."""
        ...

    def generate(self, request: SegmentRequest, report: StepReport) -> NDArray[np.uint8]:
        """(F, H, W, 3), the segment as the model generates it; its first frames repeat the carried ones.

        Whatever ``report`` raises ends the generation between two steps; no network runs after that.

        Raises:
            RendererLost: the process with the networks ended; another one may succeed.
        """
        ...
