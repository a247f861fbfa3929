"""The steps of a task's workflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bodydouble.tasks.stages import Stage
from bodydouble.worker.failure import TaskFailure


@dataclass(frozen=True, kw_only=True)
class StoredVideo:
    """The result of a task: a video in the file store."""

    key: str
    media_info: Mapping[str, Any]  # as the API shows it


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
        # Workflows that an earlier version started are stored under this name, and this version continues them.
        return "finish" if self.stage is Stage.MUX else str(self.stage)

    @property
    def durable_name(self) -> str:
        """The name under which the durable engine stores the step's outcome."""
        return self.name if self.segment is None else f"{self.name} {self.segment}"


@dataclass(frozen=True, kw_only=True)
class Settle:
    """End the task: charge for a result, or release the credits after a failure."""

    outcome: StoredVideo | TaskFailure
    name: str = "settle"


@dataclass(frozen=True, kw_only=True)
class Abandon:
    """Stop all work on the task: another worker has it."""

    name: str = "abandon"


Step = Start | RunStage | Settle | Abandon
