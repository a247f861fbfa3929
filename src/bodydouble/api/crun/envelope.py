"""The envelope of every JSON response, and the codes of errors."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.errors import note_error, public_message, retry_headers
from bodydouble.api.json_response import JsonResponse
from bodydouble.tasks.errors import BodydoubleError, InsufficientCredits, InvalidParams, Kind

INVALID_MESSAGE = "Missing Params or Type Error"
WRONG_INPUT = "Value error, Invalid input for model {model}: "

CODES: Mapping[Kind, int] = {Kind.CLOSED: 455, Kind.NOT_OFFERED: 505}
"""Codes of the envelope that differ from the HTTP status: these two have no HTTP status of the same meaning."""


def success(data: object, headers: Mapping[str, str] | None = None) -> Response:
    """A 200 envelope around ``data``."""
    return JsonResponse({"code": 200, "message": "success", "data": data}, headers=headers)


def failure(
    request: Request,
    code: int,
    message: str,
    status: int,
    errors: list[str] | None = None,
    headers: Mapping[str, str] | None = None,
    **members: object,
) -> Response:
    """An error response: an envelope, or an RFC 9457 problem with ``members`` if the client accepts one."""
    if "application/problem+json" in request.headers.get("accept", ""):
        title = HTTPStatus(status).phrase
        problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": message}
        if errors:
            problem["errors"] = errors
        return JsonResponse(
            problem | members | {"code": code},
            status_code=status,
            media_type="application/problem+json",
            headers=headers,
        )
    body: dict[str, Any] = {"code": code, "message": message, "data": None}
    if errors is not None:
        body["errors"] = errors
    return JsonResponse(body, status_code=status, headers=headers)


def error_response(request: Request, error: BodydoubleError) -> Response:
    """The response to a domain error."""
    status = note_error(request, error)
    code = CODES.get(error.kind, status)
    if isinstance(error, InvalidParams):
        return failure(request, code, INVALID_MESSAGE, status, error.problems)
    if code == 422:
        model = error.fields.get("model")
        text = f"{WRONG_INPUT.format(model=model)}{error.message}" if model else error.message
        return failure(request, code, INVALID_MESSAGE, status, [text])
    members = dict[str, object]()
    if isinstance(error, InsufficientCredits):
        members = {"needed": error.fields.get("needed"), "available": error.fields.get("balance")}
    return failure(request, code, public_message(error), status, None, retry_headers(error), **members)


def http_error(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The response to an error that is no domain error, such as an unknown path."""
    return failure(request, status, message, status, headers=headers)
