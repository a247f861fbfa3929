"""Routes as the application uses them."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from bodydouble.api.dialects import ServedDialects
from bodydouble.api.request_bodies import reject_nul_in_url


def routes_of_dialects() -> Iterator[BaseRoute]:
    """All of them, as their modules made them."""
    for dialect in ServedDialects(()).all:
        for router in dialect.routers:
            yield from router.routes


@pytest.mark.anyio
async def test_nothing_is_built_at_the_first_request(app: FastAPI) -> None:
    """The application has the very routes that the modules made, which no other one has to make again."""
    own = {id(route) for route in app.router.routes}
    assert all(id(route) in own for route in routes_of_dialects())
    assert not [route for route in app.router.routes if hasattr(route, "original_router")]


def test_each_route_of_a_dialect_rejects_the_character_nul() -> None:
    """None of their routers is without the check."""
    unchecked = [
        route.path
        for route in routes_of_dialects()
        if isinstance(route, APIRoute)
        and reject_nul_in_url not in [dependency.dependency for dependency in route.dependencies]
    ]
    assert unchecked == []
