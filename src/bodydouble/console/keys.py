"""Keys of the account, and the secret that signs its callbacks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bodydouble.console.pages import PageRoute, redirect, render
from bodydouble.console.visitors import ConsoleDep, FormDep, Visitor, VisitorDep
from bodydouble.console.wiring import Console
from bodydouble.tasks.account import Scope
from bodydouble.tasks.errors import InvalidParams

router = APIRouter(route_class=PageRoute, include_in_schema=False)

EXPIRIES = {"": "Never", "1": "In a day", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}
GRACES = {"0": "At once", "3600": "In an hour", "86400": "In a day"}


@router.get("/keys")
async def keys_page(request: Request, console: ConsoleDep, who: VisitorDep) -> Response:
    """All keys, newest first."""
    return await _page(request, console, who)


async def _page(request: Request, console: Console, who: Visitor, **shown: str) -> Response:
    now = datetime.now(UTC)
    keys = [
        (key, "expired" if key.expires_at and key.expires_at <= now else "disabled" if key.disabled else "active")
        for key in reversed(await console.accounts.keys(who.caller))
    ]
    keys.sort(key=lambda pair: pair[1] == "expired")
    secrets = console.accounts.webhook_secrets(who.account, now)
    values: dict[str, Any] = {"new_key": "", "new_key_name": "", "new_webhook_secret": ""} | shown
    return render(
        request,
        "keys.html",
        who,
        keys=keys,
        expiries=EXPIRIES,
        graces=GRACES,
        base_url=console.base_url,
        webhook_secrets=len(secrets),
        **values,
    )


@router.post("/keys")
async def create_key(request: Request, console: ConsoleDep, who: VisitorDep, form: FormDep) -> Response:
    """Make a key; this answer is the only one that shows it."""
    expires, scope = form.get("expires", ""), form.get("scope", "all")
    if expires not in EXPIRIES or scope not in set(Scope):
        raise InvalidParams(["form: choose one of the offered values"])
    expires_at = datetime.now(UTC) + timedelta(days=int(expires)) if expires else None
    made = await console.accounts.create_key(who.account.id, form.get("name", ""), Scope(scope), expires_at)
    return await _page(request, console, who, new_key=made.secret, new_key_name=made.key.name)


@router.post("/keys/{key_id}/rotate")
async def rotate_key(request: Request, console: ConsoleDep, who: VisitorDep, form: FormDep, key_id: int) -> Response:
    """A new secret under the same name; the old one ends."""
    grace = form.get("grace", "0")
    if grace not in GRACES:
        raise InvalidParams(["grace: choose one of the offered values"])
    made = await console.accounts.rotate_key(who.caller, key_id, float(grace))
    return await _page(request, console, who, new_key=made.secret, new_key_name=made.key.name)


@router.post("/keys/{key_id}/disable")
async def disable_key(request: Request, console: ConsoleDep, who: VisitorDep, key_id: int) -> Response:
    """Refuse it from now on."""
    key = await console.accounts.set_key_disabled(who.caller, key_id, disabled=True)
    return redirect(request, "/keys", f"Key {key.name or key.prefix} is disabled; requests with it are refused.")


@router.post("/keys/{key_id}/enable")
async def enable_key(request: Request, console: ConsoleDep, who: VisitorDep, key_id: int) -> Response:
    """Take it again."""
    key = await console.accounts.set_key_disabled(who.caller, key_id, disabled=False)
    return redirect(request, "/keys", f"Key {key.name or key.prefix} works again.")


@router.post("/keys/webhook-secret")
async def show_webhook_secret(request: Request, console: ConsoleDep, who: VisitorDep) -> Response:
    """Show the secret that signs callbacks."""
    return await _page(request, console, who, new_webhook_secret=console.accounts.webhook_secret(who.account))


@router.post("/keys/webhook-secret/rotate")
async def rotate_webhook_secret(request: Request, console: ConsoleDep, who: VisitorDep) -> Response:
    """A new one; the old one signs beside it for a day."""
    _, secret = await console.accounts.rotate_webhook_secret(who.caller)
    return await _page(request, console, who, new_webhook_secret=secret)
