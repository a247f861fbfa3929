"""Signing in, by a link that works once or through an identity provider, and signing out."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from bodydouble.console.pages import PageRoute, own_path, redirect, render, status_of
from bodydouble.console.visitors import COOKIE, ConsoleDep, FormDep
from bodydouble.console.wiring import Console
from bodydouble.service.single_sign_on import ATTEMPT_SECONDS, SingleSignOn
from bodydouble.tasks.errors import BodydoubleError, IdentityRefused, NotFound, ProviderUnavailable, Unauthenticated

router = APIRouter(route_class=PageRoute, include_in_schema=False)

TICKET = "bodydouble_sign_in"


@router.get("/sign-in")
async def sign_in_page(request: Request, console: ConsoleDep, link: str = "", next: str = "/") -> Response:
    """With a link: a button that signs in (a mail program that looks at links presses no buttons). Else: how to."""
    try:
        await console.sessions.session(request.cookies.get(COOKIE))
    except Unauthenticated:
        return _page(request, console, own_path(next), link=link)
    return RedirectResponse(own_path(next), 303)


@router.post("/sign-in")
async def sign_in(request: Request, console: ConsoleDep, form: FormDep) -> Response:
    """Use up the link."""
    _note_try(request)
    target = own_path(form.get("next", "/"))
    try:
        token = await console.sessions.sign_in(form.get("link", ""))
    except Unauthenticated as error:
        return _page(request, console, target, error)
    return _with_session(console, RedirectResponse(target, 303), token)


@router.get("/sign-in/begin")
async def begin(request: Request, console: ConsoleDep, next: str = "/") -> Response:
    """Off to the identity provider."""
    _note_try(request)
    target = own_path(next)
    try:
        departure = await _single_sign_on(console).depart(target)
    except ProviderUnavailable as error:
        return _page(request, console, target, error)
    answer = RedirectResponse(departure.url, 303)
    # Lax: the provider's redirect comes from another site, and a strict cookie would stay behind.
    answer.set_cookie(
        TICKET, departure.ticket, max_age=ATTEMPT_SECONDS, path="/sign-in", httponly=True, samesite="lax",
        secure=_is_secure(console),
    )  # fmt: skip
    return answer


@router.get("/sign-in/callback")
async def come_back(request: Request, console: ConsoleDep) -> Response:
    """Back from the identity provider."""
    _note_try(request)
    try:
        arrival = await _single_sign_on(console).arrive(request.cookies.get(TICKET, ""), request.query_params)
    except (ProviderUnavailable, IdentityRefused) as error:
        answer = _page(request, console, "/", error)
    else:
        # A page of ours asks for the target: what another site leads to comes without the session's strict cookie.
        answer = _with_session(console, render(request, "again.html", target=arrival.target), arrival.token)
    answer.delete_cookie(TICKET, path="/sign-in")
    return answer


def _single_sign_on(console: Console) -> SingleSignOn:
    if console.single_sign_on is None:
        raise NotFound("There is no identity provider on this installation")
    return console.single_sign_on


def _note_try(request: Request) -> None:
    request.app.state.sign_in_limit.note(request.client.host if request.client else "")


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


def _with_session(console: Console, answer: Response, token: str) -> Response:
    seconds = int(console.sessions.limits.session_seconds)
    answer.set_cookie(COOKIE, token, max_age=seconds, httponly=True, samesite="strict", secure=_is_secure(console))
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, console: ConsoleDep) -> Response:
    """End the session here and in the database."""
    await console.sessions.sign_out(request.cookies.get(COOKIE, ""))
    answer = redirect(request, "/sign-in", "You are signed out.")
    answer.delete_cookie(COOKIE)
    return answer
