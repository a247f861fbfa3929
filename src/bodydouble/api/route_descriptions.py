"""OpenAPI descriptions of the routes of a dialect that read their requests themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
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
NO_CONTENT = HTTPStatus.NO_CONTENT.value
BEARER: list[dict[str, Any]] = [{"HTTPBearer": []}]
BEARER_SCHEME: dict[str, Any] = {"HTTPBearer": {"type": "http", "scheme": "bearer"}}
OBJECT: dict[str, Any] = {"type": "object"}
TEXT: dict[str, Any] = {"type": "string"}
BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
FORM = "multipart/form-data"
EVENTS = "text/event-stream"


@dataclass(frozen=True, kw_only=True)
class RouteDescriptions:
    """Makes the descriptions of one dialect."""

    error: Mapping[str, Any]  # JSON Schema of the body of errors
    always: Sequence[int]  # statuses of errors that every route has
    error_type: str = "application/json"  # media type of errors
    statuses: Mapping[int, str] = field(default_factory=lambda: STATUSES)  # status of an error → its description
    security: Sequence[Mapping[str, Any]] = field(default_factory=lambda: BEARER)  # of routes that need an API key

    def route(
        self,
        success: str,
        *statuses: int,
        status: int = 200,
        query: Mapping[str, Mapping[str, Any]] | None = None,
        body: Mapping[str, Any] | None = None,
        example: Mapping[str, Any] | None = None,
        media_type: str = "application/json",
        answer_type: str = "application/json",
        keyed: bool = True,
    ) -> dict[str, Any]:
        """Arguments of a route.

        ``success`` describes the response with ``status``, whose media type is ``answer_type``; ``statuses`` are those
        of errors. ``query`` and ``body`` are JSON Schemas, ``media_type`` that of the body. ``keyed``: the route needs
        an API key.
        """
        responses: dict[int | str, Any] = {status: {"description": success}}
        if status != NO_CONTENT:
            responses[status]["content"] = _content(TEXT if answer_type == EVENTS else OBJECT, answer_type)
        for other in sorted({*self.always, *statuses}):
            content = _content(dict(self.error), self.error_type)
            responses[other] = {"description": self.statuses[other], "content": content}
        extra: dict[str, Any] = {"security": list(self.security)} if keyed else {}
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
        return {"responses": responses, "openapi_extra": extra, "status_code": status}


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


def file_form(name: str, **others: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of a form with the file ``name``, and the schemas of its other fields, which may be missing."""
    return {"type": "object", "required": [name], "properties": {name: BINARY, **others}}


def _content(schema: dict[str, Any], media_type: str) -> dict[str, Any]:
    return {media_type: {"schema": schema}}
