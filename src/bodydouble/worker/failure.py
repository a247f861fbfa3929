"""Why a task ends without a result: the code and the message for its owner."""

from typing import Any

from bodydouble.tasks.errors import (
    BodydoubleError,
    Cancelled,
    InputRejected,
    InsufficientCredits,
    InvalidParams,
    Kind,
    NotFound,
    RendererUnavailable,
)
from bodydouble.tasks.task import CANCELLED, ResultCode

UNEXPECTED = (
    "The task failed inside the service and was not charged. Create it again; "
    "if it happens again, give the operator this task's id."
)
"""The message for an internal fault. The log has its own message and the stack trace, under the task's id. Those may
name folders and settings of the server, which clients must not see.
"""

OVERDUE = (
    "The task was not done by its deadline, so it was stopped and not charged. Create it again; "
    "if the service is busy, later."
)


class TaskLost(Exception):
    """The task is over, or another worker has it: stop working on it."""


class TaskFailure(Exception):
    """Ends the task; the message is for its owner."""

    def __init__(self, code: ResultCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @classmethod
    def of(cls, error: BaseException) -> "TaskFailure":
        """The failure that ``error`` means for the task's owner."""
        match error:
            case TaskFailure():
                return error
            case InputRejected() | InvalidParams() | NotFound():
                return cls(ResultCode.INVALID_INPUT, error.message)
            case InsufficientCredits():
                return cls(ResultCode.INSUFFICIENT_CREDITS, error.message)
            case Cancelled():
                return cls(CANCELLED.code, CANCELLED.message)
            case RendererUnavailable():
                return cls(ResultCode.GENERATION_FAILED, error.client_message)
            case BodydoubleError() if error.kind not in (Kind.FAULT, Kind.FULL):
                return cls(ResultCode.GENERATION_FAILED, error.message)
            case _:
                return cls(ResultCode.GENERATION_FAILED, UNEXPECTED)

    def to_json(self) -> dict[str, Any]:
        """The failure as JSON, as a workflow stores it."""
        return {"code": int(self.code), "message": self.message}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TaskFailure":
        """The failure that ``to_json`` wrote."""
        return cls(ResultCode(data["code"]), str(data["message"]))
