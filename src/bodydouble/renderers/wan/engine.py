"""What makes segments: the networks, in this process or in another one. Imports no torch: whoever speaks to networks
elsewhere needs none."""

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
    """How latents are drawn."""

    steps: int
    shift: float = 5.0  # of the flow schedule: above 1 more of the steps are spent on noise
    guidance: float = 1.0  # up to 1 the model is asked once a step, above it twice
    carried_frames: int = 1  # 1 or 5
    reuse: bool = True  # false: the slow reference, which computes constants again at each step


@dataclass(frozen=True, kw_only=True)
class Casting:
    """One job's character, and how all of its segments are drawn."""

    picture: Image  # (h, w, 3), of any size
    prompt: str
    negative_prompt: str
    height: int  # of the segments, multiples of 16
    width: int
    sampling: Sampling


@dataclass(frozen=True, kw_only=True)
class Take:
    """One segment to be made."""

    video: SegmentVideo
    carried: NDArray[np.uint8] | None  # (P, H, W, 3), the frames before; None where a shot starts
    seed: int
    index: int  # of the segment: the same seed gives each segment noise of its own


class Engine(Protocol):
    """The networks and the character that they play at the moment.

    Asked from several threads it does one thing after the other: a drawing that nobody wants any more ends only after
    its step, and the autoencoder remembers the frames before between two calls.
    """

    def load(self, report: LoadReport) -> int:
        """Load what is not loaded yet; answers the side of the face pictures, in pixels.

        Raises:
            ModelPackMissing, RendererUnavailable: it cannot be loaded as the operator chose.
            RendererLost: see ``generate``.
        """
        ...

    def cast(self, casting: Casting) -> None:
        """Encode the character that ``generate`` shows from now on."""
        ...

    def generate(self, take: Take, report: StepReport) -> NDArray[np.uint8]:
        """(F, H, W, 3), the segment as the model draws it; the first frames show what was carried again.

        Whatever ``report`` raises ends it between two steps, and no further pass of any network is run.

        Raises:
            RendererLost: the process with the networks ended; another one may succeed.
        """
        ...
