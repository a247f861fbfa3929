"""Signing in by a link that works once, and signing out."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from bodydouble.console.pages import PageRoute, own_path, redirect, render
from bodydouble.console.visitors import COOKIE, ConsoleDep, FormDep
from bodydouble.tasks.errors import Unauthenticated

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/sign-in")
async def sign_in_page(request: Request, console: ConsoleDep, link: str = "", next: str = "/") -> Response:
    """With a link: a button that signs in (a mail program that looks at links presses no buttons). Else: how to."""
    try:
        await console.sessions.session(request.cookies.get(COOKIE))
    except Unauthenticated:
        return render(request, "sign_in.html", link=link, next=own_path(next), problem="", providers=())
    return RedirectResponse(own_path(next), 303)


@router.post("/sign-in")
async def sign_in(request: Request, console: ConsoleDep, form: FormDep) -> Response:
    """Use up the link."""
    request.app.state.sign_in_limit.note(request.client.host if request.client else "")
    target = own_path(form.get("next", "/"))
    try:
        token = await console.sessions.sign_in(form.get("link", ""))
    except Unauthenticated as error:
        return render(request, "sign_in.html", status=401, link="", next=target, problem=error.message, providers=())
    return signed_in(console.base_url, token, int(console.sessions.limits.session_seconds), target)


def signed_in(base_url: str, token: str, seconds: int, target: str) -> Response:
    """To ``target``, with the session's cookie."""
    answer = RedirectResponse(target, 303)
    answer.set_cookie(
        COOKIE, token, max_age=seconds, httponly=True, samesite="strict", secure=base_url.startswith("https://")
    )
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, console: ConsoleDep) -> Response:
    """End the session here and in the database."""
    await console.sessions.sign_out(request.cookies.get(COOKIE, ""))
    answer = redirect(request, "/sign-in", "You are signed out.")
    answer.delete_cookie(COOKIE)
    return answer
