"""ASGI middleware around every request: request id, trace span, log line, metrics, fair share, body size limit."""

import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bodydouble.api.client_origin import AllowedHosts
from bodydouble.api.fair_share import PLACE, FairShares, leave_place
from bodydouble.api.rate_limit import rate_headers
from bodydouble.api.request_headers import body_bytes, header_values, request_state
from bodydouble.service.metrics import MetricsService
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.request_origin import restore_links, start_links_with
from bodydouble.tasks.tracing import NO_TRACER, Span, Tracer

_GOOD = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")
OnError = Callable[[Request, Exception], Awaitable[Response]]
"""Logs an unexpected error and makes its response."""
_log = structlog.get_logger("bodydouble.api")


CLIENT_CLOSED_REQUEST = 499
"""Status in log and metrics of a request whose client disconnected before its end; it has no response."""
HOSTS_REMEMBERED = 256
"""``Host`` headers whose origin is kept, because reading one takes 27 µs. Clients use few of them."""
UNLOGGED = frozenset({"/healthz", "/readyz", "/metrics"})
"""Routes that monitoring polls every few seconds: counted in the metrics, but neither logged, traced nor delayed."""


class RequestMiddleware:
    """What happens around every request. One function, because each further middleware costs a create 1 to 2 %.

    - It accepts or generates ``X-Request-Id`` and binds it to every log line.
    - It starts the request when it is its client's turn (``fair_share``).
    - Links of the response start with the host of the request, if that is allowed (``client_origin``).
    - It rejects bodies larger than ``bytes_max`` of their path with 422. None: the endpoint limits the body itself.
    - It logs, counts and traces the request once.

    The log has the route's template, never the URL, which can contain signatures and sign-in links. Endpoints set in
    ``request.state``: ``account`` (the caller), ``task_id`` (the task created) and ``rate`` (the rate limit that the
    request counted against, sent as response headers). They read ``traceparent``, the trace context for work that the
    request causes, or None.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        on_error: OnError,
        tracer: Tracer,
        shares: FairShares,
        hosts: AllowedHosts,
        bytes_max: Callable[[str], int | None],
        places: int = 1,
    ) -> None:
        """``places``: of the client's share, for each request."""
        self._app, self._on_error, self._tracer = app, on_error, tracer
        self._shares, self._places, self._bytes_max = shares, places, bytes_max
        self._origin = lru_cache(HOSTS_REMEMBERED)(hosts.origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, path, state = header_values(scope), scope["path"], request_state(scope)
        request_id = _request_id(headers.get(b"x-request-id"))
        structlog.contextvars.bind_contextvars(request_id=request_id)
        caller = _trace_context(headers.get(b"traceparent"))
        tracer = NO_TRACER if path in UNLOGGED else self._tracer
        started, status, response_started = time.perf_counter(), 500, False

        async def send_with_id(message: Message) -> None:
            nonlocal status, response_started
            if message["type"] == "http.response.start":
                status, response_started = message["status"], True
                leave_place(scope)  # what is left is sending, which may last as long as a task
                added = [(b"x-request-id", request_id.encode())]
                if (rate := state.get("rate")) is not None:
                    added += rate_headers(rate)
                message["headers"] = [*message["headers"], *added]
            await send(message)

        bytes_max = self._bytes_max(path)
        if bytes_max is not None and not _announces_at_most(headers, bytes_max):
            receive = limited_body(receive, bytes_max)
        host = headers.get(b"host")
        # The scheme is that of a trusted proxy's client, else our own. None: links start with the configured address.
        origin = None if host is None else self._origin(scope["scheme"], host)
        share, request = None if path in UNLOGGED else self._shares.of(scope), object()
        scope[PLACE] = share, request
        with tracer.request(caller) as span:
            state["traceparent"] = span.traceparent or caller
            former_origin = start_links_with(origin)
            try:
                if share is not None and not share.begin(request, self._places):
                    await share.turn(request, self._places)
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
                if share is not None:
                    share.end(request)
                restore_links(former_origin)
                self._record(scope, status, time.perf_counter() - started, span)

    def _record(self, scope: Scope, status: int, seconds: float, span: Span) -> None:
        route = route_template(scope)
        metrics: MetricsService | None = getattr(scope["app"].state, "metrics", None)
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        if metrics is not None:
            metrics.counts.add("http", f"{method} {route} {status}", seconds)
        state, details = scope["state"], dict[str, str]()
        if "account" in state:
            details["account"] = str(state["account"])
        if "task_id" in state:
            details["task_id"] = str(state["task_id"])
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


def _request_id(given: bytes | None) -> str:
    text = "" if given is None else given.decode("latin-1")
    return text if _GOOD.match(text) else f"{random.getrandbits(64):016x}"  # an identifier, not a secret


def _trace_context(given: bytes | None) -> str | None:
    text = "" if given is None else given.decode("latin-1")
    return text if TRACEPARENT.match(text) else None


def _announces_at_most(headers: Mapping[bytes, bytes], bytes_max: int) -> bool:
    """Whether the server lets no more than ``bytes_max`` of this body pass, so that nothing has to count."""
    if b"transfer-encoding" in headers:
        return False
    length = body_bytes(headers)
    return length is not None and length <= bytes_max


def limited_body(receive: Receive, bytes_max: int) -> Receive:
    """``receive`` that raises InvalidParams as soon as the body is larger than ``bytes_max``."""
    received = 0

    async def receive_limited() -> Any:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > bytes_max:
            limit = f"{round(bytes_max / 1e6, 1):g} MB"
            raise InvalidParams([f"body: larger than {limit}; upload files first and send their addresses"])
        return message

    return receive_limited
