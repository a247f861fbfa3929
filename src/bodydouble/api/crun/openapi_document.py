"""The OpenAPI document: FastAPI's description of the routes, with named schemas, webhooks and code samples."""

import json
import re
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.routing import BaseRoute

from bodydouble.api.crun.accounts import NewKeyBody
from bodydouble.api.crun.code_samples import code_samples
from bodydouble.api.crun.openapi import CREATE_TASK
from bodydouble.api.crun.response_models import Problem, TaskInfoData
from bodydouble.api.crun.wire import CreateTaskBody
from bodydouble.api.inputs import INPUTS
from bodydouble.tasks.catalogue import CATALOGUE

REFERENCES = "#/components/schemas/{model}"
SERVERS = [{"url": "/", "description": "This service"}]
TAGS = {
    "tasks": "Create tasks, follow them and get their results.",
    "files": "Upload pictures and videos, download results.",
    "models": "The models of this installation, their inputs and prices.",
    "credits": "Prices, the balance, usage and the ledger.",
    "keys": "The API keys of the account.",
    "callbacks": "The secret that signs callbacks, and the log of deliveries.",
    "templates": "For compatibility with the hosted service.",
    "health": "Checks for operators; they need no key.",
}
_WEBHOOK_HEADERS = {
    "webhook-id": "Id of the delivery, the same in every attempt.",
    "webhook-timestamp": "Unix seconds of the attempt.",
    "webhook-signature": "`v1,` and the signature with the account's secret, as of Standard Webhooks.",
}
webhooks = APIRouter()


@webhooks.post(
    "taskEnded",
    operation_id="taskEnded",
    tags=["callbacks"],
    openapi_extra={
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in _WEBHOOK_HEADERS.items()
        ]
    },
)
def task_ended(body: TaskInfoData) -> None:
    """Sent to the `callback_url` of a task when the task has ended. Respond with 2xx within 15 s."""


def build_document(app: FastAPI, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document of crun's API, these ``routes`` of ``app``, with code samples for each operation."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=routes,
        webhooks=webhooks.routes,
        servers=SERVERS,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )
    schemas: dict[str, Any] = document["components"]["schemas"]
    for model in (Problem, NewKeyBody, *INPUTS.values()):
        _add(schemas, model)
    schemas |= _create_task_schemas()
    document["webhooks"]["taskEnded"]["post"]["responses"] = {"2XX": {"description": "Received"}}
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which no route of ours sends
        schemas.pop(unused, None)
    document = _rename_envelopes(document)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["x-codeSamples"] = code_samples(method, path, operation)
    return document


def _rename_envelopes(document: dict[str, Any]) -> dict[str, Any]:
    """The document with ``TaskInfoResponse`` for ``Envelope_TaskInfoData_`` and ``Envelope[TaskInfoData]``."""
    return json.loads(re.sub(r"\bEnvelope[_[](\w+?)(Data)?[_\]](?!\w)", r"\1Response", json.dumps(document)))


def _add(schemas: dict[str, Any], model: type[BaseModel]) -> None:
    schema = model.model_json_schema(ref_template=REFERENCES)
    schemas |= schema.pop("$defs", {}) | {model.__name__: schema}


def _create_task_schemas() -> dict[str, Any]:
    """The body of CreateTask: one schema for each model, told apart by the field ``model``."""
    body = CreateTaskBody.model_json_schema()
    found: dict[str, Any] = {}
    mapping: dict[str, str] = {}
    for name, inputs in INPUTS.items():
        title = f"{CREATE_TASK}{inputs.__name__.removesuffix('Input')}"
        properties = body["properties"] | {
            "model": {"type": "string", "const": name, "description": CATALOGUE[name].description},
            "input": {"$ref": REFERENCES.format(model=inputs.__name__)},
        }
        found[title] = body | {"title": title, "description": f"A task of {name}.", "properties": properties}
        mapping[name] = REFERENCES.format(model=title)
    union = {
        "title": CREATE_TASK,
        "oneOf": [{"$ref": reference} for reference in mapping.values()],
        "discriminator": {"propertyName": "model", "mapping": mapping},
    }
    return found | {CREATE_TASK: union}
