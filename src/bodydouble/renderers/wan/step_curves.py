"""Which denoising steps reuse the result of an earlier one, and the measured curves that decide it. Imports no torch.

The blocks add a residual to the tokens. From step to step it changes little but in size, and its size follows the same
curve for every video (MagCache, arXiv 2506.09045). The curve depends on the model, the profile and the schedule, so it
is measured once for each: the first segment computes all steps.
"""

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bodydouble.tasks.atomic_files import atomic_write

COMPUTED_SHARE = 0.2
"""Share of the steps that are always computed, the first ones: they decide the layout. MagCache's value for Wan2.1."""
REUSED_IN_A_ROW_MAX = 2
"""Steps in a row that reuse one residual. MagCache uses 2 to 6, with 40 and 50 steps instead of our 20."""

_log = logging.getLogger(__name__)


def plan_reuse(ratios: Sequence[float], error_max: float) -> list[bool]:
    """For each step, whether it reuses the residual of the last computed step.

    Args:
        ratios: for each step, the size of its residual over that of the step before; the first value counts as 1.
        error_max: limit of the accumulated error. A reused residual whose size should be r times as large has the error
            |1 - r|; errors of steps in a row are added. 0: every step is computed.
    """
    first = math.ceil(COMPUTED_SHARE * len(ratios))
    plan: list[bool] = []
    size, error, reused = 1.0, 0.0, 0
    for step, ratio in enumerate(ratios):
        size *= ratio
        error += abs(1 - size)
        allowed = first <= step < len(ratios) - 1 and reused < REUSED_IN_A_ROW_MAX
        if step > 0 and allowed and error <= error_max and error_max > 0:
            plan.append(True)
            reused += 1
        else:
            plan.append(False)
            size, error, reused = 1.0, 0.0, 0
    return plan


@dataclass(frozen=True, kw_only=True)
class CurveKey:
    """The values that a curve depends on."""

    profile: str
    steps: int
    shift: float
    guided: bool

    @property
    def file_name(self) -> str:
        """Name of the curve's file."""
        return f"{self.profile}-{self.steps}-{self.shift:g}{'-guided' if self.guided else ''}.json"


class StepCurves:
    """The measured curves, in a folder; those that cannot be stored stay in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._curves: dict[CurveKey, list[float]] = {}

    def find(self, key: CurveKey) -> list[float] | None:
        """The curve of ``key``; None if it was not measured yet. A damaged file counts as not measured."""
        if key not in self._curves:
            try:
                ratios = [float(value) for value in json.loads((self._folder / key.file_name).read_text())]
            except (OSError, ValueError, TypeError):
                return None
            if len(ratios) != key.steps or not all(math.isfinite(ratio) for ratio in ratios):
                return None
            self._curves[key] = ratios
        return self._curves[key]

    def store(self, key: CurveKey, ratios: list[float]) -> None:
        """Keep a measured curve."""
        self._curves[key] = ratios
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            atomic_write(self._folder / key.file_name, json.dumps(ratios))
        except OSError as error:
            _log.warning("the curve for wan_step_cache stays in memory: %s", error)
