"""The web application: all routes, and the handlers that turn each error into the API's envelope."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from bodydouble import __version__
from bodydouble.api import accounts, callbacks, creation, docs, events, files, health, metrics, models, resumable, tasks
from bodydouble.api.creation import LARGE_BODIES_MAX
from bodydouble.api.envelope import INVALID_MESSAGE, describe_problems, error_response, failure
from bodydouble.api.events import EventStreams
from bodydouble.api.fast_path import Endpoint, FastPath, FastPathEndpoints, RouteKey
from bodydouble.api.middleware import CLIENT_API, BodyLimitMiddleware, RequestContextMiddleware
from bodydouble.api.openapi_document import build_document
from bodydouble.api.outages import OutageHold
from bodydouble.api.rate_limit import RequestLimiter
from bodydouble.api.request_bodies import reject_nul_in_url
from bodydouble.service import Services
from bodydouble.service.fair_slots import FairSlots
from bodydouble.service.metrics import MetricsService
from bodydouble.tasks.errors import BodydoubleError
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


FAST_PATH_ENDPOINTS: dict[RouteKey, Endpoint] = {
    ("POST", f"{CLIENT_API}/job/CreateTask"): creation.create_task,
    ("GET", f"{CLIENT_API}/job/TaskInfo"): tasks.task_info,
}


class Application(FastAPI):
    """FastAPI with a fast path: ``entry`` handles each request and calls ``call_framework`` for most of them."""

    entry: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        scope["app"] = self
        await self.entry(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of all routes, built once."""
        if self.openapi_schema is None:
            self.openapi_schema = build_document(self)
        return self.openapi_schema

    async def call_framework(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection with FastAPI's own middleware and routing."""
        await super().__call__(scope, receive, send)


def create_app(*, lifespan: Lifespan, limits: ApiLimits, tracer: Tracer) -> FastAPI:
    """Build the application. ``lifespan`` starts the services and passes them to ``attach``."""
    app = Application(
        title="bodydouble",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for module in (creation, tasks, events, callbacks, models, accounts):
        app.include_router(module.router, prefix=CLIENT_API, dependencies=[Depends(reject_nul_in_url)])
    for module in (files, resumable, health, metrics):
        app.include_router(module.router, dependencies=[Depends(reject_nul_in_url)])
    app.include_router(docs.router)
    app.add_exception_handler(BodydoubleError, _handle_domain_error)
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)
    app.add_exception_handler(HTTPException, _handle_http_error)
    app.state.request_limiter = RequestLimiter(limits.reads_per_minute)
    app.state.streams = EventStreams(limits.event_streams_max)
    app.state.outage_hold = OutageHold()
    app.state.large_bodies = FairSlots(LARGE_BODIES_MAX)
    with_files = limits.body_bytes_max + 2 * (limits.data_url_bytes_max * 4 // 3)
    larger = {f"{CLIENT_API}/job/{name}": with_files for name in ("CreateTask", "estimate-credits", "EstimateTask")}

    def with_middleware(inner: ASGIApp) -> ASGIApp:
        limited = BodyLimitMiddleware(inner, bytes_max=limits.body_bytes_max, larger=larger)
        return RequestContextMiddleware(limited, on_error=_handle_unexpected_error, tracer=tracer)

    app.add_middleware(with_middleware)
    app.entry = FastPath(
        with_middleware(FastPathEndpoints(FAST_PATH_ENDPOINTS)),
        fallback=app.call_framework,
        endpoints=FAST_PATH_ENDPOINTS,
    )
    return app


def attach(
    app: FastAPI,
    *,
    services: Services,
    files: FileStore,
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
    app.state.services, app.state.files = services, files
    app.state.renderers, app.state.readiness = renderers, readiness


async def _handle_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BodydoubleError)
    return error_response(request, error)


async def _handle_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems: list[Any] = [dict(p) | {"loc": p["loc"][1:]} for p in error.errors()]
    return failure(request, 422, INVALID_MESSAGE, 422, describe_problems(None, problems))


async def _handle_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return failure(request, error.status_code, str(error.detail), error.status_code, headers=error.headers)


async def _handle_unexpected_error(request: Request, error: Exception) -> Response:
    _log.exception("unexpected", exc_info=error)
    return failure(request, 500, "Internal server error", 500)
