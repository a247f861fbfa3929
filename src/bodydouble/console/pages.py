"""From a template to an answer, and from an error to a page that says what to do."""

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
from bodydouble.console import wording
from bodydouble.console.assets import asset_root
from bodydouble.console.visitors import COOKIE, Visitor, check_posted
from bodydouble.console.wiring import Console
from bodydouble.tasks.errors import BodydoubleError, InvalidParams, Kind, NotFound

# The HTTP status of the page, and its title.
PAGES: Mapping[Kind, tuple[int, str]] = {
    Kind.UNKNOWN_CALLER: (401, "Sign in first"),
    Kind.UNPAID: (402, "Not enough credits"),
    Kind.FORBIDDEN: (403, "Not allowed"),
    Kind.MISSING: (404, "Not found"),
    Kind.CONFLICT: (409, "Not yet"),
    Kind.TAKEN: (409, "Taken already"),
    Kind.INVALID: (422, "That does not work"),
    Kind.TOO_MANY: (429, "Too many requests"),
    Kind.CLOSED: (503, "Not available"),
    Kind.NOT_OFFERED: (503, "Not available"),
    Kind.FULL: (507, "No room for files"),
    Kind.FAULT: (500, "Something went wrong"),
}
OUTAGES = {
    Kind.FAULT: "The service is not available for the moment; try again.",
    Kind.FULL: "There is no room for files at the moment; try again later.",
}
"""What people are told where the error's own words are for the log."""
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
    environment.filters.update(wording.FILTERS)
    return environment


def render(
    request: Request, template: str, who: Visitor | None = None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page, or a part of one, in the reader's theme and time zone."""
    theme = request.cookies.get("bodydouble_theme", "")
    part = template.startswith("_")  # it has no place for a note, and must not take the next page's
    note = None if part else _read_flash(request)
    content = (
        _environment()
        .get_template(template)
        .render(
            who=who,
            path=request.url.path,
            assets=asset_root(),
            version=__version__,
            theme=theme if theme in THEMES else "auto",
            zone=wording.known_zone(request.cookies.get("bodydouble_zone", "")),
            flash=note,
            **values,
        )
    )
    answer = HTMLResponse(content, status_code=status)
    if note:
        answer.delete_cookie(FLASH)
    return answer


def redirect(request: Request, path: str, message: str = "", *, kind: str = "done") -> Response:
    """After a form: to a page of ours that shows ``message`` once."""
    answer = RedirectResponse(path, 303)
    if message:
        text = quote(json.dumps([kind, message[:FLASH_CHARACTERS_MAX]]))
        answer.set_cookie(FLASH, text, max_age=FLASH_SECONDS, httponly=True, samesite="strict")
    return answer


def _read_flash(request: Request) -> Mapping[str, str] | None:
    try:
        kind, message = json.loads(unquote(request.cookies.get(FLASH, "")))
    except (ValueError, TypeError):
        return None
    return {"kind": "error" if kind == "error" else "done", "message": str(message)}


def wants_json(request: Request) -> bool:
    """Whether a module of ours asked, and not a person."""
    return request.headers.get("accept", "").startswith("application/json")


def status_of(error: BodydoubleError) -> int:
    """The HTTP status of a page that shows this error."""
    return PAGES[error.kind][0]


def error_page(request: Request, error: BodydoubleError) -> Response:
    """A page that says what is wrong."""
    return secured(request, _error_page(request, error.kind, error.message))


def _error_page(request: Request, kind: Kind, message: str) -> Response:
    status, title = PAGES[kind]
    return render(request, "error.html", status=status, code=status, title=title, message=message)


class PageRoute(APIRoute):
    """A route of the console: checks what is posted, shows errors as pages, and sends the headers that protect."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler in ours."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                if request.method == "POST":
                    await check_posted(request)
                answer = await handler(request)
            except BodydoubleError as error:
                answer = _failed(request, error)
            except RequestValidationError:
                answer = _failed(request, NotFound("There is no such page"))
            return secured(request, answer)

        return handle


def _failed(request: Request, error: BodydoubleError) -> Response:
    status, message = status_of(error), error.message
    if error.kind in OUTAGES:
        _log.error("failed", reason=error.reason, message=message)
        message = OUTAGES[error.kind]
    if wants_json(request):
        problems = [wording.plain_problem(p) for p in error.problems] if isinstance(error, InvalidParams) else []
        return JSONResponse({"message": "; ".join(problems) or message, "problems": problems}, status_code=status)
    if error.kind is Kind.UNKNOWN_CALLER:
        return _to_sign_in(request)
    if request.method == "POST" and COOKIE in request.cookies:
        return redirect(request, _came_from(request), message, kind="error")
    return _error_page(request, error.kind, message)


def _to_sign_in(request: Request) -> Response:
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET":
        # A strict cookie does not come along from another site's link: the page asks for itself once more.
        return render(request, "again.html", target="")
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/sign-in" if target == "/" else f"/sign-in?next={quote(target)}", 303)


def _came_from(request: Request) -> str:
    parts = urlsplit(request.headers.get("referer", ""))
    return own_path(parts.path + (f"?{parts.query}" if parts.query else ""))


def own_path(path: str) -> str:
    """``path`` where it is one of this installation, else the first page: nobody is sent elsewhere."""
    good = path.startswith("/") and not path.startswith(("//", "/\\", "/sign-")) and path.isprintable()
    return path if good else "/"


def secured(request: Request, answer: Response) -> Response:
    """With the headers that keep other sites and injected content out."""
    console: Console | None = getattr(request.app.state, "console", None)
    elsewhere = " ".join(["", *console.media_origins]) if console else ""
    answer.headers.update(
        {
            "content-security-policy": (
                "default-src 'none'; script-src 'self'; style-src 'self'; "
                f"img-src 'self' blob:{elsewhere}; media-src 'self' blob:{elsewhere}; connect-src 'self'{elsewhere}; "
                "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            ),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
        }
    )
    answer.headers.setdefault("cache-control", "no-store")
    return answer
