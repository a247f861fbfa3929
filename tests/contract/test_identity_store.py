"""What every store of identities holds to."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from bodydouble.store import Database, PostgresAccountStore, PostgresIdentityStore
from bodydouble.tasks.identity import Identity
from bodydouble.tasks.session import SessionRole

pytestmark = pytest.mark.anyio

ADA = Identity(issuer="https://a.example", subject="1", name="ada@studio.example", role=SessionRole.USER)


@pytest.fixture
async def database(empty_database: str) -> AsyncIterator[Database]:
    database = await Database.connect(empty_database)
    yield database
    await database.close()


async def test_the_subject_leads_to_the_account_whatever_the_name(database: Database) -> None:
    """At the first sign-in a new account with its credits; later the same one, under any name, with no more credits."""
    identities = PostgresIdentityStore(database, Decimal(50))
    first = await identities.account_of(ADA)
    assert (first.name, first.balance) == ("ada@studio.example", 50)
    married = Identity(
        issuer=ADA.issuer, subject=ADA.subject, name="lovelace@studio.example", role=SessionRole.OPERATOR
    )
    assert await identities.account_of(married) == first
    assert await PostgresAccountStore(database).ledger_differences() == []


async def test_a_name_takes_over_nobodys_account(database: Database) -> None:
    """Not one that an operator opened, nor one of another subject or issuer."""
    identities = PostgresIdentityStore(database)
    there = await PostgresAccountStore(database).ensure_account(ADA.name)
    first = await identities.account_of(ADA)
    second = await identities.account_of(Identity(issuer=ADA.issuer, subject="2", name=ADA.name, role=SessionRole.USER))
    third = await identities.account_of(
        Identity(issuer="https://b.example", subject="1", name=ADA.name, role=SessionRole.USER)
    )
    assert len({there.id, first.id, second.id, third.id}) == 4
    assert first.name.startswith("ada@studio.example (")


async def test_an_operator_lets_somebody_into_an_account_that_is_there(database: Database) -> None:
    """Before their first sign-in or after it; another subject of the same name stays outside."""
    identities = PostgresIdentityStore(database)
    studio = await PostgresAccountStore(database).ensure_account("studio")
    own = await identities.account_of(ADA)
    await identities.admit(ADA.issuer, ADA.subject, studio.id)
    await identities.admit(ADA.issuer, "2", studio.id)
    bob = Identity(issuer=ADA.issuer, subject="2", name="bob@studio.example", role=SessionRole.USER)
    assert (await identities.account_of(ADA)).id == (await identities.account_of(bob)).id == studio.id
    other = Identity(issuer=ADA.issuer, subject="3", name=ADA.name, role=SessionRole.USER)
    assert (await identities.account_of(other)).id not in (studio.id, own.id)
    assert {(known.subject, known.account) for known in await identities.list()} >= {("1", "studio"), ("2", "studio")}


async def test_two_first_sign_ins_at_once_make_one_account(database: Database) -> None:
    """Two tabs of one person."""
    identities = PostgresIdentityStore(database)
    made = await asyncio.gather(*(identities.account_of(ADA) for _ in range(5)))
    assert len({account.id for account in made}) == 1
