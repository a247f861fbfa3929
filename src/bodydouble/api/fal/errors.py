"""fal's format of errors."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.errors import note_error, public_message, retry_headers
from bodydouble.api.fal.documents import detail
from bodydouble.api.json_response import JsonResponse
from bodydouble.tasks.errors import BodydoubleError, InsufficientCredits, InvalidParams

ERROR_TYPE = "x-fal-error-type"


def error_response(request: Request, error: BodydoubleError) -> Response:
    """The response to a domain error: problems with fields as a list, anything else as a text."""
    status, headers = note_error(request, error), retry_headers(error) or {}
    if status == 422:
        problems = error.problems if isinstance(error, InvalidParams) else [error.message]
        body: object = {"detail": [detail(problem, "value_error") for problem in problems]}
        return JsonResponse(body, status_code=status, headers=headers | {ERROR_TYPE: "value_error"})
    message = public_message(error)
    if isinstance(error, InsufficientCredits):  # fal has this status and these words, which programs look for
        status, message = 403, f"User is locked. Reason: Exhausted balance. {message}"
    return JsonResponse({"detail": message}, status_code=status, headers=headers | {ERROR_TYPE: error.reason})


def http_error(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The response to an error that is no domain error."""
    return JsonResponse({"detail": message}, status_code=status, headers=headers)
