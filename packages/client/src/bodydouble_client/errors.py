"""Errors about requests to the service: one tree under ``ClientError``. Errors of tasks: ``task_errors``.

Mistakes in local input (a path without a file, a stream opened as text) are Python's own errors: FileNotFoundError,
TypeError, ValueError.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

Code = int | None


class ClientError(Exception):
    """Base class of every error that this client raises about the service.

    Attributes:
        code: the envelope's code, else the HTTP status; None if no answer arrived.
        message: the service's message, for people.
        request_id: identifies the request in the service's log; quote it when you ask for help.
        retryable: sending the same request again may succeed. The client has already tried ``max_retries`` times.
        retry_after: seconds that the service asked to wait, or None.
    """

    retryable = False
    retry_after: float | None = None

    def __init__(self, message: str, *, code: Code = None, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message, self.code, self.request_id = message, code, request_id

    def __str__(self) -> str:
        details = [f"code {self.code}" if self.code else "", f"request {self.request_id}" if self.request_id else ""]
        shown = ", ".join(detail for detail in details if detail)
        return f"{self._text()} ({shown})" if shown else self._text()

    def _text(self) -> str:
        return self.message


class ConnectionFailed(ClientError):
    """No complete answer: the service is unreachable, stopped sending, or closed the connection."""

    retryable = True


class AuthenticationError(ClientError):
    """The key is missing, unknown or expired (401), or disabled or not allowed to do this (403)."""


class InsufficientCredits(ClientError):
    """The balance is too low (402). Nothing was created or charged."""


class NotFound(ClientError):
    """No such task or model in this account (404)."""


class InvalidRequest(ClientError):
    """The service rejects the request (422).

    Attributes:
        errors: one line for each problem; each names the field and the limit.
    """

    errors: Sequence[str] = ()

    def _text(self) -> str:
        return f"{self.message}: {'; '.join(self.errors)}" if self.errors else self.message


class RateLimited(ClientError):
    """Too many requests or running tasks (429); ``retry_after`` is the wait in seconds."""

    retryable = True


class Maintenance(ClientError):
    """The service accepts no new work at present (455). Existing tasks continue and can be read."""

    retryable = True


class FeatureUnavailable(ClientError):
    """The feature is switched off (505), or the service does not have this endpoint."""


class ServerError(ClientError):
    """The service failed (5xx), or its answer does not follow the API."""


class TransferFailed(ClientError):
    """The file store refused an upload or a download."""


class InvalidWebhook(ClientError):
    """A callback without a valid signature, too old, or without a task. Answer it with 400."""


RETRY_STATUSES = frozenset({429, 455, 502, 503, 504})
REFUSED_CODES = frozenset({429, 455})
"""The service refused before it did anything: safe to repeat, also for requests that are not idempotent."""
IN_FLIGHT_STATUS = 409
"""Another request with the same Idempotency-Key is still being answered; the retry gets its answer."""

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
    code: int,
    message: str,
    *,
    status: int,
    errors: Sequence[str] = (),
    request_id: str | None,
    retry_after_seconds: float | None,
) -> ClientError:
    """The error for an answer with the envelope's ``code`` and the HTTP ``status``."""
    kind = _CLASSES.get(code)
    if kind is None:
        kind = ServerError if code >= 500 or code < 400 else InvalidRequest
    error = kind(message, code=code, request_id=request_id)
    error.retry_after = retry_after_seconds
    retry_requested = isinstance(error, ServerError) and status >= 500 and retry_after_seconds is not None
    error.retryable = code in RETRY_STATUSES or status == IN_FLIGHT_STATUS or retry_requested
    if isinstance(error, InvalidRequest):
        error.errors = tuple(errors)
    return error


def error_lines(value: Any) -> tuple[str, ...]:
    """An envelope's ``errors`` as text; empty if the field is not a list."""
    return tuple(map(str, cast("list[Any]", value))) if isinstance(value, list | tuple) else ()
