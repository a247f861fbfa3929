"""Reading the body of a request, so that every problem is told in one wording."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import orjson
from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from bodydouble.api.envelope import describe_problems
from bodydouble.tasks.errors import InvalidParams

Model = TypeVar("Model", bound=BaseModel)


def read_json(content: bytes) -> dict[str, Any]:
    """A JSON object. Raises InvalidParams."""
    try:
        document: object = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise InvalidParams(["body: is no valid JSON"]) from None
    if b"\\u0000" in content:  # JSON, but no text that the database could hold
        raise InvalidParams(["body: holds the character NUL"])
    if not isinstance(document, dict):
        raise InvalidParams(["body: has to be a JSON object"])
    return cast("dict[str, Any]", document)


async def read_content(request: Request) -> bytes:
    """The body as it came. Raises ClientDisconnect where it does not come whole."""
    # Starlette's own way makes a stream of each body, and most come in one piece.
    pieces: list[bytes] = []
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


async def read_model(request: Request, model: type[Model]) -> Model:
    """The body as ``model``; an empty body is an empty object. Raises InvalidParams."""
    return validate(model, read_json(await read_content(request) or b"{}"))


def validate(model: type[Model], document: Mapping[str, Any], name: str | None = None) -> Model:
    """``document`` as ``model``. Raises InvalidParams: a line for each problem, with the catalogue's ``name``."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InvalidParams(describe_problems(name, [dict(e) for e in error.errors(include_url=False)])) from None


def body_of(model: type[BaseModel], example: Mapping[str, Any]) -> dict[str, Any]:
    """Describes the body of an endpoint that reads it with ``read_model``."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    content = {"application/json": {"schema": schema, "examples": {"example": {"value": dict(example)}}}}
    return {"requestBody": {"required": True, "content": content}}
