"""Dialects: the APIs of other services in which clients can ask for tasks."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bodydouble.tasks.task import Task

PARAM_KEY = "dialect"
"""Field of a task's ``param`` with its ``DialectRequest``. A request in crun's own dialect cannot have it."""


START_TIMEOUT = "start_timeout_seconds"
"""Option of a request: number of seconds after which a task that has not started is cancelled."""


class DialectName(enum.StrEnum):
    """The dialects, by the names that settings and stored tasks use."""

    CRUN = "crun"  # our own; all others are translated to it
    FAL = "fal"
    REPLICATE = "replicate"
    DASHSCOPE = "dashscope"
    KIE = "kie"
    WAVESPEED = "wavespeed"


@dataclass(frozen=True, kw_only=True)
class DialectRequest:
    """The vendor's side of a request in another dialect than crun's, stored with its task."""

    name: DialectName
    model: str  # the vendor's name of it
    input: Mapping[str, Any]  # as sent, without the addresses of its files: the task has them
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])  # other than the input, such as webhook events

    def as_json(self) -> dict[str, Any]:
        """The value of ``PARAM_KEY``."""
        # Not ``dataclasses.asdict``, which copies every value: a fifth of the time that a create takes.
        return {"name": self.name.value, "model": self.model, "input": dict(self.input), "options": dict(self.options)}


def dialect_request(task: Task) -> DialectRequest | None:
    """The request of a task that was asked for in another dialect than crun's, else None."""
    stored: Mapping[str, Any] | None = task.param.get(PARAM_KEY)
    if stored is None:
        return None
    return DialectRequest(
        name=DialectName(stored["name"]), model=stored["model"], input=stored["input"], options=stored["options"]
    )
