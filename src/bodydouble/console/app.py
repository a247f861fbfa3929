"""Adds the console's routes to the application of the API."""

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from bodydouble.console import (
    assets,
    credits,
    keys,
    models,
    operation,
    playground,
    sign_in,
    tasks,
    verification,
    webhooks,
)
from bodydouble.console.authentication import SignInLimit
from bodydouble.console.dependencies import Console
from bodydouble.console.pages import error_page
from bodydouble.tasks.errors import NotFound

API_PATHS = ("/api/", "/files/", "/metrics", "/healthz", "/readyz", "/openapi.json", "/mcp")
"""Paths with these prefixes are for programs: errors below them are not shown as pages."""


def install(app: FastAPI) -> None:
    """Add the pages and a page for status 404. Call ``attach`` before the first request."""
    for module in (assets, sign_in, playground, tasks, keys, webhooks, credits, models, operation, verification):
        app.router.routes.extend(module.router.routes)  # see ``api.routing.add_routes``
    api_handler = app.exception_handlers[HTTPException]

    async def handle_missing(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(API_PATHS) or "text/html" not in request.headers.get("accept", ""):
            return await api_handler(request, error)  # type: ignore[misc] - the API's handler is asynchronous
        return error_page(request, NotFound("This page does not exist."))

    app.add_exception_handler(404, handle_missing)


def attach(app: FastAPI, console: Console) -> None:
    """Give the started services to the pages."""
    app.state.console = console
    app.state.sign_in_limit = SignInLimit()
