"""The account that a client's key belongs to: keys, usage, callbacks. The hosted service does not have this."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bodydouble_client.account_info import CallbackInfo, KeyInfo, NewKey, UsageDay
from bodydouble_client.asynchronous.operations import Operations
from bodydouble_client.task_request import unix_seconds


class AsyncAccount:
    """``AsyncClient.account``. Every method raises FeatureUnavailable if the service does not have it."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def keys(self) -> list[KeyInfo]:
        """The account's keys, oldest first."""
        data = await self._operations.call_optional("GET", "account/keys")
        return [KeyInfo.from_data(key) for key in data["keys"]]

    async def create_key(self, name: str = "", *, scope: str = "all", expires_at: datetime | None = None) -> NewKey:
        """Create a key; ``scope`` is ``all`` or ``read``. Raises InvalidRequest, AuthenticationError."""
        body = {"name": name, "scope": scope, "expires_at": unix_seconds(expires_at)}
        return _new_key(await self._operations.call_optional("POST", "account/keys", body=body, repeatable=False))

    async def disable_key(self, key_id: int) -> KeyInfo:
        """Disable a key immediately. Raises NotFound, AuthenticationError."""
        return KeyInfo.from_data(await self._operations.call_optional("POST", f"account/keys/{key_id}/disable"))

    async def enable_key(self, key_id: int) -> KeyInfo:
        """Enable a key again. Raises NotFound, AuthenticationError."""
        return KeyInfo.from_data(await self._operations.call_optional("POST", f"account/keys/{key_id}/enable"))

    async def rotate_key(self, key_id: int, *, grace_seconds: int = 0) -> NewKey:
        """Create a replacement for a key, which expires after the grace. Raises NotFound, AuthenticationError."""
        path, params = f"account/keys/{key_id}/rotate", {"grace_seconds": grace_seconds}
        return _new_key(await self._operations.call_optional("POST", path, params=params, repeatable=False))

    async def usage(self, days: int = 30) -> list[UsageDay]:
        """Usage by day and model, newest first; days without tasks are omitted. Raises InvalidRequest."""
        data = await self._operations.call_optional("GET", "account/usage", params={"days": days})
        return [UsageDay.from_data(line) for line in data["days"]]

    async def callbacks(self, task_id: str) -> list[CallbackInfo]:
        """A task's callbacks, newest first, with every delivery attempt. Raises NotFound."""
        data = await self._operations.call_optional("GET", "job/Callbacks", params={"task_id": task_id})
        return [CallbackInfo.from_data(entry) for entry in data["deliveries"]]

    async def resend_callback(self, task_id: str) -> str:
        """Send a task's callback again now; its ``webhook-id``, which stays the same. Raises NotFound."""
        data = await self._operations.call_optional("POST", "job/ResendCallback", params={"task_id": task_id})
        return str(data["delivery_id"])

    async def webhook_secret(self) -> str:
        """The secret that signs the account's callbacks, for ``verify_webhook``.

        Raises:
            AuthenticationError: the client uses a ``read`` key.
        """
        return str((await self._operations.call_optional("GET", "account/webhook-secret"))["secret"])

    async def rotate_webhook_secret(self) -> str:
        """Create a new webhook secret; for one day, callbacks are signed with both.

        Raises:
            AuthenticationError: the client uses a ``read`` key.
        """
        path = "account/webhook-secret/rotate"
        return str((await self._operations.call_optional("POST", path, repeatable=False))["secret"])


def _new_key(data: Mapping[str, Any]) -> NewKey:
    return NewKey(key=KeyInfo.from_data(data["key"]), secret=data["secret"])
