"""Request ids and the limit on bodies, before anything else sees a request."""

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bodydouble.api.limits import rate_headers
from bodydouble.tasks.account import Rate
from bodydouble.tasks.errors import InvalidParams

_GOOD = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
OnError = Callable[[Request, Exception], Awaitable[Response]]
"""Logs an error that nobody expected and makes its answer."""
_log = structlog.get_logger("bodydouble.api")


class RequestContext:
    """Echoes or makes ``X-Request-Id``, binds it to every log line, and logs each request once.

    An answer to somebody with a key also says how the limit stands that the request counted against: endpoints leave
    it in ``request.state.rate``.
    """

    def __init__(self, app: ASGIApp, on_error: OnError) -> None:
        self._app, self._on_error = app, on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        request_id = given if _GOOD.match(given) else secrets.token_hex(8)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status, started_answer = 500, False

        async def send_with_id(message: Message) -> None:
            nonlocal status, started_answer
            if message["type"] == "http.response.start":
                status, started_answer = message["status"], True
                rate: Rate | None = scope.get("state", {}).get("rate")
                told = rate_headers(rate) if rate is not None else ()
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *told]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            # Here and not in Starlette's outermost layer, so that this answer has its request id too.
            answer = await self._on_error(Request(scope), error)
            if started_answer:
                raise
            await answer(scope, receive, send_with_id)
        finally:
            if scope["path"] not in ("/healthz", "/readyz"):
                took = round((time.perf_counter() - started) * 1000, 1)
                _log.info("request", method=scope["method"], path=scope["path"], status=status, milliseconds=took)


class BodyLimit:
    """Refuses bodies over ``bytes_max`` with 422; uploads have their own limit in the file store."""

    def __init__(self, app: ASGIApp, bytes_max: int) -> None:
        self._app, self._bytes_max = app, bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/files/"):
            await self._app(scope, receive, send)
            return
        seen = 0

        async def counted() -> Any:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._bytes_max:
                raise InvalidParams(
                    [f"body: larger than {self._bytes_max / 1e6:g} MB; upload media through upload-url"]
                )
            return message

        await self._app(scope, counted, send)
