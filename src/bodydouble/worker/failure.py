"""Why a task ends without a result: what its owner is told, and with which code."""

from typing import Any

from bodydouble.tasks.errors import (
    BodydoubleError,
    Cancelled,
    InputRejected,
    InsufficientCredits,
    InvalidParams,
    NotFound,
)
from bodydouble.tasks.task import CANCELLED, ResultCode

UNEXPECTED = (
    "The task failed inside the service and was not charged. Create it again; "
    "if it happens again, give the operator this task's id."
)
"""All that a caller learns of a fault of ours; the stack trace is in the log, under the task's id."""


OVERDUE = (
    "The task was not done by its deadline, so it was given up and not charged. Create it again; "
    "if the service is busy, later."
)


class TaskLost(Exception):
    """The task is over, or another worker has it: nothing that is done here counts any more."""


class TaskFailure(Exception):
    """Ends the task; the message is for its owner."""

    def __init__(self, code: ResultCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @classmethod
    def of(cls, error: BaseException) -> "TaskFailure":
        """What ``error`` means for the task's owner."""
        match error:
            case TaskFailure():
                return error
            case InputRejected() | InvalidParams() | NotFound():
                return cls(ResultCode.INVALID_INPUT, error.message)
            case InsufficientCredits():
                return cls(ResultCode.INSUFFICIENT_CREDITS, error.message)
            case Cancelled():
                return cls(CANCELLED.code, CANCELLED.message)
            case BodydoubleError():
                return cls(ResultCode.GENERATION_FAILED, error.message)
            case _:
                return cls(ResultCode.GENERATION_FAILED, UNEXPECTED)

    def to_json(self) -> dict[str, Any]:
        """As it is kept between steps; ``from_json`` brings it back."""
        return {"code": int(self.code), "message": self.message}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TaskFailure":
        """The failure that ``to_json`` wrote."""
        return cls(ResultCode(data["code"]), str(data["message"]))
