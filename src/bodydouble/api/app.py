"""The web application: routes, and every error as the envelope that clients know."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from bodydouble import __version__
from bodydouble.api import accounts, callbacks, creation, events, files, health, metrics, models, resumable, tasks
from bodydouble.api.direct import DirectEndpoints, DirectWay, Endpoint, Place
from bodydouble.api.docs import render_docs
from bodydouble.api.envelope import INVALID_MESSAGE, describe_problems, domain_failure, failure
from bodydouble.api.events import EventStreams
from bodydouble.api.limits import ReadLimit
from bodydouble.api.request_id import CLIENT_API, BodyLimit, RequestContext
from bodydouble.service import Services
from bodydouble.service.metrics import MetricsService
from bodydouble.tasks.errors import BodydoubleError
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.tracing import Tracer

DESCRIPTION = (
    "A body double for any shot: one picture of a character and one video in, the same shot with the person replaced "
    "out. Every JSON answer is an envelope of code, message and data."
)
_log = structlog.get_logger("bodydouble.api")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class EdgeLimits:
    """What one process takes of its callers."""

    body_bytes_max: int
    data_url_bytes_max: int  # of each of the two files that a task may bring within its request
    reads_per_minute: int  # of one key
    event_streams_max: int  # of one account, at once


BUSIEST: dict[Place, Endpoint] = {
    ("POST", f"{CLIENT_API}/job/CreateTask"): creation.create_task,
    ("GET", f"{CLIENT_API}/job/TaskInfo"): tasks.task_info,
}


class Application(FastAPI):
    """FastAPI, with a short way past it."""

    way: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, as ASGI has it."""
        scope["app"] = self
        await self.way(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As FastAPI does."""
        await super().__call__(scope, receive, send)


def create_app(*, lifespan: Lifespan, limits: EdgeLimits, tracer: Tracer) -> FastAPI:
    """The application; ``lifespan`` calls ``attach`` once its parts are there."""
    app = Application(
        title="bodydouble",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for room in (creation, tasks, events, callbacks, models, accounts):
        app.include_router(room.router, prefix=CLIENT_API)
    app.include_router(files.router)
    app.include_router(resumable.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.add_api_route("/docs", _docs, include_in_schema=False, response_class=HTMLResponse)
    app.add_exception_handler(BodydoubleError, _domain)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.state.read_limit = ReadLimit(limits.reads_per_minute)
    app.state.streams = EventStreams(limits.event_streams_max)
    with_files = limits.body_bytes_max + 2 * (limits.data_url_bytes_max * 4 // 3)
    larger = {f"{CLIENT_API}/job/{name}": with_files for name in ("CreateTask", "estimate-credits", "EstimateTask")}

    def guarded(inner: ASGIApp) -> ASGIApp:
        limited = BodyLimit(inner, bytes_max=limits.body_bytes_max, larger=larger)
        return RequestContext(limited, on_error=_unexpected, tracer=tracer)

    app.add_middleware(guarded)
    app.way = DirectWay(short=guarded(DirectEndpoints(BUSIEST)), long=app.answer, places=BUSIEST)
    return app


def attach(
    app: FastAPI,
    *,
    services: Services,
    files: FileStore,
    renderers: list[str],
    readiness: Mapping[str, Callable[[], Awaitable[None]]],
    metrics_service: MetricsService,
    metrics_token: str = "",
) -> None:
    """Hand the running parts to the routes."""
    app.state.metrics, app.state.metrics_token = metrics_service, metrics_token
    app.state.services, app.state.files = services, files
    app.state.renderers, app.state.readiness = renderers, readiness


async def _docs(request: Request) -> HTMLResponse:
    return HTMLResponse(render_docs(request.app.openapi()))


async def _domain(request: Request, error: Exception) -> Response:
    assert isinstance(error, BodydoubleError)
    return domain_failure(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems: list[Any] = [dict(p) | {"loc": p["loc"][1:]} for p in error.errors()]
    return failure(request, 422, INVALID_MESSAGE, 422, describe_problems(None, problems))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return failure(request, error.status_code, str(error.detail), error.status_code, headers=error.headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.exception("unexpected", exc_info=error)
    return failure(request, 500, "Internal server error", 500)
