"""The steps of a task's workflow."""

from dataclasses import dataclass
from typing import Any

from bodydouble.tasks.stages import Stage


@dataclass(frozen=True, kw_only=True)
class Start:
    """Take the task for this worker."""

    name: str = "start"


@dataclass(frozen=True, kw_only=True)
class RunStage:
    """Do one stage, or one segment of the stage ``render``."""

    stage: Stage
    segment: int | None = None  # 0-based; for ``render`` only

    @property
    def name(self) -> str:
        """The step's name in traces and logs."""
        # Workflows of earlier versions are stored under this name, and go on in this version.
        return "finish" if self.stage is Stage.MUX else str(self.stage)

    @property
    def durable_name(self) -> str:
        """The name under which the durable engine stores the step's outcome."""
        return self.name if self.segment is None else f"{self.name} {self.segment}"


@dataclass(frozen=True, kw_only=True)
class Settle:
    """End the task: charge for a result, or release the credits after a failure."""

    outcome: dict[str, Any]  # of the stage ``mux``, or ``TaskFailure.to_json``
    name: str = "settle"


@dataclass(frozen=True, kw_only=True)
class Abandon:
    """Stop all work at the task: another worker has it."""

    name: str = "abandon"


Step = Start | RunStage | Settle | Abandon
