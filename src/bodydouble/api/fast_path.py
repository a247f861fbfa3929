"""A fast path to the most requested endpoints, around the framework's routing and dependencies."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bodydouble.api.envelope import error_response
from bodydouble.tasks.errors import BodydoubleError

Endpoint = Callable[[Request], Awaitable[Response]]
RouteKey = tuple[str, str]
"""HTTP method and path."""


class FastPath:
    """Sends requests for ``endpoints`` to ``app`` and all others to ``fallback``.

    The framework reaches the same endpoints with the same responses, for more than twice the processor time.
    """

    def __init__(self, app: ASGIApp, *, fallback: ASGIApp, endpoints: Mapping[RouteKey, Endpoint]) -> None:
        self._app, self._fallback, self._endpoints = app, fallback, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["method"], scope["path"]) in self._endpoints:
            scope["fast_path_route"] = scope["path"]
            await self._app(scope, receive, send)
        else:
            await self._fallback(scope, receive, send)


class FastPathEndpoints:
    """Calls the endpoint of a request, and turns its domain errors into responses."""

    def __init__(self, endpoints: Mapping[RouteKey, Endpoint]) -> None:
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._endpoints[scope["method"], scope["path"]](request)
        except BodydoubleError as error:
            response = error_response(request, error)
        await response(scope, receive, send)
