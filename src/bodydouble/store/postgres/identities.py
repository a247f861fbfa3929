"""Identities of people who sign in through a provider."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal

from bodydouble.store.postgres.database import Database
from bodydouble.store.postgres.rows import to_account
from bodydouble.tasks.account import Account, AccountId
from bodydouble.tasks.credits import TransferKind
from bodydouble.tasks.identity import Identity, KnownIdentity


class PostgresIdentityStore:
    """Satisfies ``tasks.identity.IdentityStore``."""

    def __init__(self, database: Database, starting_credits: Decimal = Decimal(0)) -> None:
        """``starting_credits`` are granted to each account that a first sign-in creates."""
        self._database, self._starting_credits = database, starting_credits

    async def account_of(self, identity: Identity) -> Account:
        """Issuer and subject decide. If the name is taken, the new account's name gets a mark of the subject."""
        issuer, subject, name = identity.issuer, identity.subject, identity.name
        mark = hashlib.sha256(f"{issuer} {subject}".encode()).hexdigest()[:8]
        async with self._database.transaction() as transaction:
            await transaction.row("lock_identity", issuer, subject)
            row = await transaction.row("see_identity", issuer, subject, name)
            if row is None:
                row = await transaction.row("open_account", name)
                row = row or await transaction.row("open_account", f"{name} ({mark})")
                await transaction.row("add_identity", issuer, subject, row["id"], name)
                if self._starting_credits:
                    transfer = TransferKind.GRANT.value, self._starting_credits, "granted at the first sign-in"
                    await transaction.row("ledger_entry", row["id"], *transfer)
                    row = await transaction.row("change_balance", row["id"], self._starting_credits)
        return to_account(row)

    async def admit(self, issuer: str, subject: str, account: AccountId) -> None:
        """The identity's next sign-in uses this account."""
        async with self._database.transaction() as transaction:
            await transaction.row("lock_identity", issuer, subject)
            await transaction.row("admit_identity", issuer, subject, account)

    async def list(self) -> Sequence[KnownIdentity]:
        """All identities, last seen first."""
        return [KnownIdentity(**row) for row in await self._database.rows("list_identities")]
