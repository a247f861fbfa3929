"""OpenAPI descriptions of fal's routes."""

from collections.abc import Sequence
from typing import Any

from bodydouble.api.fal.models import AnimateInput

STATUSES = {
    400: "Not in this state",
    401: "Missing or invalid key",
    403: "The key may not do this, or the balance is too low",
    404: "Not found",
    409: "Taken",
    422: "Invalid input",
    429: "Too many requests",
    499: "The request was cancelled",
    500: "Internal error, or the video could not be made",
    503: "Not available at the moment",
    504: "The request did not start in time",
    507: "No storage space",
}
ALWAYS = (401, 403, 422, 429, 500, 503)
SECURITY: list[dict[str, Any]] = [{"FalKey": []}]
SECURITY_SCHEMES: dict[str, Any] = {
    "FalKey": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Key ` and your API key"}
}
_OBJECT: dict[str, Any] = {"type": "object"}
_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]}},
}


def endpoint_name(endpoint: str) -> str:
    """The last part of an endpoint, for ids of operations."""
    return endpoint.rsplit("/", 1)[-1]


def describe(
    success: str,
    *statuses: int,
    status: int = 200,
    query: Sequence[str] = (),
    media_type: str = "application/json",
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Arguments of a route: its responses, its query parameters and the schema of its body."""
    content = {media_type: {"schema": {"type": "string"} if media_type == "text/event-stream" else _OBJECT}}
    responses: dict[int | str, Any] = {status: {"description": success, "content": content}}
    for other in sorted({*ALWAYS, *statuses}):
        responses[other] = {"description": STATUSES[other], "content": {"application/json": {"schema": _ERROR}}}
    extra: dict[str, Any] = {"security": SECURITY}
    parameters = [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in query]
    if parameters:
        extra["parameters"] = parameters
    if body is not None:
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return {"responses": responses, "openapi_extra": extra, "status_code": status}


def describe_submit(media_type: str = "application/json") -> dict[str, Any]:
    """Arguments of a route that creates a request."""
    schema = AnimateInput.model_json_schema()
    return describe(
        "The request, or its output", 400, 404, 499, 504, 507, query=["fal_webhook"], media_type=media_type, body=schema
    )
