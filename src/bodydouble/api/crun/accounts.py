"""Endpoints for an account's credits, usage, API keys and webhook secret."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from bodydouble.api.authentication import AccountsDep, CallerDep
from bodydouble.api.crun.envelope import success
from bodydouble.api.crun.openapi import responses
from bodydouble.api.crun.prefix import CLIENT_API
from bodydouble.api.crun.response_models import (
    BalanceData,
    KeyData,
    KeyList,
    LedgerData,
    NewKeyData,
    UsageData,
    WebhookSecretData,
)
from bodydouble.api.request_bodies import describe_body, read_model
from bodydouble.api.routing import api_router
from bodydouble.service import Caller
from bodydouble.service.accounts import NAME_CHARACTERS_MAX, ROTATION_SECONDS, NewKey
from bodydouble.service.document import unix
from bodydouble.service.identifiers import KEY_ID_MAX
from bodydouble.tasks.account import Account, ApiKey, Scope

router = api_router(prefix=CLIENT_API)

DAYS_MAX = 366
"""Longest period of a usage report."""
GRACE_SECONDS_MAX = 30 * 24 * 3600
"""Longest time for which a replaced key still works."""
KeyId = Annotated[int, Path(ge=1, le=KEY_ID_MAX)]


class NewKeyBody(BaseModel):
    """Body of a request for a new key."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=NAME_CHARACTERS_MAX, description="A label for people.")
    scope: Scope = Field(Scope.ALL, description="A `read` key cannot create, cancel or delete tasks, nor manage keys.")
    expires_at: int | None = Field(
        None, ge=0, le=253_402_300_799, description="Unix seconds; null for a key that never expires."
    )


@router.get("/account/balance", operation_id="getBalance", tags=["credits"], responses=responses(BalanceData))
async def balance(accounts: AccountsDep, caller: CallerDep) -> Response:
    """Get the available credits: neither spent nor reserved."""
    return success({"balance": await accounts.balance(caller)})


@router.get("/account/usage", operation_id="getUsage", tags=["credits"], responses=responses(UsageData))
async def usage(
    accounts: AccountsDep, caller: CallerDep, days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = 30
) -> Response:
    """Get usage by day (UTC) and model for the last `days` days, including today."""
    found = await accounts.usage(caller, days)
    lines = [
        {"day": u.day, "model": u.model, "succeeded": u.succeeded, "failed": u.failed, "credits": u.credits}
        for u in found
    ]
    return success({"days": lines})


@router.get("/account/ledger", operation_id="getLedger", tags=["credits"], responses=responses(LedgerData))
async def ledger(
    accounts: AccountsDep,
    caller: CallerDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="The `next_cursor` of the previous page.")] = None,
) -> Response:
    """List the transfers of the account's credits, newest first."""
    page = await accounts.ledger(caller, cursor, limit)
    entries = [
        {
            "id": e.id,
            "task_id": e.task,
            "kind": e.kind,
            "amount": e.amount,
            "memo": e.memo,
            "created_at": unix(e.created_at),
        }
        for e in page.entries
    ]
    return success({"entries": entries, "next_cursor": page.next_cursor})


@router.get("/account/keys", operation_id="listKeys", tags=["keys"], responses=responses(KeyList))
async def keys(accounts: AccountsDep, caller: CallerDep) -> Response:
    """List the account's keys, oldest first, without their secrets."""
    return success({"keys": [_key_data(caller, key) for key in await accounts.keys(caller)]})


@router.post(
    "/account/keys",
    operation_id="createKey",
    tags=["keys"],
    openapi_extra=describe_body(NewKeyBody, {"name": "ci", "scope": "read"}),
    responses=responses(NewKeyData),
)
async def create_key(request: Request, accounts: AccountsDep, caller: CallerDep) -> Response:
    """Create a key. Its secret is returned only in this response."""
    body = await read_model(request, NewKeyBody)
    expires_at = None if body.expires_at is None else datetime.fromtimestamp(body.expires_at, UTC)
    return success(_new_key_data(caller, await accounts.add_key(caller, body.name, body.scope, expires_at)))


@router.post(
    "/account/keys/{key_id}/disable", operation_id="disableKey", tags=["keys"], responses=responses(KeyData, 404)
)
async def disable_key(accounts: AccountsDep, caller: CallerDep, key_id: KeyId) -> Response:
    """Disable a key immediately."""
    return success(_key_data(caller, await accounts.set_key_disabled(caller, key_id, disabled=True)))


@router.post(
    "/account/keys/{key_id}/enable", operation_id="enableKey", tags=["keys"], responses=responses(KeyData, 404)
)
async def enable_key(accounts: AccountsDep, caller: CallerDep, key_id: KeyId) -> Response:
    """Enable a disabled key."""
    return success(_key_data(caller, await accounts.set_key_disabled(caller, key_id, disabled=False)))


@router.post(
    "/account/keys/{key_id}/rotate", operation_id="rotateKey", tags=["keys"], responses=responses(NewKeyData, 404)
)
async def rotate_key(
    accounts: AccountsDep,
    caller: CallerDep,
    key_id: KeyId,
    grace_seconds: Annotated[
        int, Query(ge=0, le=GRACE_SECONDS_MAX, description="The old key expires after this time.")
    ] = 0,
) -> Response:
    """Replace a key by a new one with the same name and scope. The secret is returned only in this response."""
    return success(_new_key_data(caller, await accounts.rotate_key(caller, key_id, grace_seconds)))


@router.get(
    "/account/webhook-secret",
    operation_id="getWebhookSecret",
    tags=["callbacks"],
    responses=responses(WebhookSecretData),
)
async def webhook_secret(accounts: AccountsDep, caller: CallerDep) -> Response:
    """Get the secret that signs the account's callbacks (Standard Webhooks). Requires a key of scope `all`."""
    account, secret = await accounts.show_webhook_secret(caller)
    return success(_secret_data(account, secret))


@router.post(
    "/account/webhook-secret/rotate",
    operation_id="rotateWebhookSecret",
    tags=["callbacks"],
    responses=responses(WebhookSecretData),
)
async def rotate_webhook_secret(accounts: AccountsDep, caller: CallerDep) -> Response:
    """Create a new secret. Callbacks are also signed with the previous one for a day, so that receivers can switch."""
    account, secret = await accounts.rotate_webhook_secret(caller)
    return success(_secret_data(account, secret))


def _secret_data(account: Account, secret: str) -> dict[str, Any]:
    rotated = account.webhook_rotations[0] if account.webhook_rotations else None
    until = rotated + timedelta(seconds=ROTATION_SECONDS) if rotated else None
    return {"secret": secret, "rotated_at": unix(rotated), "former_signs_until": unix(until)}


def _key_data(caller: Caller, key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scope": key.scope,
        "disabled": key.disabled,
        "current": caller.key is not None and caller.key.id == key.id,
        "created_at": unix(key.created_at),
        "last_used_at": unix(key.last_used_at),
        "expires_at": unix(key.expires_at),
    }


def _new_key_data(caller: Caller, new: NewKey) -> dict[str, Any]:
    return {"key": _key_data(caller, new.key), "secret": new.secret}
