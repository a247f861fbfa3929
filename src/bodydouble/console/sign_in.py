"""Sign-in by single-use link or identity provider, and sign-out."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from bodydouble.console.authentication import COOKIE, ConsoleDep, FormDep
from bodydouble.console.dependencies import Console
from bodydouble.console.pages import PageRoute, local_path, redirect, render, status_of
from bodydouble.service.single_sign_on import ATTEMPT_SECONDS, SingleSignOn
from bodydouble.tasks.errors import BodydoubleError, IdentityRefused, NotFound, ProviderUnavailable, Unauthenticated

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ATTEMPT_COOKIE = "bodydouble_sign_in"


@router.get("/sign-in")
async def sign_in_page(request: Request, console: ConsoleDep, link: str = "", next: str = "/") -> Response:
    """Show the sign-in page. A link needs a button press, because mail programs fetch links to scan them."""
    try:
        await console.sessions.session(request.cookies.get(COOKIE))
    except Unauthenticated:
        return _page(request, console, local_path(next), link=link)
    return RedirectResponse(local_path(next), 303)


@router.post("/sign-in")
async def sign_in(request: Request, console: ConsoleDep, form: FormDep) -> Response:
    """Sign in with a link. Each link works once."""
    _count_attempt(request)
    target = local_path(form.get("next", "/"))
    try:
        token = await console.sessions.sign_in(form.get("link", ""))
    except Unauthenticated as error:
        return _page(request, console, target, error)
    return _with_session(console, RedirectResponse(target, 303), token)


@router.get("/sign-in/begin")
async def start_single_sign_on(request: Request, console: ConsoleDep, next: str = "/") -> Response:
    """Redirect to the identity provider."""
    _count_attempt(request)
    target = local_path(next)
    try:
        authorization = await _single_sign_on(console).begin(target)
    except ProviderUnavailable as error:
        return _page(request, console, target, error)
    response = RedirectResponse(authorization.url, 303)
    # SameSite=Lax: the provider redirects from another site, and browsers would omit a Strict cookie.
    response.set_cookie(
        ATTEMPT_COOKIE, authorization.cookie, max_age=ATTEMPT_SECONDS, path="/sign-in", httponly=True, samesite="lax",
        secure=_is_secure(console),
    )  # fmt: skip
    return response


@router.get("/sign-in/callback")
async def finish_single_sign_on(request: Request, console: ConsoleDep) -> Response:
    """Handle the redirect back from the identity provider."""
    _count_attempt(request)
    try:
        signed_in = await _single_sign_on(console).complete(
            request.cookies.get(ATTEMPT_COOKIE, ""), request.query_params
        )
    except (ProviderUnavailable, IdentityRefused) as error:
        response = _page(request, console, "/", error)
    else:
        # Reload from this page: a redirect that started on another site would omit the Strict session cookie.
        response = _with_session(console, render(request, "reload.html", target=signed_in.target), signed_in.token)
    response.delete_cookie(ATTEMPT_COOKIE, path="/sign-in")
    return response


def _single_sign_on(console: Console) -> SingleSignOn:
    if console.single_sign_on is None:
        raise NotFound("This installation has no identity provider")
    return console.single_sign_on


def _count_attempt(request: Request) -> None:
    request.app.state.sign_in_limit.count(request.client.host if request.client else "")


def _page(
    request: Request, console: Console, target: str, error: BodydoubleError | None = None, link: str = ""
) -> Response:
    return render(
        request,
        "sign_in.html",
        status=status_of(error) if error else 200,
        link=link,
        next=target,
        problem=error.message if error else "",
        provider=console.single_sign_on.name if console.single_sign_on else "",
    )


def _is_secure(console: Console) -> bool:
    return console.base_url.startswith("https://")


def _with_session(console: Console, response: Response, token: str) -> Response:
    seconds = int(console.sessions.limits.session_seconds)
    response.set_cookie(COOKIE, token, max_age=seconds, httponly=True, samesite="strict", secure=_is_secure(console))
    return response


@router.post("/sign-out")
async def sign_out(request: Request, console: ConsoleDep) -> Response:
    """End the session and delete its cookie."""
    await console.sessions.sign_out(request.cookies.get(COOKIE, ""))
    response = redirect(request, "/sign-in", "You are signed out.")
    response.delete_cookie(COOKIE)
    return response
