"""OpenAPI descriptions of the dialect's routes."""

from bodydouble.api.route_descriptions import RouteDescriptions

_TEXT = {"type": "string"}
ROUTES = RouteDescriptions(
    error={
        "type": "object",
        "required": ["request_id", "code", "message"],
        "properties": {"request_id": _TEXT, "code": _TEXT, "message": _TEXT},
    },
    always=(400, 401, 403, 429, 500, 503),
)
