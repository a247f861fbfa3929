"""The dialect's format of responses and errors."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.errors import note_error, retry_headers, vendor_message
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.kie.names import FIELDS
from bodydouble.tasks.errors import BodydoubleError, Kind

CODES: Mapping[Kind, int] = {Kind.CLOSED: 455, Kind.NOT_OFFERED: 505, Kind.FULL: 500}
"""Codes that differ from the HTTP status."""


def success(data: object, **members: object) -> Response:
    """A 200 response with ``data``."""
    return JsonResponse({"code": 200, "msg": "success", **members, "data": data})


def error_response(request: Request, error: BodydoubleError) -> Response:
    """The response to a domain error. Our field names become the vendor's."""
    status = note_error(request, error)
    return _failure(CODES.get(error.kind, status), vendor_message(error, FIELDS), status, retry_headers(error))


def http_error(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The response to an error that is no domain error, such as an unknown path."""
    return _failure(status, message, status, headers)


def _failure(code: int, message: str, status: int, headers: Mapping[str, str] | None) -> Response:
    return JsonResponse({"code": code, "msg": message, "data": None}, status_code=status, headers=headers)
