"""The account behind a client: keys, usage, callbacks. The hosted service has none of this."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bodydouble.client.account_info import CallbackInfo, KeyInfo, NewKey, UsageDay
from bodydouble.client.operations import Operations, unix
from bodydouble.client.transport import run


class AsyncAccount:
    """``AsyncClient.account``. Every method raises FeatureUnavailable where the service does not have it."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def keys(self) -> list[KeyInfo]:
        """The account's keys, oldest first."""
        return [KeyInfo.from_data(key) for key in (await self._operations.ask("GET", "account/keys"))["keys"]]

    async def create_key(self, name: str = "", *, scope: str = "all", expires_at: datetime | None = None) -> NewKey:
        """A further key; ``scope`` is ``all`` or ``read``. Raises InvalidRequest, AuthenticationError."""
        body = {"name": name, "scope": scope, "expires_at": unix(expires_at)}
        return _new(await self._operations.ask("POST", "account/keys", body=body, repeatable=False))

    async def disable_key(self, key_id: int) -> KeyInfo:
        """Switch a key off, at once. Raises NotFound, AuthenticationError."""
        return KeyInfo.from_data(await self._operations.ask("POST", f"account/keys/{key_id}/disable"))

    async def enable_key(self, key_id: int) -> KeyInfo:
        """Switch it on again. Raises NotFound, AuthenticationError."""
        return KeyInfo.from_data(await self._operations.ask("POST", f"account/keys/{key_id}/enable"))

    async def rotate_key(self, key_id: int, *, grace_seconds: int = 0) -> NewKey:
        """A new key in the place of this one, which ends after the grace. Raises NotFound, AuthenticationError."""
        path, params = f"account/keys/{key_id}/rotate", {"grace_seconds": grace_seconds}
        return _new(await self._operations.ask("POST", path, params=params, repeatable=False))

    async def usage(self, days: int = 30) -> list[UsageDay]:
        """By day and model, newest first; days without tasks are left out. Raises InvalidRequest."""
        found = await self._operations.ask("GET", "account/usage", params={"days": days})
        return [UsageDay.from_data(line) for line in found["days"]]

    async def callbacks(self, task_id: str) -> list[CallbackInfo]:
        """A task's callbacks, newest first, with every try. Raises NotFound."""
        found = await self._operations.ask("GET", "job/Callbacks", params={"task_id": task_id})
        return [CallbackInfo.from_data(entry) for entry in found["deliveries"]]

    async def resend_callback(self, task_id: str) -> str:
        """Send it again, now; answers its ``webhook-id``, which stays the same. Raises NotFound."""
        sent = await self._operations.ask("POST", "job/ResendCallback", params={"task_id": task_id})
        return str(sent["delivery_id"])

    async def webhook_secret(self) -> str:
        """What signs the account's callbacks, for ``verify_webhook``. Raises AuthenticationError: a ``read`` key."""
        return str((await self._operations.ask("GET", "account/webhook-secret"))["secret"])

    async def rotate_webhook_secret(self) -> str:
        """A new one; the one before signs beside it for a day. Raises AuthenticationError: a ``read`` key."""
        made = await self._operations.ask("POST", "account/webhook-secret/rotate", repeatable=False)
        return str(made["secret"])


class Account:
    """``Client.account``: as ``AsyncAccount``, without awaiting."""

    def __init__(self, operations: Operations) -> None:
        self._awaited = AsyncAccount(operations)

    def keys(self) -> list[KeyInfo]:
        """The account's keys, oldest first."""
        return run(self._awaited.keys())

    def create_key(self, name: str = "", *, scope: str = "all", expires_at: datetime | None = None) -> NewKey:
        """A further key; ``scope`` is ``all`` or ``read``. Raises InvalidRequest, AuthenticationError."""
        return run(self._awaited.create_key(name, scope=scope, expires_at=expires_at))

    def disable_key(self, key_id: int) -> KeyInfo:
        """Switch a key off, at once. Raises NotFound, AuthenticationError."""
        return run(self._awaited.disable_key(key_id))

    def enable_key(self, key_id: int) -> KeyInfo:
        """Switch it on again. Raises NotFound, AuthenticationError."""
        return run(self._awaited.enable_key(key_id))

    def rotate_key(self, key_id: int, *, grace_seconds: int = 0) -> NewKey:
        """A new key in the place of this one, which ends after the grace. Raises NotFound, AuthenticationError."""
        return run(self._awaited.rotate_key(key_id, grace_seconds=grace_seconds))

    def usage(self, days: int = 30) -> list[UsageDay]:
        """By day and model, newest first; days without tasks are left out. Raises InvalidRequest."""
        return run(self._awaited.usage(days))

    def callbacks(self, task_id: str) -> list[CallbackInfo]:
        """A task's callbacks, newest first, with every try. Raises NotFound."""
        return run(self._awaited.callbacks(task_id))

    def resend_callback(self, task_id: str) -> str:
        """Send it again, now; answers its ``webhook-id``, which stays the same. Raises NotFound."""
        return run(self._awaited.resend_callback(task_id))

    def webhook_secret(self) -> str:
        """What signs the account's callbacks, for ``verify_webhook``. Raises AuthenticationError: a ``read`` key."""
        return run(self._awaited.webhook_secret())

    def rotate_webhook_secret(self) -> str:
        """A new one; the one before signs beside it for a day. Raises AuthenticationError: a ``read`` key."""
        return run(self._awaited.rotate_webhook_secret())


def _new(data: Mapping[str, Any]) -> NewKey:
    return NewKey(key=KeyInfo.from_data(data["key"]), secret=data["secret"])
