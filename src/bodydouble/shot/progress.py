"""Stages mapped to one fraction that only grows."""

from collections.abc import Callable

from bodydouble.shot.request import ShotProgress
from bodydouble.tasks.stages import Stage

# Shares of the time that a shot takes with the puppet renderer on two cores.
SHARES = {Stage.PROBE: 0.01, Stage.PERCEIVE: 0.40, Stage.PREPARE: 0.14, Stage.RENDER: 0.43, Stage.MUX: 0.02}

Listener = Callable[[ShotProgress], None]
"""Told of progress; raises ``Cancelled`` to stop the shot."""


class ProgressMeter:
    """Turns (stage, fraction of the stage) into a ``ShotProgress`` that never goes back."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._highest = 0.0

    def report(self, stage: Stage, within: float, segment: int | None = None, segments: int | None = None) -> None:
        """``within`` is 0-1 of ``stage``."""
        stages = list(SHARES)
        before = sum(SHARES[name] for name in stages[: stages.index(stage)])
        self._highest = max(self._highest, min(1.0, before + SHARES[stage] * within))
        self._listener(ShotProgress(stage=stage, fraction=self._highest, segment=segment, segments=segments))
