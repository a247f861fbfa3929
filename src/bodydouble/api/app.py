"""The web application: all routes, and the handlers that turn each error into a response of its dialect."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from bodydouble import __version__
from bodydouble.api import docs, health, llms, metrics
from bodydouble.api.client_origin import AllowedHosts
from bodydouble.api.crun import files, resumable
from bodydouble.api.crun.openapi_document import build_document
from bodydouble.api.dialect import Dialect
from bodydouble.api.dialect_document import build_dialect_document
from bodydouble.api.dialects import CRUN, ServedDialects
from bodydouble.api.event_streams import EventStreams
from bodydouble.api.fair_share import FRAMEWORK_PLACES, ClientNames, FairShares
from bodydouble.api.fast_path import FastPathEndpoints, FastRoutes
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.middleware import RequestMiddleware
from bodydouble.api.outages import OutageHold
from bodydouble.api.problems import describe_problems
from bodydouble.api.rate_limit import RequestLimiter
from bodydouble.api.routing import add_routes
from bodydouble.api.submitting import LARGE_BODIES_MAX
from bodydouble.service import Services
from bodydouble.service.fair_slots import FairSlots
from bodydouble.service.metrics import MetricsService
from bodydouble.tasks.errors import BodydoubleError, InvalidParams
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.tracing import Tracer

DESCRIPTION = (
    "Replaces the person in a video with the character of a picture. Send one picture and one video, receive the same "
    "shot with the person replaced. Every JSON response is an envelope with `code`, `message` and `data`. "
    "The samples read the address of this service from `BODYDOUBLE_BASE_URL` and your key from `BODYDOUBLE_API_KEY`."
)
_log = structlog.get_logger("bodydouble.api")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class ApiLimits:
    """Limits that one API process enforces on requests."""

    body_bytes_max: int
    data_url_bytes_max: int  # for each of the two files that a create request may contain
    reads_per_minute: int  # per API key
    event_streams_max: int  # open at the same time, per account


class Application(FastAPI):
    """FastAPI with a fast path: ``fast_path`` handles the requests of ``fast_routes``, the framework all others."""

    documented_elsewhere: list[APIRouter]
    fast_routes: FastRoutes
    fast_path: ASGIApp
    rewrites: Mapping[str, Callable[[Scope], None]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        scope["app"] = self
        if scope["type"] == "http":
            if (rewrite := self.rewrites.get(scope["path"])) is not None:
                rewrite(scope)
            if self.fast_routes.match(scope):
                await self.fast_path(scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of our own API, built once."""
        if self.openapi_schema is None:
            others = {id(route) for router in self.documented_elsewhere for route in router.routes}
            self.openapi_schema = build_document(self, [route for route in self.routes if id(route) not in others])
        return self.openapi_schema


def create_app(
    *,
    lifespan: Lifespan,
    limits: ApiLimits,
    tracer: Tracer,
    dialects_off: Collection[str] = (),
    hosts: AllowedHosts = AllowedHosts(),
) -> Application:
    """Build the application without the dialects named in ``dialects_off``.

    ``lifespan`` starts the services and passes them to ``attach``. ``hosts``: those that links may name.
    """
    app = Application(
        title="bodydouble",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    dialects = ServedDialects(dialects_off)
    app.documented_elsewhere = []
    for dialect in dialects.all:
        add_routes(app, dialect.routers)
        if dialect is not CRUN:
            document = partial(_dialect_document, dialect)
            app.add_api_route(f"{dialect.prefix}/openapi.json", document, include_in_schema=False)
            app.documented_elsewhere += dialect.routers
    add_routes(app, [module.router for module in (files, resumable, health, metrics, llms, docs)])
    app.add_exception_handler(BodydoubleError, _handle_domain_error)
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)
    app.add_exception_handler(HTTPException, _handle_http_error)
    app.rewrites = {path: rewrite for dialect in dialects.all for path, rewrite in dialect.rewrites.items()}
    app.state.dialects = dialects
    app.state.request_limiter = RequestLimiter(limits.reads_per_minute)
    app.state.streams = EventStreams(limits.event_streams_max)
    app.state.outage_hold = OutageHold()
    app.state.large_bodies = FairSlots(LARGE_BODIES_MAX)
    shares = FairShares(ClientNames(partial(_was_valid, app)))

    def with_middleware(inner: ASGIApp, places: int = 1) -> ASGIApp:
        return RequestMiddleware(
            inner,
            on_error=_handle_unexpected_error,
            tracer=tracer,
            shares=shares,
            hosts=hosts,
            bytes_max=body_limit(dialects, limits),
            places=places,
        )

    app.add_middleware(with_middleware, FRAMEWORK_PLACES)
    app.fast_path = with_middleware(FastPathEndpoints(_error_response))
    app.fast_routes = FastRoutes([route for dialect in dialects.all for route in dialect.fast_routes])
    return app


def body_limit(dialects: ServedDialects, limits: ApiLimits) -> Callable[[str], int | None]:
    """A function from path to the largest body in bytes; None for uploads, which the file store limits."""
    with_files = limits.body_bytes_max + 2 * (limits.data_url_bytes_max * 4 // 3)

    def bytes_max(path: str) -> int | None:
        if dialects.receives_files(path):
            return None
        return with_files if dialects.of_path(path).files_in_body(path) else limits.body_bytes_max

    return bytes_max


def attach(
    app: FastAPI,
    *,
    services: Services,
    files: FileStore,
    base_url: str,
    renderers: Mapping[str, list[str]],
    readiness: Mapping[str, Callable[[], Awaitable[None]]],
    metrics_service: MetricsService,
    metrics_token: str = "",
    is_public: bool = False,
) -> None:
    """Give the started services to the routes.

    ``metrics_token`` protects internals such as metrics. Without it they are shown to this machine only, and to nobody
    if ``is_public``: clients then come through another URL, possibly a proxy on this machine.
    """
    app.state.is_public = is_public
    app.state.metrics, app.state.metrics_token = metrics_service, metrics_token
    app.state.services, app.state.files, app.state.base_url = services, files, base_url
    app.state.renderers, app.state.readiness = renderers, readiness


def _was_valid(app: FastAPI, secret: str) -> bool:
    services: Services = app.state.services
    return services.tasks.was_valid(secret)


async def _dialect_document(dialect: Dialect) -> Response:
    return JsonResponse(build_dialect_document(dialect))


def _error_response(request: Request, error: BodydoubleError) -> Response:
    dialects: ServedDialects = request.app.state.dialects
    return dialects.of_path(request.scope["path"]).error_response(request, error)


def _http_error(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    dialects: ServedDialects = request.app.state.dialects
    return dialects.of_path(request.scope["path"]).http_error(request, status, message, headers)


async def _handle_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BodydoubleError)
    return _error_response(request, error)


async def _handle_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems: list[Any] = [dict(p) | {"loc": p["loc"][1:]} for p in error.errors()]
    return _error_response(request, InvalidParams(describe_problems(problems)))


async def _handle_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _http_error(request, error.status_code, str(error.detail), error.headers)


async def _handle_unexpected_error(request: Request, error: Exception) -> Response:
    _log.exception("unexpected", exc_info=error)
    return _http_error(request, 500, "Internal server error")
