"""The dialect's format of responses and errors."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.errors import note_error, retry_headers, vendor_message
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.wavespeed.names import FIELDS
from bodydouble.tasks.errors import BodydoubleError


def success(data: object) -> Response:
    """A 200 response with ``data``."""
    return JsonResponse({"code": 200, "message": "success", "data": data})


def error_response(request: Request, error: BodydoubleError) -> Response:
    """The response to a domain error. Our field names become the vendor's."""
    status = note_error(request, error)
    if status == 422:
        status = 400
    return _failure(status, vendor_message(error, FIELDS), retry_headers(error))


def http_error(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The response to an error that is no domain error, such as an unknown path."""
    return _failure(status, message, headers)


def _failure(status: int, message: str, headers: Mapping[str, str] | None) -> Response:
    return JsonResponse({"code": status, "message": message, "data": None}, status_code=status, headers=headers)
