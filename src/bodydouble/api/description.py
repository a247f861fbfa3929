"""What the API's description says of answers, beside the fields of the good ones."""

from typing import Any

from pydantic import BaseModel

from bodydouble.api.answers import Envelope, ErrorEnvelope, Problem
from bodydouble.api.envelope import INVALID_MESSAGE, WRONG_INPUT

ERRORS: dict[int, tuple[str, list[dict[str, Any]]]] = {
    401: ("Missing or invalid key", [{"code": 401, "message": "Missing or invalid API key", "data": None}]),
    402: (
        "Insufficient credits; nothing was stored",
        [{"code": 402, "message": "Insufficient credits: 62.5 needed, 10 available", "data": None}],
    ),
    403: (
        "Key disabled, or not allowed to do this",
        [
            {"code": 403, "message": "This API key, or its account, is disabled", "data": None},
            {"code": 403, "message": "This API key may only read; this takes a key of scope 'all'", "data": None},
        ],
    ),
    404: ("Not found, or another account's", [{"code": 404, "message": "Task not found", "data": None}]),
    409: (
        "Something else is there: of an upload in pieces go on behind `Upload-Offset`",
        [
            {"code": 409, "message": "Upload-Offset: 4194304 bytes are here; send what follows them", "data": None},
            {"code": 409, "message": "This upload address was used already; ask for a new one.", "data": None},
        ],
    ),
    412: (
        "`Tus-Resumable` names another version of the protocol",
        [{"code": 412, "message": "Tus-Resumable: 1.0.0 is spoken here", "data": None}],
    ),
    415: (
        "The Content-Type is not that of a piece",
        [{"code": 415, "message": "Content-Type: has to be application/offset+octet-stream", "data": None}],
    ),
    422: (
        "Missing or wrong parameters; nothing was stored or charged",
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
        "Too many requests, or too many tasks at once",
        [{"code": 429, "message": "Too many tasks created: 120 a minute; try again in 0.5 s", "data": None}],
    ),
    500: ("Something of ours failed", [{"code": 500, "message": "Internal server error", "data": None}]),
    503: (
        "Code 455: under maintenance. Code 505: the model, renderer or feature is switched off or not available here",
        [
            {"code": 455, "message": "Under maintenance; new tasks are not taken", "data": None},
            {"code": 505, "message": "Switched off by the operator: renderer:wan", "data": None},
        ],
    ),
    507: (
        "No room for files",
        [{"code": 507, "message": "There is no room for files at the moment; try again later.", "data": None}],
    ),
}

_TEXT = {"type": "string"}
_REQUEST_ID = {"X-Request-Id": {"description": "Names the request in the log.", "schema": _TEXT}}
_RATES = {
    "RateLimit-Policy": {"description": 'The limit that the request counts against: `"reads";q=1200;w=60`.'},
    "RateLimit": {"description": 'What is left, and in how many seconds all is back: `"reads";r=1199;t=1`.'},
}
_RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}}

Responses = dict[int | str, dict[str, Any]]


def answers(data: type[BaseModel], *statuses: int, keyed: bool = True) -> Responses:
    """The answers of an endpoint: 200 with ``data``, the errors of every endpoint, and those of ``statuses``.

    ``keyed``: it asks for a key.
    """
    rates = {name: told | {"schema": _TEXT} for name, told in _RATES.items()} if keyed else {}
    good: Responses = {
        200: {"model": Envelope[data], "description": "Success", "headers": _REQUEST_ID | rates},
    }
    return good | errors(*{*((401, 403, 422, 429, 500) if keyed else (422, 500)), *statuses})


def errors(*statuses: int) -> Responses:
    """These errors, each as envelope and as problem."""
    return {status: _error(status) for status in sorted(statuses)}


def _error(status: int) -> dict[str, Any]:
    description, found = ERRORS[status]
    problems = [
        {"type": "about:blank", "title": description.split(";")[0], "status": status, "detail": e["message"]}
        | {name: e[name] for name in ("code", "errors") if name in e}
        for e in found
    ]
    return {
        "model": ErrorEnvelope,
        "description": description,
        "headers": _REQUEST_ID | (_RETRY if status in (429, 503) else {}),
        "content": {
            "application/json": {"examples": _named(found)},
            "application/problem+json": {"schema": Problem.model_json_schema(), "examples": _named(problems)},
        },
    }


def _named(examples: list[dict[str, Any]]) -> dict[str, Any]:
    return {f"{e['code']} {n}" if n else str(e["code"]): {"value": e} for n, e in enumerate(examples)}
