"""Rendering of pages and error pages, redirects after forms, and security headers."""

import json
from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined

from bodydouble import __version__
from bodydouble.console import formatting
from bodydouble.console.assets import asset_root
from bodydouble.console.authentication import COOKIE, SignedInUser, check_posted
from bodydouble.console.dependencies import Console
from bodydouble.service.json_input import reject_nul
from bodydouble.tasks.errors import BodydoubleError, InvalidParams, Kind, NotFound

# HTTP status and title of the error page.
ERROR_PAGES: Mapping[Kind, tuple[int, str]] = {
    Kind.UNKNOWN_CALLER: (401, "Sign in first"),
    Kind.UNPAID: (402, "Not enough credits"),
    Kind.FORBIDDEN: (403, "Not allowed"),
    Kind.MISSING: (404, "Not found"),
    Kind.CONFLICT: (409, "Not possible now"),
    Kind.TAKEN: (409, "Already exists"),
    Kind.INVALID: (422, "Invalid input"),
    Kind.TOO_MANY: (429, "Too many requests"),
    Kind.CLOSED: (503, "Not available"),
    Kind.NOT_OFFERED: (503, "Not available"),
    Kind.FULL: (507, "No storage space"),
    Kind.FAULT: (500, "Internal error"),
}
GENERIC_MESSAGES = {
    Kind.FAULT: "The service is temporarily unavailable; try again.",
    Kind.FULL: "The service has no storage space for files at the moment; try again later.",
}
"""Messages shown instead of the error's own message, which is only logged."""
FLASH = "bodydouble_flash"
FLASH_SECONDS, FLASH_CHARACTERS_MAX = 60, 600
THEMES = ("light", "dark")
_log = structlog.get_logger("bodydouble.console")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bodydouble.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(formatting.FILTERS)
    return environment


def render(
    request: Request, template: str, user: SignedInUser | None = None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Render a page or a part of one (template name starts with ``_``) in the user's theme and time zone."""
    theme = request.cookies.get("bodydouble_theme", "")
    is_part = template.startswith("_")  # a part cannot show the flash message, so it must not consume it
    flash = None if is_part else _read_flash(request)
    content = (
        _environment()
        .get_template(template)
        .render(
            user=user,
            path=request.url.path,
            assets=asset_root(),
            version=__version__,
            theme=theme if theme in THEMES else "auto",
            zone=formatting.known_zone(request.cookies.get("bodydouble_zone", "")),
            flash=flash,
            **values,
        )
    )
    response = HTMLResponse(content, status_code=status)
    if flash:
        response.delete_cookie(FLASH)
    return response


def redirect(request: Request, path: str, message: str = "", *, kind: str = "done") -> Response:
    """Redirect to a page of the console that shows ``message`` once."""
    response = RedirectResponse(path, 303)
    if message:
        text = quote(json.dumps([kind, message[:FLASH_CHARACTERS_MAX]]))
        response.set_cookie(FLASH, text, max_age=FLASH_SECONDS, httponly=True, samesite="strict")
    return response


def _read_flash(request: Request) -> Mapping[str, str] | None:
    try:
        kind, message = json.loads(unquote(request.cookies.get(FLASH, "")))
    except (ValueError, TypeError):
        return None
    return {"kind": "error" if kind == "error" else "done", "message": str(message)}


def wants_json(request: Request) -> bool:
    """Whether a JavaScript module of the console sent the request."""
    return request.headers.get("accept", "").startswith("application/json")


def status_of(error: BodydoubleError) -> int:
    """The HTTP status of a page that shows this error."""
    return ERROR_PAGES[error.kind][0]


def error_page(request: Request, error: BodydoubleError) -> Response:
    """A page that shows the error."""
    return add_security_headers(request, _error_page(request, error.kind, error.message))


def _error_page(request: Request, kind: Kind, message: str) -> Response:
    status, title = ERROR_PAGES[kind]
    return render(request, "error.html", status=status, code=status, title=title, message=message)


class PageRoute(APIRoute):
    """A console route: rejects cross-site posts, shows errors as pages, adds security headers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler with the console's checks around it."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                reject_nul((request.url.path, *request.query_params.values()))
                if request.method == "POST":
                    await check_posted(request)
                response = await handler(request)
            except BodydoubleError as error:
                response = _error_response(request, error)
            except RequestValidationError:
                response = _error_response(request, NotFound("This page does not exist"))
            return add_security_headers(request, response)

        return handle


def _error_response(request: Request, error: BodydoubleError) -> Response:
    status, message = status_of(error), error.message
    if error.kind in GENERIC_MESSAGES:
        _log.error("failed", reason=error.reason, message=message)
        message = GENERIC_MESSAGES[error.kind]
    if wants_json(request):
        problems = (
            [formatting.without_wire_prefix(p) for p in error.problems] if isinstance(error, InvalidParams) else []
        )
        return JSONResponse({"message": "; ".join(problems) or message, "problems": problems}, status_code=status)
    if error.kind is Kind.UNKNOWN_CALLER:
        return _to_sign_in(request)
    if request.method == "POST" and COOKIE in request.cookies:
        return redirect(request, _referer_path(request), message, kind="error")
    return _error_page(request, error.kind, message)


def _to_sign_in(request: Request) -> Response:
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET":
        # Browsers omit a SameSite=Strict cookie when following a link of another site: reload from this page.
        return render(request, "reload.html", target="")
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/sign-in" if target == "/" else f"/sign-in?next={quote(target)}", 303)


def _referer_path(request: Request) -> str:
    parts = urlsplit(request.headers.get("referer", ""))
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""))


def local_path(path: str) -> str:
    """``path`` if it is a path of this site, otherwise ``/``. Prevents open redirects."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\", "/sign-")) and path.isprintable()
    return path if is_local else "/"


def add_security_headers(request: Request, response: Response) -> Response:
    """Add headers against injected content and embedding by other sites."""
    console: Console | None = getattr(request.app.state, "console", None)
    media_sources = " ".join(["", *console.media_origins]) if console else ""
    response.headers.update(
        {
            "content-security-policy": (
                "default-src 'none'; script-src 'self'; style-src 'self'; "
                f"img-src 'self' blob:{media_sources}; media-src 'self' blob:{media_sources}; "
                f"connect-src 'self'{media_sources}; "
                "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            ),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
        }
    )
    response.headers.setdefault("cache-control", "no-store")
    return response
