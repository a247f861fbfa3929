"""Which account is whose, where another service vouches for people."""

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
        """``starting_credits``: of each account that is made here."""
        self._database, self._starting_credits = database, starting_credits

    async def account_of(self, identity: Identity) -> Account:
        """By issuer and subject alone: a name that somebody else has here already is told apart by the subject."""
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
        """From the next sign-in on this account is theirs, whichever was before and whether they were here or not."""
        async with self._database.transaction() as transaction:
            await transaction.row("lock_identity", issuer, subject)
            await transaction.row("admit_identity", issuer, subject, account)

    async def list(self) -> Sequence[KnownIdentity]:
        """All, the last seen first."""
        return [KnownIdentity(**row) for row in await self._database.rows("list_identities")]
