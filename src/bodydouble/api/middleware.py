"""ASGI middleware around every request: request id, trace span, log line, metrics, body size limit."""

import random
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bodydouble.api.rate_limit import rate_headers
from bodydouble.service.metrics import MetricsService
from bodydouble.tasks.account import Rate
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.tracing import NO_TRACER, Span, Tracer

_GOOD = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")
OnError = Callable[[Request, Exception], Awaitable[Response]]
"""Logs an unexpected error and makes its response."""
_log = structlog.get_logger("bodydouble.api")


CLIENT_CLOSED_REQUEST = 499
"""Status in log and metrics of a request whose client disconnected before its end; it has no response."""
UNLOGGED = frozenset({"/healthz", "/readyz", "/metrics"})
"""Routes that monitoring polls every few seconds: counted in the metrics, but neither logged nor traced."""


class RequestContextMiddleware:
    """Accepts or generates ``X-Request-Id`` and binds it to every log line; logs, counts and traces each request once.

    The log has the route's template, never the URL, which can contain signatures and sign-in links. Endpoints set in
    ``request.state``: ``account`` (the caller), ``task_id`` (the task created) and ``rate`` (the rate limit that the
    request counted against, sent as response headers). They read ``traceparent``, the trace context for work that the
    request causes, or None.
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
        request_id = given if _GOOD.match(given) else f"{random.getrandbits(64):016x}"  # an identifier, not a secret
        structlog.contextvars.bind_contextvars(request_id=request_id)
        caller = traceparent if TRACEPARENT.match(traceparent) else None
        tracer = NO_TRACER if scope["path"] in UNLOGGED else self._tracer
        with tracer.request(caller) as span:
            scope.setdefault("state", {})["traceparent"] = span.traceparent or caller
            await self._handle(scope, receive, send, request_id, span)

    async def _handle(self, scope: Scope, receive: Receive, send: Send, request_id: str, span: Span) -> None:
        started = time.perf_counter()
        status, response_started = 500, False

        async def send_with_id(message: Message) -> None:
            nonlocal status, response_started
            if message["type"] == "http.response.start":
                status, response_started = message["status"], True
                rate: Rate | None = scope.get("state", {}).get("rate")
                limit_headers = rate_headers(rate) if rate is not None else ()
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *limit_headers]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            status = CLIENT_CLOSED_REQUEST
        except Exception as error:
            # Handled here and not in Starlette's outermost middleware, so that this response has a request id.
            response = await self._on_error(Request(scope), error)
            if response_started:
                raise
            await response(scope, receive, send_with_id)
        finally:
            self._record(scope, status, time.perf_counter() - started, span)

    def _record(self, scope: Scope, status: int, seconds: float, span: Span) -> None:
        route = route_template(scope)
        metrics: MetricsService | None = getattr(scope["app"].state, "metrics", None)
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        if metrics is not None:
            metrics.counts.add("http", f"{method} {route} {status}", seconds)
        state = scope.get("state", {})
        details = {name: str(state[name]) for name in ("account", "task_id") if name in state}
        if span.traceparent is not None:
            span.rename(f"{method} {route}")
            span.annotate({"http.request.method": method, "http.route": route, "http.response.status_code": status})
            span.annotate({f"bodydouble.{name}": value for name, value in details.items()})
            if status >= 500:
                span.fail(str(status))
        if route not in UNLOGGED:
            milliseconds = round(seconds * 1000, 1)
            _log.info(
                "request", method=scope["method"], route=route, status=status, milliseconds=milliseconds, **details
            )


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def route_template(scope: Scope) -> str:
    """The template of the matched route, such as ``/files/{key}``: a bounded set of labels for logs and metrics."""
    if "fast_path_route" in scope:
        return scope["fast_path_route"]
    return getattr(scope.get("route"), "path", "unknown")


class BodyLimitMiddleware:
    """Rejects bodies larger than ``bytes_max`` of their path with 422. None: the endpoint limits the body itself."""

    def __init__(self, app: ASGIApp, bytes_max: Callable[[str], int | None]) -> None:
        self._app, self._bytes_max = app, bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        bytes_max = self._bytes_max(scope["path"]) if scope["type"] == "http" else None
        if bytes_max is None:
            await self._app(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > bytes_max:
                limit = f"{round(bytes_max / 1e6, 1):g} MB"
                raise InvalidParams([f"body: larger than {limit}; upload files first and send their addresses"])
            return message

        await self._app(scope, receive_limited, send)
