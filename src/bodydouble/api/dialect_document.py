"""The OpenAPI document of one dialect. The document of our own API is another: ``crun/openapi_document.py``."""

from typing import Any

from fastapi.openapi.utils import get_openapi

from bodydouble import __version__
from bodydouble.api.dialect import Dialect


def build_dialect_document(dialect: Dialect) -> dict[str, Any]:
    """The document, without FastAPI's own schemas of errors, which no route of ours sends."""
    document = get_openapi(
        title=f"bodydouble in the dialect of {dialect.title}",
        version=__version__,
        routes=[route for router in dialect.routers for route in router.routes],
    )
    document.setdefault("components", {})["securitySchemes"] = dict(dialect.security_schemes)
    schemas: dict[str, Any] = document["components"].setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document
