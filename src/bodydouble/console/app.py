"""The console's routes in the application that the API is in too."""

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from bodydouble.console import assets, credits, keys, models, operation, playground, sign_in, tasks
from bodydouble.console.pages import error_page
from bodydouble.console.visitors import SignInLimit
from bodydouble.console.wiring import Console
from bodydouble.tasks.errors import NotFound

PROGRAMS = ("/api/", "/files/", "/metrics", "/healthz", "/readyz", "/openapi.json")
"""What is below these is for programs, and answers them in their own way."""


def install(app: FastAPI) -> None:
    """Add the pages, and a page for what is not there; ``attach`` brings them to life."""
    for room in (assets, sign_in, playground, tasks, keys, credits, models, operation):
        app.include_router(room.router)
    programs = app.exception_handlers[HTTPException]

    async def missing(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(PROGRAMS) or "text/html" not in request.headers.get("accept", ""):
            return await programs(request, error)  # type: ignore[misc]
        return error_page(request, NotFound("There is no such page here."))

    app.add_exception_handler(404, missing)


def attach(app: FastAPI, console: Console) -> None:
    """Hand the running parts to the pages."""
    app.state.console = console
    app.state.sign_in_limit = SignInLimit()
