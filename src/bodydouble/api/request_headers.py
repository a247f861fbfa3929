"""The headers of a request by name, read once and used by all that look at them."""

from collections.abc import Mapping
from typing import Any

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


def request_state(scope: Scope) -> dict[str, Any]:
    """The dictionary behind Starlette's ``request.state``, which takes longer."""
    state: dict[str, Any] = scope.setdefault("state", {})
    return state


def body_bytes(headers: Mapping[bytes, bytes]) -> int | None:
    """Bytes of the body that ``Content-Length`` announces; None if it is absent or no number of at most 18 digits."""
    return read_length(headers.get(b"content-length", b"").decode("latin-1"))
