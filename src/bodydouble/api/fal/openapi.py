"""OpenAPI descriptions of fal's routes."""

from typing import Any

from bodydouble.api.fal.models import AnimateInput
from bodydouble.api.route_descriptions import TEXT, RouteDescriptions

SECURITY_SCHEMES: dict[str, Any] = {
    "FalKey": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Key ` and your API key"}
}
ROUTES = RouteDescriptions(
    error={
        "type": "object",
        "required": ["detail"],
        "properties": {"detail": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]}},
    },
    always=(401, 403, 422, 429, 500, 503),
    statuses={
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
    },
    security=[{"FalKey": []}],
)


def endpoint_name(endpoint: str) -> str:
    """The last part of an endpoint, for ids of operations."""
    return endpoint.rsplit("/", 1)[-1]


def submit_route(answer_type: str = "application/json") -> dict[str, Any]:
    """Arguments of a route that creates a request."""
    return ROUTES.route(
        "The request, or its output",
        400,
        404,
        499,
        504,
        507,
        query={"fal_webhook": TEXT},
        answer_type=answer_type,
        body=AnimateInput.model_json_schema(),
    )
