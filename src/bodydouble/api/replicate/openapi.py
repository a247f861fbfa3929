"""OpenAPI descriptions of Replicate's routes."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

SECURITY: list[dict[str, Any]] = [{"BearerAuth": []}]
SECURITY_SCHEMES: dict[str, Any] = {"BearerAuth": {"type": "http", "scheme": "bearer", "description": "Your API key."}}
ALWAYS = (401, 403, 422, 429, 500, 503)
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["title", "detail", "status"],
    "properties": {
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "status": {"type": "integer"},
        "type": {"type": "string"},
    },
}


def describe(
    success: str,
    *statuses: int,
    status: int = 200,
    query: Sequence[str] = (),
    body: dict[str, Any] | None = None,
    media_type: str = "application/json",
) -> dict[str, Any]:
    """Arguments of a route: its responses, its query parameters and the schema of its body."""
    responses: dict[int | str, Any] = {status: {"description": success}}
    if status != 204:
        responses[status]["content"] = {"application/json": {"schema": {"type": "object"}}}
    for other in sorted({*ALWAYS, *statuses}):
        content = {"application/problem+json": {"schema": _PROBLEM}}
        responses[other] = {"description": HTTPStatus(other).phrase, "content": content}
    extra: dict[str, Any] = {"security": SECURITY}
    if query:
        extra["parameters"] = [
            {"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in query
        ]
    if body is not None:
        extra["requestBody"] = {"required": True, "content": {media_type: {"schema": body}}}
    return {"responses": responses, "openapi_extra": extra, "status_code": status}
