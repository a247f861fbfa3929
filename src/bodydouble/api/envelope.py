"""The envelope of every JSON response, and the table from a kind of error to its code and status."""

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse, Response

from bodydouble.service.document import to_json
from bodydouble.tasks.errors import (
    BodydoubleError,
    InsufficientCredits,
    InvalidParams,
    Kind,
    Maintenance,
    RateLimited,
    StorageFull,
    StorageUnavailable,
    Unauthenticated,
)

OUTAGE_RETRY_SECONDS = 2
_log = structlog.get_logger("bodydouble.api")

INVALID_MESSAGE = "Missing Params or Type Error"
WRONG_INPUT = "Value error, Invalid input for model {model}: "

# The envelope's code, then the HTTP status. Codes 455 and 505 have no HTTP status of the same meaning.
ERROR_CODES: Mapping[Kind, tuple[int, int]] = {
    Kind.UNKNOWN_CALLER: (401, 401),
    Kind.UNPAID: (402, 402),
    Kind.FORBIDDEN: (403, 403),
    Kind.MISSING: (404, 404),
    Kind.CONFLICT: (422, 422),
    Kind.TAKEN: (409, 409),
    Kind.INVALID: (422, 422),
    Kind.TOO_MANY: (429, 429),
    Kind.CLOSED: (455, 503),
    Kind.NOT_OFFERED: (505, 503),
    Kind.FULL: (507, 507),
    Kind.FAULT: (500, 500),
}
LOGGED_STATUSES = frozenset({500, 507})
"""Statuses logged as errors. A 503 is not: the operator switched something off, or it is not installed."""


PROBLEMS_MAX = 50
NAME_CHARACTERS_MAX = 100
"""A longer name of an unknown field is cut in the message."""
PROBLEM_MESSAGES: Mapping[str, str] = {
    "extra_forbidden": "Unknown field",
    "too_short": "must have at least {min_length} item, not {actual_length}",
    "too_long": "must have at most {max_length} item, not {actual_length}",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "string_type": "must be a text",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "url_type": "must be an http or https URL",
    "url_parsing": "must be an http or https URL",
    "url_syntax_violation": "must be an http or https URL",
    "url_scheme": "must be an http or https URL",
    "url_too_long": "must have at most {max_length} characters",
}
"""Texts instead of pydantic's own, by its error type. Other types keep pydantic's text."""


class EnvelopeResponse(JSONResponse):
    """A JSON response that writes exact decimals."""

    def __init__(
        self,
        content: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/json",
    ) -> None:
        # Replaces the base class's initialiser, which is general and slower than building the response here.
        self.status_code, self.media_type, self.background = status_code, media_type, None
        self.body = to_json(content)
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), (b"content-type", media_type.encode())]
        if headers:
            self.raw_headers += [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()]


def success(data: object) -> Response:
    """A 200 envelope around ``data``. FastAPI's own encoder would turn exact decimals into strings."""
    return EnvelopeResponse({"code": 200, "message": "success", "data": data})


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
        return EnvelopeResponse(
            problem | members | {"code": code},
            status_code=status,
            media_type="application/problem+json",
            headers=headers,
        )
    body: dict[str, Any] = {"code": code, "message": message, "data": None}
    if errors is not None:
        body["errors"] = errors
    return EnvelopeResponse(body, status_code=status, headers=headers)


def error_response(request: Request, error: BodydoubleError) -> Response:
    """The response to a domain error."""
    code, status = ERROR_CODES[error.kind]
    if error.rate is not None or isinstance(error, Unauthenticated):
        request.state.rate = error.rate
    if status in LOGGED_STATUSES:
        _log.error("failed", reason=error.reason, message=error.message)
    if isinstance(error, InvalidParams):
        return failure(request, code, INVALID_MESSAGE, status, error.problems)
    if code == 422:
        model = error.fields.get("model")
        text = f"{WRONG_INPUT.format(model=model)}{error.message}" if model else error.message
        return failure(request, code, INVALID_MESSAGE, status, [text])
    message, members = error.message, dict[str, object]()
    if isinstance(error, StorageFull):
        message = "The service has no storage space for files at the moment; try again later."
    elif status == 500:
        message = "The service is temporarily unavailable; try again."
    elif isinstance(error, InsufficientCredits):
        members = {"needed": error.fields.get("needed"), "available": error.fields.get("balance")}
    return failure(request, code, message, status, None, _retry_after(error), **members)


def _retry_after(error: BodydoubleError) -> dict[str, str] | None:
    match error:
        case RateLimited() | Maintenance():
            seconds = error.retry_seconds
        case StorageUnavailable():
            seconds = OUTAGE_RETRY_SECONDS
        case _:
            return None
    return {"retry-after": str(max(math.ceil(seconds), 1))}


def describe_problems(model: str | None, problems: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each of pydantic's errors, at most ``PROBLEMS_MAX``, in the frame that clients expect."""
    prefix = WRONG_INPUT.format(model=model) if model else ""
    lines = [f"{prefix}{_describe_problem(problem)}" for problem in problems[:PROBLEMS_MAX]]
    if len(problems) > PROBLEMS_MAX:
        lines.append(f"{prefix}{len(problems) - PROBLEMS_MAX} more problems")
    return lines


def _describe_problem(problem: Mapping[str, Any]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part[:NAME_CHARACTERS_MAX]}" for part in problem["loc"])
    path = "".join(parts).lstrip(".")
    message = PROBLEM_MESSAGES.get(problem["type"])
    text = message.format_map(problem.get("ctx", {})) if message else str(problem["msg"]).removeprefix("Value error, ")
    return f"{path}: {text}" if path else text
