"""The address at which the client of the present request reaches this installation, for links that it can open."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_origin: ContextVar[str | None] = ContextVar("request_origin", default=None)


def link_base(configured: str) -> str:
    """The start of links: what the present request was sent to, such as ``http://studio:8000``, else ``configured``."""
    return _origin.get() or configured


@contextmanager
def links_start_with(origin: str | None) -> Generator[None]:
    """Have links that are made within the block start with ``origin``; None: with the configured address."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)
