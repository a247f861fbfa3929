"""The steps of a task's workflow."""

import enum
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


class Phase(enum.StrEnum):
    """The part of a task's work that its queue is for."""

    OVER = "over"  # the task has ended
    FETCH = "fetch"  # fetch the inputs, then move the task to the queue of tasks to render
    RENDER = "render"


@dataclass(frozen=True, kw_only=True)
class Start:
    """Take the task for this worker; its value is a ``Phase``."""

    name: str = "start"


@dataclass(frozen=True, kw_only=True)
class FinishFetch:
    """Move the task to the queue of tasks to render, for any worker."""

    name: str = "finish_fetch"


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


Step = Start | FinishFetch | RunStage | Settle | Abandon
