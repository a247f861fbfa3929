"""Reading and validating request bodies, with one wording for every problem."""

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from bodydouble.api.problems import describe_problems
from bodydouble.service.json_input import read_json_object, reject_nul
from bodydouble.tasks.errors import InvalidParams

Model = TypeVar("Model", bound=BaseModel)


async def read_content(request: Request) -> bytes:
    """The complete body. Raises ClientDisconnect if the client disconnects before its end."""
    # Starlette's own method makes an iterator for each body; most bodies are one message.
    pieces: list[bytes] = []
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


async def read_model(request: Request, model: type[Model]) -> Model:
    """Read the body as ``model``. An empty body counts as an empty object. Raises InvalidParams."""
    return validate(model, read_json_object(await read_content(request) or b"{}"))


async def reject_nul_in_url(request: Request) -> None:
    """Raise InvalidParams if the path or a query parameter has the character NUL."""
    reject_nul((request.url.path, *request.query_params.values()))


def validate(model: type[Model], document: Mapping[str, Any], prefix: str = "") -> Model:
    """``document`` validated as ``model``.

    Raises InvalidParams with one line for each problem: ``prefix``, the field, the problem.
    """
    try:
        return model.__pydantic_validator__.validate_python(document)  # ``model_validate`` calls it, and takes longer
    except ValidationError as error:
        raise InvalidParams(
            describe_problems([dict(e) for e in error.errors(include_url=False, include_input=False)], prefix)
        ) from None


def describe_body(model: type[BaseModel], example: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAPI description of the body of an endpoint that reads it with ``read_model``."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    content = {"application/json": {"schema": schema, "examples": {"example": {"value": dict(example)}}}}
    return {"requestBody": {"required": True, "content": content}}
