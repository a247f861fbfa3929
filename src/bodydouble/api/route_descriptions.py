"""OpenAPI descriptions of the routes of a dialect that read their requests themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

STATUSES: Mapping[int, str] = {
    400: "Invalid request, or not in this state",
    401: "Missing or invalid key",
    402: "The balance is too low",
    403: "The key may not do this",
    404: "Not found",
    409: "Exists already",
    422: "Invalid input",
    429: "Too many requests",
    455: "Under maintenance",
    500: "Internal error",
    503: "Not available at the moment",
    505: "Not offered by this installation",
    507: "No storage space",
}
BEARER: list[dict[str, Any]] = [{"HTTPBearer": []}]
BEARER_SCHEME: dict[str, Any] = {"HTTPBearer": {"type": "http", "scheme": "bearer"}}
OBJECT: dict[str, Any] = {"type": "object"}
FORM = "multipart/form-data"


@dataclass(frozen=True, kw_only=True)
class RouteDescriptions:
    """Makes the descriptions of one dialect."""

    error: Mapping[str, Any]  # JSON Schema of the body of errors
    always: Sequence[int]  # statuses of errors that every route has

    def route(
        self,
        success: str,
        *statuses: int,
        query: Mapping[str, Mapping[str, Any]] | None = None,
        body: Mapping[str, Any] | None = None,
        example: Mapping[str, Any] | None = None,
        media_type: str = "application/json",
        keyed: bool = True,
    ) -> dict[str, Any]:
        """Arguments of a route.

        ``success`` describes the 200 response; ``statuses`` are further ones of errors. ``query`` and ``body`` are JSON
        Schemas, ``media_type`` that of the body. ``keyed``: the route needs an API key.
        """
        responses: dict[int | str, Any] = {200: {"description": success, "content": _content(OBJECT)}}
        for status in sorted({*self.always, *statuses}):
            responses[status] = {"description": STATUSES[status], "content": _content(dict(self.error))}
        extra: dict[str, Any] = {"security": BEARER} if keyed else {}
        if query:
            extra["parameters"] = [
                {"name": name, "in": "query", "required": False, "schema": dict(schema)}
                for name, schema in query.items()
            ]
        if body is not None:
            content: dict[str, Any] = {"schema": dict(body)}
            if example is not None:
                content["example"] = dict(example)
            extra["requestBody"] = {"required": True, "content": {media_type: content}}
        return {"responses": responses, "openapi_extra": extra}


def inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema of pydantic's without ``$defs``: an OpenAPI document has its definitions elsewhere."""
    definitions: Mapping[str, Any] = schema.get("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, Mapping):
            members = cast("Mapping[str, Any]", node)
            if "$ref" in members:
                return resolve(definitions[members["$ref"].rsplit("/", 1)[-1]])
            return {key: resolve(value) for key, value in members.items() if key != "$defs"}
        return [resolve(item) for item in cast("list[Any]", node)] if isinstance(node, list) else node

    return resolve(schema)


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
