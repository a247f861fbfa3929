"""The short way to the endpoints that are asked most."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bodydouble.api.envelope import domain_failure
from bodydouble.tasks.errors import BodydoubleError

Endpoint = Callable[[Request], Awaitable[Response]]
Place = tuple[str, str]
"""Method and path."""


class DirectWay:
    """Takes what is for ``places`` to ``short``; everything else goes the ``long`` way.

    The long way through the framework's layers, routing and dependencies leads to the same endpoints and gives the
    same answers, for more than twice the processor time.
    """

    def __init__(self, *, short: ASGIApp, long: ASGIApp, places: Mapping[Place, Endpoint]) -> None:
        self._short, self._long, self._places = short, long, places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["method"], scope["path"]) in self._places:
            scope["direct_route"] = scope["path"]
            await self._short(scope, receive, send)
        else:
            await self._long(scope, receive, send)


class DirectEndpoints:
    """The end of the short way: calls the endpoint, and answers where it refuses."""

    def __init__(self, places: Mapping[Place, Endpoint]) -> None:
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await self._places[scope["method"], scope["path"]](request)
        except BodydoubleError as error:
            answer = domain_failure(request, error)
        await answer(scope, receive, send)
