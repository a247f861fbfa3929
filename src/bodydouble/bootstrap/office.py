"""What an operator does beside or without a running service, and the first start of an installation."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from bodydouble.bootstrap.services import build_operation, build_services, build_sessions
from bodydouble.bootstrap.stores import has_the_secret, open_files, open_secret, open_stores, require_the_secret
from bodydouble.service import AccountService, OperationService, SessionService, TaskService, sign_in_url
from bodydouble.settings import Settings
from bodydouble.tasks.errors import BodydoubleError, StorageUnavailable
from bodydouble.tasks.identity import IdentityStore
from bodydouble.tasks.operation import Executor, QueueState
from bodydouble.tasks.session import Role

FIRST_ACCOUNT = "default"


@dataclass(frozen=True, kw_only=True)
class Office:
    """The use cases that an operator's commands call."""

    operation: OperationService
    accounts: AccountService
    tasks: TaskService
    sessions: SessionService
    identities: IdentityStore


@asynccontextmanager
async def open_office(settings: Settings, database_url: str) -> AsyncGenerator[Office, None]:
    """An operator's use cases, beside or without a running service. Raises StorageUnavailable."""
    async with open_stores(settings, database_url) as stores:
        services = build_services(settings, stores, open_files(settings))
        yield Office(
            operation=build_operation(settings, stores, services.tasks),
            accounts=services.accounts,
            tasks=services.tasks,
            sessions=build_sessions(settings, stores),
            identities=stores.identities,
        )


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How an installation stands, as seen from one machine. Empty texts: all is well."""

    files: str  # what is wrong with the file store
    has_secret: bool  # this machine's secret is the installation's
    queue: QueueState
    alive: Sequence[Executor]  # workers with a fresh heartbeat
    silent: Sequence[Executor]  # those that ended without saying so, within the last day


async def look_around(settings: Settings, database_url: str) -> Standing:
    """Raises StorageUnavailable where the database does not answer, or holds no installation of this version."""
    try:
        return await _look_around(settings, database_url)
    except asyncpg.UndefinedTableError as error:
        raise StorageUnavailable(
            "The database holds no installation of this version; `bodydouble serve` makes one or brings it up to date"
        ) from error


async def _look_around(settings: Settings, database_url: str) -> Standing:
    async with open_stores(settings, database_url) as stores:
        operation = build_operation(settings, stores, build_services(settings, stores, open_files(settings)).tasks)
        try:
            await open_files(settings).ping()
            files = ""
        except BodydoubleError as error:
            files = error.message
        seen = [executor for executor in await operation.executors() if executor.stopped_at is None]
        return Standing(
            files=files,
            has_secret=await has_the_secret(settings, stores.operation),
            queue=await operation.queue_state(),
            alive=[executor for executor in seen if operation.is_alive(executor)],
            silent=[executor for executor in seen if not operation.is_alive(executor)],
        )


async def make_sign_in_url(settings: Settings, database_url: str) -> str:
    """An address that signs in once, as operator of the first account."""
    async with open_stores(settings, database_url) as stores:
        await stores.accounts.ensure_account(FIRST_ACCOUNT)
        token = await build_sessions(settings, stores).make_link_token(FIRST_ACCOUNT, Role.OPERATOR)
    return sign_in_url(settings.base_url, token)


async def create_first_key(settings: Settings, database_url: str) -> str | None:
    """A key for the first account, or None where there is any key already.

    Raises InputRejected: this machine's secret is not the installation's; and StorageUnavailable.
    """
    async with open_stores(settings, database_url) as stores:
        await require_the_secret(settings, stores.operation)
        if await stores.accounts.count_keys():
            return None
        service = AccountService(stores.accounts, open_secret(settings))
        owner = await service.open_account(FIRST_ACCOUNT, settings.starting_credits, "granted at the first start")
        return (await service.create_key(owner.id, "first key")).secret
