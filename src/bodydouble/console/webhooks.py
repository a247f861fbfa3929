"""The page of webhooks: the secret that signs callbacks, a test, and the log of recent callbacks."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bodydouble.console.authentication import ConsoleDep, FormDep, SignedInUser, UserDep
from bodydouble.console.dependencies import Console
from bodydouble.console.pages import PageRoute, redirect, render
from bodydouble.tasks.delivery import CallbackMessage
from bodydouble.tasks.errors import InvalidParams

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ROWS = 20
URL_CHARACTERS_MAX = 2000
TEST_BODY = json.dumps({"task_id": None, "status": "success", "test": True, "message": "A test of your receiver."})


@router.get("/webhooks")
async def webhooks_page(request: Request, console: ConsoleDep, user: UserDep) -> Response:
    """Show the page."""
    return await _page(request, console, user)


async def _page(request: Request, console: Console, user: SignedInUser, **secrets_to_show: str) -> Response:
    secrets = console.accounts.webhook_secrets(user.account, datetime.now(UTC))
    values: dict[str, Any] = {"new_webhook_secret": ""} | secrets_to_show
    return render(
        request,
        "webhooks.html",
        user,
        webhook_secrets=len(secrets),
        callbacks=await console.callbacks.recent(user.caller, ROWS),
        base_url=console.base_url,
        url_characters_max=URL_CHARACTERS_MAX,
        **values,
    )


@router.post("/webhooks/secret")
async def show_secret(request: Request, console: ConsoleDep, user: UserDep) -> Response:
    """Show the secret that signs callbacks."""
    return await _page(request, console, user, new_webhook_secret=console.accounts.webhook_secret(user.account))


@router.post("/webhooks/secret/rotate")
async def rotate_secret(request: Request, console: ConsoleDep, user: UserDep) -> Response:
    """Create a new callback secret. The previous one also signs for a day."""
    _, secret = await console.accounts.rotate_webhook_secret(user.caller)
    return await _page(request, console, user, new_webhook_secret=secret)


@router.post("/webhooks/test")
async def send_test(request: Request, console: ConsoleDep, user: UserDep, form: FormDep) -> Response:
    """Send one signed callback to an address, under the rules of all callbacks."""
    user.caller.require_write()
    url = form.get("url", "").strip()
    if not url.startswith(("http://", "https://")) or len(url) > URL_CHARACTERS_MAX:
        raise InvalidParams(["Address: must be an http or https URL"])
    secrets = console.accounts.webhook_secrets(user.account, datetime.now(UTC))
    tried = await console.send_callback(url, uuid4(), CallbackMessage(body=TEST_BODY.encode(), secrets=secrets))
    outcome = f"status {tried.http_status}" if tried.http_status else "no response"
    why = f": {tried.error}" if tried.error else ""
    received = tried.http_status is not None and 200 <= tried.http_status < 300
    message = f"{url} answered the test with {outcome} in {tried.milliseconds} ms{why}"
    return redirect(request, "/webhooks", message, kind="done" if received else "error")
