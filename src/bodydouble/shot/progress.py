"""Stages mapped to one fraction that only grows."""

from collections.abc import Callable, Mapping

from bodydouble.shot.request import ShotProgress
from bodydouble.tasks.stages import Stage

Listener = Callable[[ShotProgress], None]
"""Told of progress; raises ``Cancelled`` to stop the shot."""


class ProgressMeter:
    """Turns (stage, fraction of the stage) into a ``ShotProgress`` that never goes back."""

    def __init__(self, listener: Listener, shares: Mapping[Stage, float]) -> None:
        """``shares``: stage → its share of the shot's time, in the order of the stages; the sum is 1."""
        self._listener, self._shares = listener, shares
        self._highest = 0.0

    def report(self, stage: Stage, within: float, segment: int | None = None, segments: int | None = None) -> None:
        """``within`` is 0-1 of ``stage``."""
        stages = list(self._shares)
        before = sum(self._shares[name] for name in stages[: stages.index(stage)])
        self._highest = max(self._highest, min(1.0, before + self._shares[stage] * within))
        self._listener(ShotProgress(stage=stage, fraction=self._highest, segment=segment, segments=segments))
