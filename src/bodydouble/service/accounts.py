"""The use cases of accounts: keys, credits, usage, and the secret that signs callbacks."""

import base64
import dataclasses
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bodydouble.service.callers import Caller
from bodydouble.tasks.account import Account, AccountId, ApiKey, NewApiKey, Scope, hash_api_key, make_api_key
from bodydouble.tasks.credits import LedgerEntry, UsageDay
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.ports import AccountStore

KEY_PREFIX_LENGTH = 9  # "ak_" and six digits: enough to tell keys apart, far from enough to guess one
NAME_CHARACTERS_MAX = 100
KEYS_MAX = 100
KEYS_SHOWN_MAX = 2 * KEYS_MAX
"""Including keys that expired within the last day."""
ROTATION_SECONDS = 24 * 3600
"""Time for which a former secret signs in addition to the new one, so that receivers can switch."""
ROTATIONS_MAX = 8
"""Rotations of the webhook secret within that time. Every callback carries a signature of each secret."""


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key and its secret, which is shown only once."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, kw_only=True)
class LedgerPage:
    """A page of transfers, newest first, and the cursor of the next page (None: last page)."""

    entries: Sequence[LedgerEntry]
    next_cursor: str | None


class AccountService:
    """Keys, credits and webhook secrets of accounts."""

    def __init__(self, accounts: AccountStore, master_secret: bytes) -> None:
        self._accounts, self._master_secret = accounts, master_secret

    async def balance(self, caller: Caller) -> Decimal:
        """Credits that are neither spent nor reserved."""
        return (await self._accounts.get_account(caller.id)).balance

    async def keys(self, caller: Caller) -> list[ApiKey]:
        """The account's keys, oldest first."""
        return await self._accounts.list_keys(caller.id)

    async def create_key(
        self, account: AccountId, name: str = "", scope: Scope = Scope.ALL, expires_at: datetime | None = None
    ) -> NewKey:
        """A new key. Raises InvalidParams for a wrong name or expiry, and beyond ``KEYS_MAX`` keys."""
        problems: list[str] = []
        if len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            problems.append(f"name: use at most {NAME_CHARACTERS_MAX} printable characters")
        if expires_at is not None and expires_at <= datetime.now(UTC):
            problems.append("expires_at: this time has passed; give a later one")
        if problems:
            raise InvalidParams(problems)
        secret, new = _make_key()
        stored = dataclasses.replace(new, name=name, scope=scope, expires_at=expires_at)
        added = await self._accounts.add_key(account, stored, KEYS_MAX)
        if added is None:
            raise InvalidParams([f"keys: an account has at most {KEYS_MAX}; rotate one instead"])
        return NewKey(key=added, secret=secret)

    async def add_key(
        self, caller: Caller, name: str = "", scope: Scope = Scope.ALL, expires_at: datetime | None = None
    ) -> NewKey:
        """As ``create_key``, for a caller. Raises ScopeInsufficient too."""
        caller.require_write()
        return await self.create_key(caller.id, name, scope, expires_at)

    async def set_key_disabled(self, caller: Caller, key_id: int, *, disabled: bool) -> ApiKey:
        """Disable a key, effective immediately everywhere, or enable it. Raises NotFound, ScopeInsufficient."""
        caller.require_write()
        return await self._accounts.set_key_disabled(caller.id, key_id, disabled=disabled)

    async def rotate_key(self, caller: Caller, key_id: int, grace_seconds: float = 0) -> NewKey:
        """A new key of the same name and scope; the old one expires after ``grace_seconds``.

        Raises NotFound, ScopeInsufficient; InvalidParams if the key has expired, or too many keys did today.
        """
        caller.require_write()
        now, known = datetime.now(UTC), await self._accounts.list_keys(caller.id)
        if any(key.id == key_id and key.has_ended(now) for key in known):
            raise InvalidParams(["key_id: this key has expired; create a new key instead"])
        if len(known) >= KEYS_SHOWN_MAX:
            raise InvalidParams([f"keys: there are {len(known)}, the maximum; expired keys are deleted after a day"])
        secret, new = _make_key()
        return NewKey(
            key=await self._accounts.replace_key(caller.id, key_id, new, grace_seconds),
            secret=secret,
        )

    async def ledger(self, caller: Caller, cursor: str | None, limit: int) -> LedgerPage:
        """A page of the account's transfers. Raises InvalidParams for an invalid cursor."""
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
            raise InvalidParams(["cursor: invalid; start again without a cursor"])
        found = await self._accounts.ledger(caller.id, int(cursor) if cursor else None, limit + 1)
        page = found[:limit]
        return LedgerPage(entries=page, next_cursor=str(page[-1].id) if len(found) > limit else None)

    async def usage(self, caller: Caller, days: int) -> list[UsageDay]:
        """The account's usage by day and model."""
        return await self._accounts.usage(caller.id, days)

    def webhook_secret(self, account: Account) -> str:
        """The secret that signs the account's callbacks: ``whsec_`` and 32 bytes in base64 (Standard Webhooks).

        It is derived from the installation's secret and the account's generation (HMAC-SHA256), so the database has
        nothing that can sign.
        """
        return self._webhook_secret(account, account.webhook_generation)

    def webhook_secrets(self, account: Account, now: datetime) -> list[str]:
        """The secrets that sign now, newest first: a former secret signs for a day after its rotation."""
        generations = range(account.webhook_generation, account.webhook_generation - len(_recent(account, now)) - 1, -1)
        return [self._webhook_secret(account, generation) for generation in generations]

    def _webhook_secret(self, account: Account, generation: int) -> str:
        message = f"webhook:{account.id}:{generation}".encode()
        return "whsec_" + base64.b64encode(hmac.digest(self._master_secret, message, hashlib.sha256)).decode()

    async def show_webhook_secret(self, caller: Caller) -> tuple[Account, str]:
        """The account and its signing secret. Raises ScopeInsufficient: a key that only reads must not sign."""
        caller.require_write()
        account = await self._accounts.get_account(caller.id)
        return account, self.webhook_secret(account)

    async def rotate_webhook_secret(self, caller: Caller) -> tuple[Account, str]:
        """A new signing secret; the old one also signs for a day.

        Raises ScopeInsufficient; InvalidParams after ``ROTATIONS_MAX`` rotations within a day.
        """
        caller.require_write()
        now = datetime.now(UTC)
        recent = _recent(await self._accounts.get_account(caller.id), now)
        if sum(rotated <= now for rotated in recent) >= ROTATIONS_MAX:  # later ones: the clock was set back
            raise InvalidParams(
                [f"webhook-secret: rotated {ROTATIONS_MAX} times within a day, which is the limit; try again later"]
            )
        account = await self._accounts.rotate_webhook_secret(caller.id, ROTATIONS_MAX)
        return account, self.webhook_secret(account)

    async def open_account(self, name: str, credits_granted: Decimal | None = None, memo: str = "") -> Account:
        """The account of this name, created if there is none, with credits granted. Raises InvalidParams."""
        if not name.strip() or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            raise InvalidParams([f"account: use a name of 1 to {NAME_CHARACTERS_MAX} printable characters"])
        account = await self._accounts.ensure_account(name.strip())
        if credits_granted:
            account = await self._accounts.grant(account.id, credits_granted, memo)
        return account


def _recent(account: Account, now: datetime) -> list[datetime]:
    """The rotations of the webhook secret within the last day."""
    return [rotated for rotated in account.webhook_rotations if now < rotated + timedelta(seconds=ROTATION_SECONDS)]


def _make_key() -> tuple[str, NewApiKey]:
    secret = make_api_key()
    return secret, NewApiKey(key_hash=hash_api_key(secret), prefix=secret[:KEY_PREFIX_LENGTH])
