"""What can go wrong between a program and the service: one tree under ``ClientError``.

Local mistakes (a path that is no file, a stream opened as text) are Python's own errors: FileNotFoundError,
TypeError, ValueError.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bodydouble.client.task_info import TaskInfo

Code = int | None


class ClientError(Exception):
    """Base of everything that this client raises about the service.

    Attributes:
        code: the envelope's code, else the HTTP status; None where no answer came.
        message: what the service said, for people.
        request_id: names the request in the service's log; quote it when you ask for help.
        retryable: sending the same again may work. The client has done so ``max_retries`` times already.
        retry_after: seconds that the service asked to wait, or None.
    """

    retryable = False
    retry_after: float | None = None

    def __init__(self, message: str, *, code: Code = None, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message, self.code, self.request_id = message, code, request_id

    def __str__(self) -> str:
        marks = [f"code {self.code}" if self.code else "", f"request {self.request_id}" if self.request_id else ""]
        shown = ", ".join(mark for mark in marks if mark)
        return f"{self._text()} ({shown})" if shown else self._text()

    def _text(self) -> str:
        return self.message


class ConnectionFailed(ClientError):
    """No answer: the service cannot be reached, fell silent, or broke off in the middle."""

    retryable = True


class AuthenticationError(ClientError):
    """The key is missing, unknown or expired (401), or disabled or not allowed to do this (403)."""


class InsufficientCredits(ClientError):
    """The balance does not reach (402); nothing was created and nothing charged."""


class NotFound(ClientError):
    """No such task or model, or not this account's (404)."""


class InvalidRequest(ClientError):
    """The service refuses the request as it stands (422).

    Attributes:
        errors: one line for each problem; each names the field and the limit.
    """

    errors: Sequence[str] = ()

    def _text(self) -> str:
        return f"{self.message}: {'; '.join(self.errors)}" if self.errors else self.message


class RateLimited(ClientError):
    """Too many requests or running tasks (429); ``retry_after`` says for how long."""

    retryable = True


class Maintenance(ClientError):
    """The service takes no new work for the moment (455); tasks already made go on and can be read."""

    retryable = True


class FeatureUnavailable(ClientError):
    """Switched off there (505), or an endpoint that this service does not have."""


class ServerError(ClientError):
    """The service failed (5xx), or its answer is none of its API."""


class TransferFailed(ClientError):
    """A file could not be brought to the file store, or a result could not be fetched from it."""


class InvalidWebhook(ClientError):
    """A callback that the service did not sign, that is too old, or that is no task. Answer it with 400."""


class TaskFailed(ClientError):
    """The task ended without a result; nothing was charged.

    Attributes:
        code: the result's: 501 generation failed, 422 the media cannot be used, 402 the exact price is more than the
            balance, 499 cancelled.
        task: the task as it ended.
    """

    task: "TaskInfo"


class TaskCancelled(TaskFailed):
    """The task was cancelled (499), here or by somebody else with the account's key."""


class WaitTimeout(ClientError, TimeoutError):
    """``timeout`` seconds went by before the task was over. It goes on: ``client.task(error.task_id)`` finds it again.

    Attributes:
        task_id: of the task waited for.
    """

    task_id: str


RETRY_STATUSES = frozenset({429, 455, 502, 503, 504})
NOT_DONE = frozenset({429, 455})  # refused before anything was made: safe to repeat, whatever it was
IN_FLIGHT = 409  # the same Idempotency-Key is being answered this very moment: the retry gets that answer

_CLASSES: Mapping[int, type[ClientError]] = {
    401: AuthenticationError,
    402: InsufficientCredits,
    403: AuthenticationError,
    404: NotFound,
    429: RateLimited,
    455: Maintenance,
    501: ServerError,
    505: FeatureUnavailable,
}


def error_for(
    code: int, message: str, *, status: int, errors: Sequence[str] = (), request_id: str | None, after: float | None
) -> ClientError:
    """The error that an answer stands for: ``code`` of the envelope, ``status`` of HTTP."""
    kind = _CLASSES.get(code)
    if kind is None:
        kind = ServerError if code >= 500 or code < 400 else InvalidRequest
    error = kind(message, code=code, request_id=request_id)
    error.retry_after = after
    invited = isinstance(error, ServerError) and status >= 500 and after is not None
    error.retryable = code in RETRY_STATUSES or status == IN_FLIGHT or invited
    if isinstance(error, InvalidRequest):
        error.errors = tuple(errors)
    return error


def task_error(task: "TaskInfo") -> TaskFailed:
    """The error that a failed task stands for."""
    code = task.result_code
    kind = TaskCancelled if code == 499 else TaskFailed
    error = kind(task.result_message or "The task failed without a reason", code=code)
    error.task = task
    return error


def as_lines(value: Any) -> tuple[str, ...]:
    """An envelope's ``errors``, whatever stands there."""
    return tuple(str(line) for line in value) if isinstance(value, list | tuple) else ()
