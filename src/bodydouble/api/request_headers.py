"""Headers, query parameters and state of a request, without the objects that the framework makes for them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Scope

from bodydouble.tasks.content_length import read_length

HEADERS = "header_values"
"""Key in the ASGI scope."""


def header_values(scope: Scope) -> Mapping[bytes, bytes]:
    """The headers by name in lower case. Of a repeated header the last one counts."""
    values: dict[bytes, bytes] | None = scope.get(HEADERS)
    if values is None:
        values = scope[HEADERS] = dict[bytes, bytes](scope["headers"])
    return values


def query_value(scope: Scope, name: str) -> str | None:
    """The value of a query parameter, None if it is absent. Of a repeated parameter the last one counts."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return next((value for key, value in reversed(pairs) if key == name), None)


def request_state(scope: Scope) -> dict[str, Any]:
    """The dictionary behind Starlette's ``request.state``, which takes longer."""
    state: dict[str, Any] = scope.setdefault("state", {})
    return state


def body_bytes(headers: Mapping[bytes, bytes]) -> int | None:
    """Bytes of the body that ``Content-Length`` announces; None if it is absent or no number of at most 18 digits."""
    return read_length(headers.get(b"content-length", b"").decode("latin-1"))
