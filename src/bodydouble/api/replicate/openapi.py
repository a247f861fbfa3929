"""OpenAPI descriptions of Replicate's routes."""

from http import HTTPStatus
from typing import Any

from bodydouble.api.route_descriptions import RouteDescriptions

SECURITY_SCHEMES: dict[str, Any] = {"BearerAuth": {"type": "http", "scheme": "bearer", "description": "Your API key."}}
ROUTES = RouteDescriptions(
    error={
        "type": "object",
        "required": ["title", "detail", "status"],
        "properties": {
            "title": {"type": "string"},
            "detail": {"type": "string"},
            "status": {"type": "integer"},
            "type": {"type": "string"},
        },
    },
    error_type="application/problem+json",
    always=(401, 403, 422, 429, 500, 503),
    statuses={status.value: status.phrase for status in HTTPStatus},
    security=[{"BearerAuth": []}],
)
