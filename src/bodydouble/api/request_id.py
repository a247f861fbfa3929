"""Request ids, spans and the limit on bodies, before anything else sees a request."""

import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bodydouble.api.limits import rate_headers
from bodydouble.service.metrics import MetricsService
from bodydouble.tasks.account import Rate
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.tracing import NO_TRACER, Span, Tracer

_GOOD = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")
OnError = Callable[[Request, Exception], Awaitable[Response]]
"""Logs an error that nobody expected and makes its answer."""
_log = structlog.get_logger("bodydouble.api")


UNLOGGED = frozenset({"/healthz", "/readyz", "/metrics"})
"""What machines ask every few seconds; counted, not logged and not traced."""


class RequestContext:
    """Echoes or makes ``X-Request-Id``, binds it to every log line; logs, counts and traces each request once.

    Logged is the route's template, never the address: that may hold signatures and sign-in links. Endpoints leave in
    ``request.state`` whose request it was (``account``), which task it made (``task_id``), and how the limit stands
    that it counted against (``rate``), which its answer then says. They find there under which trace context work for
    the request belongs (``traceparent``, None without one).
    """

    def __init__(self, app: ASGIApp, on_error: OnError, tracer: Tracer) -> None:
        self._app, self._on_error, self._tracer = app, on_error, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given, traceparent = "", ""
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                given = value.decode("latin-1")
            elif name == b"traceparent":
                traceparent = value.decode("latin-1")
        request_id = given if _GOOD.match(given) else f"{random.getrandbits(64):016x}"  # tells apart, guards nothing
        structlog.contextvars.bind_contextvars(request_id=request_id)
        caller = traceparent if TRACEPARENT.match(traceparent) else None
        tracer = NO_TRACER if scope["path"] in UNLOGGED else self._tracer
        with tracer.request(caller) as span:
            scope.setdefault("state", {})["traceparent"] = span.traceparent or caller
            await self._answer(scope, receive, send, request_id, span)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str, span: Span) -> None:
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
            self._note(scope, status, time.perf_counter() - started, span)

    def _note(self, scope: Scope, status: int, seconds: float, span: Span) -> None:
        route = template(scope)
        metrics: MetricsService | None = getattr(scope["app"].state, "metrics", None)
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        if metrics is not None:
            metrics.counts.add("http", f"{method} {route} {status}", seconds)
        state = scope.get("state", {})
        known = {name: str(state[name]) for name in ("account", "task_id") if name in state}
        if span.traceparent is not None:
            span.rename(f"{method} {route}")
            span.annotate({"http.request.method": method, "http.route": route, "http.response.status_code": status})
            span.annotate({f"bodydouble.{name}": value for name, value in known.items()})
            if status >= 500:
                span.fail(str(status))
        if route not in UNLOGGED:
            took = round(seconds * 1000, 1)
            _log.info("request", method=scope["method"], route=route, status=status, milliseconds=took, **known)


CLIENT_API = "/api/v1/client"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def template(scope: Scope) -> str:
    """The route that a request took, such as ``/files/{key}``: few, whatever strangers ask for."""
    if "direct_route" in scope:
        return scope["direct_route"]
    path: str = getattr(scope.get("route"), "path", "unknown")
    # A route of an included router knows itself without the prefix under which it was included.
    included = path.startswith("/") and scope["path"].startswith(CLIENT_API) and not path.startswith(CLIENT_API)
    return CLIENT_API + path if included else path


class BodyLimit:
    """Refuses bodies over ``bytes_max``, or over what ``larger`` says for a path, with 422.

    Uploads have their own limit in the file store.
    """

    def __init__(self, app: ASGIApp, bytes_max: int, larger: Mapping[str, int]) -> None:
        self._app, self._bytes_max, self._larger = app, bytes_max, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/files/"):
            await self._app(scope, receive, send)
            return
        seen, bytes_max = 0, self._larger.get(scope["path"], self._bytes_max)

        async def counted() -> Any:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > bytes_max:
                limit = f"{round(bytes_max / 1e6, 1):g} MB"
                raise InvalidParams([f"body: larger than {limit}; upload media through upload-url"])
            return message

        await self._app(scope, counted, send)
