"""OpenAPI descriptions of the dialect's routes."""

from bodydouble.api.route_descriptions import RouteDescriptions

ROUTES = RouteDescriptions(
    error={
        "type": "object",
        "required": ["code", "message"],
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
    },
    always=(400, 401, 403, 429, 500, 503),
)
