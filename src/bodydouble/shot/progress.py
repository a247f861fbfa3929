"""Progress of all stages as one fraction that never decreases."""

from collections.abc import Callable, Mapping

from bodydouble.shot.request import ShotProgress
from bodydouble.tasks.stages import Stage

Listener = Callable[[ShotProgress], None]
"""Receives each progress report. Raises ``Cancelled`` to stop the shot."""


class ProgressMeter:
    """Converts (stage, fraction of the stage) to a ``ShotProgress`` whose fraction never decreases."""

    def __init__(self, listener: Listener, shares: Mapping[Stage, float]) -> None:
        """``shares``: each stage's share of the total time, in the order of the stages; the sum is 1."""
        self._listener, self._shares = listener, shares
        self._highest = 0.0

    def report(self, stage: Stage, within: float, segment: int | None = None, segments: int | None = None) -> None:
        """Pass the progress to the listener. ``within``: fraction of ``stage``, 0-1; ``segment`` counts from 0."""
        stages = list(self._shares)
        before = sum(self._shares[name] for name in stages[: stages.index(stage)])
        self._highest = max(self._highest, min(1.0, before + self._shares[stage] * within))
        self._listener(ShotProgress(stage=stage, fraction=self._highest, segment=segment, segments=segments))
