"""The dialect's format of errors."""

from collections.abc import Mapping

import structlog
from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.dashscope.models import FIELDS
from bodydouble.api.errors import note_error, retry_headers, vendor_message
from bodydouble.api.json_response import JsonResponse
from bodydouble.tasks.errors import BodydoubleError, Kind, NotFound, StorageUnavailable

CODES: Mapping[Kind, tuple[int, str]] = {
    Kind.UNKNOWN_CALLER: (401, "InvalidApiKey"),
    Kind.UNPAID: (400, "Arrearage"),
    Kind.FORBIDDEN: (403, "AccessDenied"),
    Kind.MISSING: (404, "NotFound"),
    Kind.CONFLICT: (400, "UnsupportedOperation"),
    Kind.TAKEN: (409, "InvalidParameter"),
    Kind.INVALID: (400, "InvalidParameter"),
    Kind.TOO_MANY: (429, "Throttling.RateQuota"),
    Kind.CLOSED: (503, "ServiceUnavailable"),
    Kind.NOT_OFFERED: (503, "ServiceUnavailable"),
    Kind.FULL: (503, "ServiceUnavailable"),
    Kind.FAULT: (500, "InternalError"),
}
"""Status and code of each kind of error."""
HTTP_CODES: Mapping[int, str] = {404: "NotFound", 500: "InternalError"}
UNKNOWN_MODEL = "Model.NotExist"


def request_id() -> str:
    """The id of the current request, also in the header ``X-Request-Id``."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def success(**members: object) -> Response:
    """A 200 response with these members and the request's id."""
    return JsonResponse({"request_id": request_id(), **members})


def error_response(request: Request, error: BodydoubleError) -> Response:
    """The response to a domain error. Our field names become the vendor's."""
    note_error(request, error)
    status, code = CODES[error.kind]
    if isinstance(error, StorageUnavailable):
        status, code = 503, "ServiceUnavailable"  # the SDK repeats a poll after 503 and fails after 500
    elif isinstance(error, NotFound) and "model" in error.fields:
        code = UNKNOWN_MODEL
    return _failure(status, code, vendor_message(error, FIELDS), retry_headers(error))


def http_error(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The response to an error that is no domain error, such as an unknown path."""
    return _failure(status, HTTP_CODES.get(status, "InvalidParameter"), message, headers)


def _failure(status: int, code: str, message: str, headers: Mapping[str, str] | None) -> Response:
    body = {"request_id": request_id(), "code": code, "message": message}
    return JsonResponse(body, status_code=status, headers=headers)
