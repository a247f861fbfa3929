"""Replicate's format of errors: problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.errors import note_error, public_message, retry_headers
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.replicate.names import FIELDS
from bodydouble.tasks.errors import BodydoubleError, InvalidParams


def error_response(request: Request, error: BodydoubleError) -> Response:
    """The response to a domain error. Problems with inputs are listed in ``invalid_fields`` too."""
    status = note_error(request, error)
    if status != 422:
        return _problem(status, public_message(error), retry_headers(error))
    problems = error.problems if isinstance(error, InvalidParams) else [error.message]
    split = [FIELDS.split(problem) for problem in problems]
    fields = [{"type": "value_error", "field": field, "description": text} for field, text in split if field]
    detail = "\n".join(f"- {field}: {text}" if field else f"- {text}" for field, text in split)
    return _problem(status, detail, title="Input validation failed", invalid_fields=fields)


def http_error(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The response to an error that is no domain error."""
    return _problem(status, message, headers)


def _problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, title: str = "", **members: object
) -> Response:
    body = {"title": title or HTTPStatus(status).phrase, "detail": detail, "status": status, "type": "about:blank"}
    return JsonResponse(body | members, status_code=status, headers=headers, media_type="application/problem+json")
