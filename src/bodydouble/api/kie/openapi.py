"""OpenAPI descriptions of the dialect's routes."""

from bodydouble.api.route_descriptions import RouteDescriptions

ROUTES = RouteDescriptions(
    error={
        "type": "object",
        "required": ["code", "msg"],
        "properties": {"code": {"type": "integer"}, "msg": {"type": "string"}},
    },
    always=(401, 403, 422, 429, 500, 503),
)
