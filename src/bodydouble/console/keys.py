"""The page of API keys."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from bodydouble.console.authentication import ConsoleDep, FormDep, SignedInUser, UserDep
from bodydouble.console.dependencies import Console
from bodydouble.console.pages import PageRoute, redirect, render
from bodydouble.service.identifiers import KEY_ID_MAX
from bodydouble.tasks.account import Scope
from bodydouble.tasks.errors import InvalidParams

router = APIRouter(route_class=PageRoute, include_in_schema=False)

EXPIRIES = {"": "Never", "1": "In 1 day", "30": "In 30 days", "90": "In 90 days", "365": "In 1 year"}
KeyId = Annotated[int, Path(ge=1, le=KEY_ID_MAX)]
GRACES = {"0": "Immediately", "3600": "In 1 hour", "86400": "In 1 day"}


@router.get("/keys")
async def keys_page(request: Request, console: ConsoleDep, user: UserDep) -> Response:
    """Show all keys, newest first."""
    return await _page(request, console, user)


async def _page(request: Request, console: Console, user: SignedInUser, **secrets_to_show: str) -> Response:
    """The page of keys; ``secrets_to_show`` are in this response alone."""
    now = datetime.now(UTC)
    keys = [
        (key, "expired" if key.expires_at and key.expires_at <= now else "disabled" if key.disabled else "active")
        for key in reversed(await console.accounts.keys(user.caller))
    ]
    keys.sort(key=lambda pair: pair[1] == "expired")
    values: dict[str, Any] = {"new_key": "", "new_key_name": ""} | secrets_to_show
    return render(
        request,
        "keys.html",
        user,
        keys=keys,
        expiries=EXPIRIES,
        graces=GRACES,
        base_url=console.base_url,
        **values,
    )


@router.post("/keys")
async def create_key(request: Request, console: ConsoleDep, user: UserDep, form: FormDep) -> Response:
    """Create a key and show its secret, once."""
    expires, scope = form.get("expires", ""), form.get("scope", "all")
    if expires not in EXPIRIES or scope not in set(Scope):
        raise InvalidParams(["form: choose one of the listed values"])
    expires_at = datetime.now(UTC) + timedelta(days=int(expires)) if expires else None
    new = await console.accounts.create_key(user.account.id, form.get("name", ""), Scope(scope), expires_at)
    return await _page(request, console, user, new_key=new.secret, new_key_name=new.key.name)


@router.post("/keys/{key_id}/rotate")
async def rotate_key(request: Request, console: ConsoleDep, user: UserDep, form: FormDep, key_id: KeyId) -> Response:
    """Replace a key by a new one with the same name and scope."""
    grace = form.get("grace", "0")
    if grace not in GRACES:
        raise InvalidParams(["grace: choose one of the listed values"])
    new = await console.accounts.rotate_key(user.caller, key_id, float(grace))
    return await _page(request, console, user, new_key=new.secret, new_key_name=new.key.name)


@router.post("/keys/{key_id}/disable")
async def disable_key(request: Request, console: ConsoleDep, user: UserDep, key_id: KeyId) -> Response:
    """Disable a key."""
    key = await console.accounts.set_key_disabled(user.caller, key_id, disabled=True)
    return redirect(request, "/keys", f"Key {key.name or key.prefix} is disabled. Requests with it are rejected.")


@router.post("/keys/{key_id}/enable")
async def enable_key(request: Request, console: ConsoleDep, user: UserDep, key_id: KeyId) -> Response:
    """Enable a key."""
    key = await console.accounts.set_key_disabled(user.caller, key_id, disabled=False)
    return redirect(request, "/keys", f"Key {key.name or key.prefix} is enabled.")
