"""The address at which the client of the present request reaches this installation, for links that it can open."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar, Token

_origin: ContextVar[str | None] = ContextVar("request_origin", default=None)


def link_base(configured: str) -> str:
    """The start of links: what the present request was sent to, such as ``http://studio:8000``, else ``configured``."""
    return _origin.get() or configured


def start_links_with(origin: str | None) -> Token[str | None]:
    """Have links start with ``origin`` from now on; None: with the configured address. ``restore_links`` ends it."""
    return _origin.set(origin)


def restore_links(former: Token[str | None]) -> None:
    """Have links start as they did before ``start_links_with`` returned ``former``."""
    _origin.reset(former)


@contextmanager
def links_start_with(origin: str | None) -> Generator[None]:
    """Have links that are made within the block start with ``origin``; None: with the configured address."""
    former = start_links_with(origin)
    try:
        yield
    finally:
        restore_links(former)
