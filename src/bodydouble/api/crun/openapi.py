"""OpenAPI descriptions of responses: the headers of all of them, and every error with examples."""

from typing import Any

from pydantic import BaseModel

from bodydouble.api.crun.envelope import INVALID_MESSAGE, WRONG_INPUT
from bodydouble.api.crun.response_models import Envelope, ErrorEnvelope

CREATE_TASK = "CreateTask"
"""Name of the schema of CreateTask's body."""
PROBLEM = "#/components/schemas/Problem"

ERRORS: dict[int, tuple[str, list[dict[str, Any]]]] = {
    401: ("Missing or invalid key", [{"code": 401, "message": "Missing or invalid API key", "data": None}]),
    402: (
        "Insufficient credits; no task was created",
        [{"code": 402, "message": "Insufficient credits: 62.5 needed, 10 available", "data": None}],
    ),
    403: (
        "The key is disabled or lacks the required scope",
        [
            {"code": 403, "message": "This API key, or its account, is disabled", "data": None},
            {"code": 403, "message": "This API key may only read; use a key of scope 'all'", "data": None},
        ],
    ),
    404: ("Not found, or owned by another account", [{"code": 404, "message": "Task not found", "data": None}]),
    409: (
        "Conflict with the stored upload; a resumable upload continues at `Upload-Offset`",
        [
            {
                "code": 409,
                "message": "Upload-Offset: 4194304 bytes have been received; send what follows them",
                "data": None,
            },
            {"code": 409, "message": "This upload address has been used; request a new one.", "data": None},
        ],
    ),
    412: (
        "`Tus-Resumable` names an unsupported protocol version",
        [{"code": 412, "message": "Tus-Resumable: only version 1.0.0 is supported", "data": None}],
    ),
    415: (
        "The Content-Type is not that of a tus PATCH request",
        [{"code": 415, "message": "Content-Type: must be application/offset+octet-stream", "data": None}],
    ),
    422: (
        "Missing or invalid parameters; nothing was stored or charged",
        [
            {
                "code": 422,
                "message": INVALID_MESSAGE,
                "data": None,
                "errors": [
                    WRONG_INPUT.format(model="wan/2-2-animate-replace")
                    + "resolution: Input should be '480P', '580P' or '720P'"
                ],
            }
        ],
    ),
    429: (
        "Too many requests, or too many unfinished tasks",
        [
            {
                "code": 429,
                "message": "Too many tasks created: the limit is 120 a minute; try again in 0.5 s",
                "data": None,
            }
        ],
    ),
    500: ("Internal error of the service", [{"code": 500, "message": "Internal server error", "data": None}]),
    503: (
        "Code 455: maintenance. Code 505: the model, renderer or feature is switched off or not available here",
        [
            {"code": 455, "message": "Under maintenance; new tasks are not accepted", "data": None},
            {"code": 505, "message": "Switched off by the operator: renderer:wan", "data": None},
        ],
    ),
    507: (
        "No storage space for files",
        [
            {
                "code": 507,
                "message": "The service has no storage space for files at the moment; try again later.",
                "data": None,
            }
        ],
    ),
}

_TEXT = {"type": "string"}
_REQUEST_ID = {"X-Request-Id": {"description": "Id of the request in the log.", "schema": _TEXT}}
_RATES = {
    "RateLimit-Policy": {
        "description": 'The rate limit that the request counts against, such as `"reads";q=1200;w=60`.'
    },
    "RateLimit": {
        "description": 'Requests left, and seconds until the full limit is available, such as `"reads";r=1199;t=1`.'
    },
}
_RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}}

Responses = dict[int | str, dict[str, Any]]


def responses(data: type[BaseModel], *statuses: int, keyed: bool = True) -> Responses:
    """The responses of an endpoint: 200 with ``data``, the errors common to all endpoints, and those of ``statuses``.

    ``keyed``: the endpoint requires an API key.
    """
    rates = {name: header | {"schema": _TEXT} for name, header in _RATES.items()} if keyed else {}
    success: Responses = {
        200: {"model": Envelope[data], "description": "Success", "headers": _REQUEST_ID | rates},
    }
    return success | error_responses(*{*((401, 403, 422, 429, 500) if keyed else (422, 500)), *statuses})


def error_responses(*statuses: int) -> Responses:
    """The responses of these errors, each as envelope and as RFC 9457 problem."""
    return {status: _error_response(status) for status in sorted(statuses)}


def _error_response(status: int) -> dict[str, Any]:
    description, envelopes = ERRORS[status]
    problems = [
        {"type": "about:blank", "title": description.split(";")[0], "status": status, "detail": e["message"]}
        | {name: e[name] for name in ("code", "errors") if name in e}
        for e in envelopes
    ]
    return {
        "model": ErrorEnvelope,
        "description": description,
        "headers": _REQUEST_ID | (_RETRY if status in (429, 503) else {}),
        "content": {
            "application/json": {"examples": _named(envelopes)},
            "application/problem+json": {"schema": {"$ref": PROBLEM}, "examples": _named(problems)},
        },
    }


def _named(examples: list[dict[str, Any]]) -> dict[str, Any]:
    return {f"{e['code']} {n}" if n else str(e["code"]): {"value": e} for n, e in enumerate(examples)}
