"""Responses to domain errors, as far as they are the same in every dialect: status, text, ``Retry-After``, log line."""

import math
from collections.abc import Mapping

import structlog
from fastapi import Request

from bodydouble.api.field_names import FieldNames
from bodydouble.tasks.errors import (
    BodydoubleError,
    InvalidParams,
    Kind,
    Maintenance,
    RateLimited,
    StorageFull,
    StorageUnavailable,
    Unauthenticated,
)

OUTAGE_RETRY_SECONDS = 2
"""``Retry-After`` of a response while the database or the file store is unavailable."""
STATUSES: Mapping[Kind, int] = {
    Kind.UNKNOWN_CALLER: 401,
    Kind.UNPAID: 402,
    Kind.FORBIDDEN: 403,
    Kind.MISSING: 404,
    Kind.CONFLICT: 422,
    Kind.TAKEN: 409,
    Kind.INVALID: 422,
    Kind.TOO_MANY: 429,
    Kind.CLOSED: 503,
    Kind.NOT_OFFERED: 503,
    Kind.FULL: 507,
    Kind.FAULT: 500,
}
"""HTTP statuses. A dialect may translate them further."""
LOGGED_STATUSES = frozenset({500, 507})
"""Statuses logged as errors. A 503 is not: the operator switched something off, or it is not installed."""
_log = structlog.get_logger("bodydouble.api")


def note_error(request: Request, error: BodydoubleError) -> int:
    """The status of the response to ``error``. Reports its rate limit in the headers, and logs internal errors."""
    status = STATUSES[error.kind]
    if error.rate is not None or isinstance(error, Unauthenticated):
        request.state.rate = error.rate
    if status in LOGGED_STATUSES:
        _log.error("failed", reason=error.reason, message=error.message)
    return status


def public_message(error: BodydoubleError) -> str:
    """The text for clients, without internal details."""
    if isinstance(error, StorageFull):
        return "The service has no storage space for files at the moment; try again later."
    if STATUSES[error.kind] == 500:
        return "The service is temporarily unavailable; try again."
    return error.message


def vendor_message(error: BodydoubleError, fields: FieldNames) -> str:
    """The text for clients with a vendor's names of fields, in one line for all problems of the input."""
    texts = error.problems if isinstance(error, InvalidParams) else [public_message(error)]
    return "; ".join(fields.translate(text) for text in texts)


def retry_headers(error: BodydoubleError) -> dict[str, str] | None:
    """``Retry-After``, for errors that pass."""
    match error:
        case RateLimited() | Maintenance():
            seconds = error.retry_seconds
        case StorageUnavailable():
            seconds = OUTAGE_RETRY_SECONDS
        case _:
            return None
    return {"retry-after": str(max(math.ceil(seconds), 1))}
