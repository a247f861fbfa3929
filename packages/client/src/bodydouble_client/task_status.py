"""The states of a task that the API shows."""

import enum


class TaskStatus(str, enum.Enum):
    """A task's state. A cancelled task is ``FAILED`` with a result code of its own."""

    PENDING = "pending"  # accepted and queued; credits reserved
    RUNNING = "running"  # a worker has it
    SUCCESS = "success"  # finished; credits charged
    FAILED = "failed"  # ended without a result; credits released

    __str__ = str.__str__  # as enum.StrEnum does, which Python 3.10 lacks


TERMINAL = frozenset({TaskStatus.SUCCESS, TaskStatus.FAILED})
