"""Accounts, their keys, and what the ledger says."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from bodydouble.store.postgres.database import Database
from bodydouble.store.postgres.rows import to_account, to_key, to_owner
from bodydouble.tasks.account import Account, AccountId, ApiKey, NewApiKey, Scope
from bodydouble.tasks.credits import LedgerDifference, LedgerEntry, TransferKind, UsageDay
from bodydouble.tasks.errors import InsufficientCredits, NotFound
from bodydouble.tasks.task import TaskId


class PostgresAccountStore:
    """Satisfies ``tasks.ports.AccountStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def account_for_key(self, key_hash: bytes) -> tuple[Account, ApiKey] | None:
        row = await self._database.row("account_for_key", key_hash)
        return to_owner(row) if row else None

    async def touch_keys(self, key_hashes: Sequence[bytes]) -> None:
        await self._database.row("touch_keys", list(key_hashes))

    async def get_account(self, account: AccountId) -> Account:
        return _found(await self._database.row("get_account", account), f"There is no account {account}")

    async def find_account(self, name: str) -> Account:
        return _found(await self._database.row("find_account", name), f"There is no account called {name!r}")

    async def ensure_account(self, name: str) -> Account:
        await self._database.row("make_account", name)
        return await self.find_account(name)

    async def list_accounts(self) -> list[Account]:
        return [to_account(row) for row in await self._database.rows("list_accounts")]

    async def set_limits(
        self, account: AccountId, creates_per_minute: int | None, active_max: int | None, *, disabled: bool
    ) -> Account:
        row = await self._database.row("set_limits", account, creates_per_minute, active_max, disabled)
        return _found(row, f"There is no account {account}")

    async def set_label(self, account: AccountId, label: str) -> Account:
        return _found(await self._database.row("set_label", account, label), f"There is no account {account}")

    async def grant(self, account: AccountId, amount: Decimal, memo: str) -> Account:
        kind = TransferKind.GRANT if amount >= 0 else TransferKind.REVOKE
        async with self._database.transaction() as transaction:
            row = await transaction.row("change_balance", account, amount)
            if row is None:
                known = _found(await transaction.row("get_account", account), f"There is no account {account}")
                raise InsufficientCredits(
                    f"Insufficient credits: {-amount.normalize():f} to take back, "
                    f"{known.balance.normalize():f} available",
                    needed=-amount,
                    balance=known.balance,
                )
            await transaction.row("ledger_entry", account, kind.value, abs(amount), memo)
        return to_account(row)

    async def add_key(self, account: AccountId, key: NewApiKey, keys_max: int) -> ApiKey | None:
        async with self._database.transaction() as transaction:
            await transaction.row("lock_account", account)
            await transaction.row("forget_keys", account)
            if (await transaction.row("count_open_keys", account))[0] >= keys_max:
                return None
            return to_key(await transaction.row("add_key", *_key_values(account, key)))

    async def list_keys(self, account: AccountId | None) -> list[ApiKey]:
        return [to_key(row) for row in await self._database.rows("list_keys", account)]

    async def set_key_disabled(self, account: AccountId, key_id: int, *, disabled: bool) -> ApiKey:
        return _key(await self._database.row("set_key_disabled", account, key_id, disabled), key_id)

    async def replace_key(self, account: AccountId, key_id: int, new: NewApiKey, grace_seconds: float) -> ApiKey:
        async with self._database.transaction() as transaction:
            old = _key(await transaction.row("get_key", account, key_id), key_id)
            added = NewApiKey(
                key_hash=new.key_hash, prefix=new.prefix, name=old.name, scope=old.scope, expires_at=old.expires_at
            )
            await transaction.row("forget_keys", account)
            row = await transaction.row("add_key", *_key_values(account, added))
            await transaction.row("expire_key", account, key_id, grace_seconds)
        return to_key(row)

    async def count_keys(self) -> int:
        return int((await self._database.row("count_keys"))[0])

    async def rotate_webhook_secret(self, account: AccountId, remembered_max: int) -> Account:
        row = await self._database.row("rotate_webhook_secret", account, remembered_max)
        return _found(row, f"There is no account {account}")

    async def ledger(self, account: AccountId, before: int | None, limit: int) -> list[LedgerEntry]:
        return [_entry(row) for row in await self._database.rows("ledger_page", account, before, limit)]

    async def task_ledger(self, task_id: TaskId) -> list[LedgerEntry]:
        return [_entry(row) for row in await self._database.rows("task_ledger", task_id)]

    async def ledger_differences(self) -> list[LedgerDifference]:
        rows = await self._database.rows("ledger_differences")
        return [
            LedgerDifference(
                account=AccountId(row["account_id"]),
                task=_task_id(row["task_id"]),
                what=row["what"],
                stored=row["stored"],
                by_ledger=row["by_ledger"],
            )
            for row in rows
        ]

    async def usage(self, account: AccountId, days: int) -> list[UsageDay]:
        rows = await self._database.rows("usage", account, days)
        return [
            UsageDay(
                day=row["day"],
                model=row["model"],
                succeeded=row["succeeded"],
                failed=row["failed"],
                credits=row["credits"],
            )
            for row in rows
        ]


def _found(row: Mapping[str, Any] | None, message: str) -> Account:
    if row is None:
        raise NotFound(message)
    return to_account(row)


def _key(row: Mapping[str, Any] | None, key_id: int) -> ApiKey:
    if row is None:
        raise NotFound(f"There is no key {key_id}")
    return to_key(row)


def _entry(row: Mapping[str, Any]) -> LedgerEntry:
    return LedgerEntry(
        id=row["id"],
        account=AccountId(row["account_id"]),
        task=_task_id(row["task_id"]),
        kind=TransferKind(row["kind"]),
        amount=row["amount"],
        memo=row["memo"],
        created_at=row["created_at"],
    )


def _key_values(account: AccountId, key: NewApiKey) -> tuple[Any, ...]:
    return key.key_hash, account, key.prefix, key.name, Scope(key.scope).value, key.expires_at


def _task_id(value: Any) -> TaskId | None:
    return TaskId(UUID(str(value))) if value else None
